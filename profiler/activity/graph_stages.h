// Which stage a node of a CUDA graph is for, by the ids that CUPTI gives to nodes. Told are the nodes that were recorded;
// CUDA copies each into the executable graph, and what runs carries the copy's id (or, with another driver, its own: both
// are found). Bounded: the oldest give way. Any thread.
#pragma once

#include "profiler/cupti/api.h"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <mutex>
#include <optional>
#include <unordered_map>
#include <vector>

namespace profiler {

class GraphStages : public CloneSink {
 public:
  explicit GraphStages(std::size_t limit = std::size_t{1} << 16);

  // Inside CUPTI's callback: one short lock, no allocation.
  void cloned(std::uint64_t original, std::uint64_t clone) noexcept override;
  void know(std::uint64_t node, std::uint16_t stage);
  std::optional<std::uint16_t> stage_of(std::uint64_t node);

 private:
  struct Clone {
    std::uint64_t original = 0, clone = 0;
  };
  void insert(std::uint64_t node, std::uint16_t stage);
  void resolve();

  std::size_t limit_;
  std::mutex mutex_;
  std::unordered_map<std::uint64_t, std::uint16_t> stages_;
  std::deque<std::uint64_t> order_;
  std::vector<Clone> clones_;  // not yet looked at, a ring once it is full
  std::size_t oldest_ = 0;
};

}  // namespace profiler
