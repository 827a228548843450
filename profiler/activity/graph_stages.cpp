#include "profiler/activity/graph_stages.h"

#include <algorithm>

namespace profiler {

GraphStages::GraphStages(std::size_t limit) : limit_(limit) { clones_.reserve(limit); }

void GraphStages::cloned(std::uint64_t original, std::uint64_t clone) noexcept {
  const std::lock_guard lock(mutex_);
  if (clones_.size() < limit_) {
    clones_.push_back({original, clone});
    return;
  }
  clones_[oldest_] = {original, clone};
  oldest_ = (oldest_ + 1) % limit_;
}

void GraphStages::insert(std::uint64_t node, std::uint16_t stage) {
  if (stages_.insert_or_assign(node, stage).second) order_.push_back(node);
  while (stages_.size() > limit_) {
    stages_.erase(order_.front());
    order_.pop_front();
  }
}

void GraphStages::know(std::uint64_t node, std::uint16_t stage) {
  const std::lock_guard lock(mutex_);
  insert(node, stage);
}

// In the order in which they were made, because a copy may have been copied again.
void GraphStages::resolve() {
  std::rotate(clones_.begin(), clones_.begin() + static_cast<std::ptrdiff_t>(oldest_), clones_.end());
  oldest_ = 0;
  const auto known = [this](const Clone& clone) {
    const auto original = stages_.find(clone.original);
    if (original == stages_.end()) return false;
    insert(clone.clone, std::uint16_t{original->second});
    return true;
  };
  clones_.erase(std::remove_if(clones_.begin(), clones_.end(), known), clones_.end());
}

std::optional<std::uint16_t> GraphStages::stage_of(std::uint64_t node) {
  const std::lock_guard lock(mutex_);
  auto found = stages_.find(node);
  if (found == stages_.end() && !clones_.empty()) {
    resolve();
    found = stages_.find(node);
  }
  if (found == stages_.end()) return std::nullopt;
  return found->second;
}

}  // namespace profiler
