#include "profiler/activity/attribution.h"

#include <utility>

namespace profiler {

namespace {

WorkKind kind_of(ActivityRecord::Type type) {
  switch (type) {
    case ActivityRecord::Type::memcpy:
      return WorkKind::memcpy;
    case ActivityRecord::Type::memset:
      return WorkKind::memset;
    default:
      return WorkKind::kernel;
  }
}

Tag of_stage(Tag tag, std::optional<std::uint16_t> stage) {
  tag.stage = stage.value_or(tag.stage);
  return tag;
}

}  // namespace

void Attribution::add(const ActivityRecord& record) {
  using Type = ActivityRecord::Type;
  switch (record.type) {
    case Type::kernel:
    case Type::memcpy:
    case Type::memset:
      return add_work(record);
    case Type::correlation:
      return add_link(record);
    case Type::overhead:
      if (record.end > record.start) counts_.overhead_ns += static_cast<std::int64_t>(record.end - record.start);
      return;
    case Type::api_call:
      return;
    case Type::unknown:
      ++counts_.unknown;
      return;
  }
}

void Attribution::add_work(const ActivityRecord& record) {
  ++counts_.records;
  if (record.start == 0 || record.end < record.start) {
    ++counts_.invalid;
    return;
  }
  StageTime time;
  time.kind = kind_of(record.type);
  time.start_ns = clock_.to_steady(record.start);
  time.duration_ns = static_cast<std::int64_t>(record.end - record.start);
  time.name = names_.intern(record.name);
  std::optional<std::uint16_t> stage;
  if (record.graph_node != 0) stage = graphs_.stage_of(record.graph_node).value_or(unknown_stage);
  if (const auto tag = tags_.find(record.correlation); tag != tags_.end()) {
    time.tag = of_stage(tag->second, stage);
    tagged_.push_back(time);
    return;
  }
  // The oldest gives way; an entry of the order whose work has found its tag meanwhile just goes.
  while (waiting_order_.size() >= limit_) {
    const auto oldest = waiting_.find(waiting_order_.front());
    waiting_order_.pop_front();
    if (oldest == waiting_.end()) continue;
    untagged_.push_back(oldest->second.time);
    waiting_.erase(oldest);
  }
  waiting_.emplace(record.correlation, Waiting{time, stage, generation_});
  waiting_order_.push_back(record.correlation);
}

void Attribution::add_link(const ActivityRecord& record) {
  const Tag tag = Tag::unpack(record.external);
  const auto [first, last] = waiting_.equal_range(record.correlation);
  for (auto it = first; it != last; ++it) {
    it->second.time.tag = of_stage(tag, it->second.stage);
    tagged_.push_back(it->second.time);
  }
  waiting_.erase(first, last);
  if (tags_.insert_or_assign(record.correlation, tag).second) tag_order_.push_back(record.correlation);
  if (tags_.size() > limit_) {
    tags_.erase(tag_order_.front());
    tag_order_.pop_front();
  }
}

void Attribution::settle(bool final) {
  for (auto it = waiting_.begin(); it != waiting_.end();) {
    if (final || it->second.generation < generation_) {
      untagged_.push_back(it->second.time);
      it = waiting_.erase(it);
    } else {
      ++it;
    }
  }
  ++generation_;
  waiting_order_.clear();
  for (const auto& [correlation, waiting] : waiting_) waiting_order_.push_back(correlation);
}

std::vector<StageTime> Attribution::take_tagged() { return std::exchange(tagged_, {}); }

std::vector<StageTime> Attribution::take_untagged() { return std::exchange(untagged_, {}); }

}  // namespace profiler
