#include "app/wiring/donor_file.h"

#include "engine/recording/recording.h"

#include <chrono>
#include <utility>

namespace app {

namespace {

DonorFacts look_at(const std::string& path) {
  DonorFacts out;
  out.path = path;
  const auto recording = engine::Recording::open(path);
  if (!recording) {
    out.error = recording.error().message;
    return out;
  }
  out.model = (*recording)->info().model;
  out.tokens = (*recording)->tokens();
  out.interventions = (*recording)->info().interventions;
  return out;
}

}  // namespace

void DonorFile::want(const std::string& path) { wanted_ = path; }

const DonorFacts* DonorFile::facts() {
  if (looking_.valid() && looking_.wait_for(std::chrono::seconds(0)) == std::future_status::ready)
    found_ = looking_.get();
  if (wanted_.empty()) return nullptr;
  if (found_.path == wanted_) return &found_;
  if (!looking_.valid())
    looking_ = std::async(std::launch::async, [path = wanted_, done = done_] {
      DonorFacts facts = look_at(path);
      if (done) done();
      return facts;
    });
  return nullptr;
}

}  // namespace app
