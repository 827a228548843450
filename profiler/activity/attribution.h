// Gives each measured piece of device work the tag it was issued under. CUPTI tells the two apart: one record says that
// an API call was made under an external id, another when the work of that call ran; they arrive in any order. Bounded:
// what waits too long is let go and counted. Work of a CUDA graph has one tag for all, and its node tells the stage. One
// thread: the collector.
#pragma once

#include "profiler/activity/graph_stages.h"
#include "profiler/activity/names.h"
#include "profiler/activity/stage_time.h"
#include "profiler/clock/alignment.h"
#include "profiler/cupti/api.h"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <unordered_map>
#include <vector>

namespace profiler {

class Attribution : public RecordSink {
 public:
  struct Counts {
    std::uint64_t records = 0;     // kernels, copies and sets
    std::uint64_t invalid = 0;     // of those, with zero or reversed times: skipped
    std::uint64_t unknown = 0;     // records of a kind that was not asked for
    std::int64_t overhead_ns = 0;  // that CUPTI says it cost
  };

  Attribution(Names& names, const ClockMap& clock, GraphStages& graphs, std::size_t limit = std::size_t{1} << 16)
      : names_(names), clock_(clock), graphs_(graphs), limit_(limit) {}

  void add(const ActivityRecord& record) override;

  // Everything recorded so far has been delivered: work that was already waiting at the call before this one had no
  // tag. With `final`, all that waits.
  void settle(bool final);

  // Work with its tag, and work that had none (its tag is empty), since the last call.
  std::vector<StageTime> take_tagged();
  std::vector<StageTime> take_untagged();
  const Counts& counts() const { return counts_; }
  std::size_t waiting() const { return waiting_.size(); }

 private:
  struct Waiting {
    StageTime time;
    std::optional<std::uint16_t> stage;  // of work in a graph
    std::uint64_t generation = 0;
  };
  void add_work(const ActivityRecord& record);
  void add_link(const ActivityRecord& record);

  Names& names_;
  const ClockMap& clock_;
  GraphStages& graphs_;
  std::size_t limit_;
  std::unordered_map<std::uint32_t, Tag> tags_;  // by correlation; a graph launch has many records, so tags stay
  std::deque<std::uint32_t> tag_order_;
  std::unordered_multimap<std::uint32_t, Waiting> waiting_;
  std::deque<std::uint32_t> waiting_order_;
  std::vector<StageTime> tagged_, untagged_;
  std::uint64_t generation_ = 0;
  Counts counts_;
};

}  // namespace profiler
