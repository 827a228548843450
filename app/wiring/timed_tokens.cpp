#include "app/wiring/timed_tokens.h"

#include <algorithm>
#include <iterator>

namespace app {

namespace {

bool earlier(const profiler::StageTime& a, const profiler::StageTime& b) { return a.start_ns < b.start_ns; }

}  // namespace

TimedTokens::Entry* TimedTokens::find(std::uint32_t step) {
  const auto at = std::lower_bound(entries_.begin(), entries_.end(), step,
                                   [](const Entry& entry, std::uint32_t wanted) { return entry.step < wanted; });
  return at != entries_.end() && at->step == step ? &*at : nullptr;
}

profiler::TokenTimes& TimedTokens::own(Entry& entry) {
  if (entry.shared) {
    entry.times = std::make_shared<profiler::TokenTimes>(*entry.times);
    entry.shared = false;
  }
  return *entry.times;
}

std::uint32_t TimedTokens::begin(std::int64_t position, profiler::TimeSource source, std::int64_t start_ns) {
  auto times = std::make_shared<profiler::TokenTimes>();
  times->source = source;
  times->token = static_cast<std::uint32_t>(position);
  times->wall_start_ns = start_ns;
  const std::lock_guard lock(mutex_);
  // Steps go forward but for the one behind a step back in time: nothing is searched for then.
  if (position <= highest_) {
    const auto again = std::find_if(entries_.begin(), entries_.end(),
                                    [&](const Entry& entry) { return entry.times->token == times->token; });
    if (again != entries_.end()) entries_.erase(again);
  }
  highest_ = std::max(highest_, position);
  if (entries_.size() >= most_) entries_.pop_front();
  Entry entry;
  entry.step = next_step_++;
  entry.times = std::move(times);
  entries_.push_back(std::move(entry));
  return entries_.back().step;
}

void TimedTokens::finish(std::uint32_t step, std::int64_t end_ns, std::vector<profiler::StageTime> stages,
                         int last_stage) {
  const std::lock_guard lock(mutex_);
  Entry* entry = find(step);
  if (entry == nullptr) return;
  profiler::TokenTimes& times = own(*entry);
  times.wall_start_ns = std::max(times.wall_start_ns, last_end_ns_);
  times.wall_ns = end_ns - times.wall_start_ns;
  last_end_ns_ = end_ns;
  if (!stages.empty()) times.stages = std::move(stages);
  entry->finished = true;
  entry->last_stage = last_stage;
  entry->complete = last_stage < 0 || std::any_of(times.stages.begin(), times.stages.end(),
                                                  [&](const auto& piece) { return piece.tag.stage == last_stage; });
}

void TimedTokens::add(std::span<const profiler::StageTime> times) {
  const std::lock_guard lock(mutex_);
  for (std::size_t first = 0; first < times.size();) {
    const std::uint32_t step = times[first].tag.token;
    std::size_t last = first;
    while (last < times.size() && times[last].tag.token == step) ++last;
    if (Entry* entry = find(step)) {
      profiler::TokenTimes& own_times = own(*entry);
      for (std::size_t i = first; i < last; ++i) {
        profiler::StageTime piece = times[i];
        piece.tag.token = own_times.token;
        own_times.stages.push_back(piece);
        if (entry->finished && piece.tag.stage == entry->last_stage) entry->complete = true;
      }
      if (!std::is_sorted(own_times.stages.begin(), own_times.stages.end(), earlier)) {
        std::stable_sort(own_times.stages.begin(), own_times.stages.end(), earlier);
      }
    }
    first = last;
  }
}

std::size_t TimedTokens::inside(std::span<const profiler::StageTime> times) const {
  const std::lock_guard lock(mutex_);
  return static_cast<std::size_t>(std::count_if(times.begin(), times.end(), [&](const profiler::StageTime& piece) {
    // Steps begin one after the other, so one look-up tells: the window waits for this lock.
    const auto after = std::upper_bound(
        entries_.begin(), entries_.end(), piece.start_ns,
        [](std::int64_t start_ns, const Entry& entry) { return start_ns < entry.times->wall_start_ns; });
    if (after == entries_.begin()) return false;
    const Entry& entry = *std::prev(after);
    return !entry.finished || piece.start_ns < entry.times->wall_start_ns + entry.times->wall_ns;
  }));
}

std::vector<std::shared_ptr<const profiler::TokenTimes>> TimedTokens::newest(std::size_t count) const {
  const std::lock_guard lock(mutex_);
  std::vector<std::shared_ptr<const profiler::TokenTimes>> out;
  // A step that lost its last record is as complete as it will be once a later one is.
  bool later_complete = false;
  for (auto entry = entries_.rbegin(); entry != entries_.rend() && out.size() < count; ++entry) {
    later_complete = later_complete || entry->complete;
    if (!entry->finished || !later_complete) continue;
    entry->shared = true;
    out.push_back(entry->times);
  }
  std::reverse(out.begin(), out.end());
  return out;
}

}  // namespace app
