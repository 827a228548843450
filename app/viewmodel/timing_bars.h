// One step as a stacked bar: its time by kind of stage, then the work that belongs to no stage, then the gaps. A bar of
// medians over the measured tokens, and one of a single token. Pure; times in microseconds.
#pragma once

#include "app/viewmodel/timing_view.h"

#include <optional>

namespace app {

// What a part is when it is no kind of stage.
inline constexpr int other_work = -2;   // work of the step that belongs to no stage: an upload of ids, for example
inline constexpr int nothing_ran = -3;  // the gaps

struct BarPart {
  int kind = 0;    // engine::StageKind, or one of the two above
  int stages = 0;  // of this kind in a step
  double start_us = 0, length_us = 0;
  double median_us = 0, spread_us = 0;  // of this part over the measured tokens; spread: median absolute deviation
  std::uint64_t bytes = 0;              // read and written, counted from shapes
  double gb_per_s = 0;                  // bytes over length; 0: no bytes or no time
  double share = 0;                     // length over the bar's wall time, 0..1
};

struct StepBar {
  std::int64_t token = -1;  // the token that is drawn; -1: medians
  std::size_t tokens = 0;   // measured ones behind the medians
  // Wall time of the step. Of medians it may differ a little from `end_us`: the median of a sum is not the sum of medians.
  double wall_us = 0, wall_spread_us = 0;
  double end_us = 0;           // sum of the parts
  std::vector<BarPart> parts;  // in the order of the plan, then other work, then gaps; none without time
};

// Empty where nothing was measured.
StepBar make_median_bar(const TimingTable& table);
// `table` gives the medians beside this token's times. Without stage times the bar has a wall time and no parts.
StepBar make_token_bar(const engine::StepPlan& plan, const profiler::TokenTimes& times, const TimingTable& table);

// How far a token's step is from the median of steps, and the part that makes up most of that.
struct OffMedian {
  double us = 0;  // below 0: it took less
  int kind = 0;
  double part_us = 0;  // of that part, from its own median
};
// None within a tenth of the median: tokens differ by that much for many small reasons.
std::optional<OffMedian> off_median(const StepBar& token, double median_wall_us);

// The part at `us` from the start of the step; null: none.
const BarPart* part_at(const StepBar& bar, double us);

// Where an axis from 0 has to end so that `longest_us` leaves `free_share` (0..1) of it for text, as a round number.
// `now_us`, the end it has, is kept while it is long enough and not more than twice too long: an axis that follows
// every token can't be read.
double steady_axis_end(double longest_us, double free_share, double now_us);

}  // namespace app
