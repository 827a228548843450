// What a recording that is to be a donor says of itself: looked up in the background when its name was typed, since a file
// may be large. Nothing of it is kept open. UI thread, but for the looking.
#pragma once

#include "engine/intervention/intervention.h"

#include <cstdint>
#include <functional>
#include <future>
#include <memory>
#include <string>
#include <vector>

namespace app {

struct DonorFacts {
  std::string path;
  std::string error;                                // why it is none; empty: it is one
  std::string model;                                // that was recorded
  std::int64_t tokens = 0;                          // in it
  std::vector<engine::Intervention> interventions;  // that it was recorded under
};

class DonorFile {
 public:
  // `done` is called on a thread of its own when a file was looked at.
  explicit DonorFile(std::function<void()> done) : done_(std::move(done)) {}

  // Asks for another file; the same one again is not looked at anew. An empty name: none.
  void want(const std::string& path);
  // Of the file that was asked for last; null: not looked at so far, or none.
  const DonorFacts* facts();

 private:
  std::function<void()> done_;
  std::string wanted_;
  DonorFacts found_;
  std::future<DonorFacts> looking_;
};

}  // namespace app
