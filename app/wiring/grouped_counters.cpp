#include "app/wiring/grouped_counters.h"

#include <algorithm>
#include <limits>

namespace app {

namespace {

constexpr double none = std::numeric_limits<double>::quiet_NaN();

bool is_share(const std::string& metric) { return metric.find(".pct_of_") != std::string::npos; }

}  // namespace

double counter_value(const StageCounters& counters, const std::vector<double>& values, const char* metric) {
  const auto at = std::find(counters.metrics.begin(), counters.metrics.end(), metric);
  const auto place = static_cast<std::size_t>(at - counters.metrics.begin());
  return place < values.size() ? values[place] : none;
}

double GroupCounters::value(const StageCounters& counters, const char* metric) const {
  return counter_value(counters, values, metric);
}

double GroupCounters::memory_bytes(const StageCounters& counters) const {
  return value(counters, "dram__bytes_read.sum") + value(counters, "dram__bytes_write.sum");
}

std::vector<GroupCounters> grouped_counters(const StageCounters& counters, const engine::StepPlan& plan,
                                            ProfileRows rows) {
  const Grouping groups = grouping(plan, rows);
  const auto time = static_cast<std::size_t>(
      std::find(counters.metrics.begin(), counters.metrics.end(), "gpu__time_duration.sum") - counters.metrics.begin());
  std::vector<GroupCounters> out;
  for (const StageGroup& group : groups.groups)
    out.push_back({group, 0, 0, std::vector<double>(counters.metrics.size())});
  std::vector<double> weights(out.size());
  for (const engine::Stage& stage : plan.stages) {
    const auto id = static_cast<std::size_t>(stage.id);
    if (id >= counters.values.size() || counters.values[id].size() != counters.metrics.size()) continue;
    const std::vector<double>& values = counters.values[id];
    const auto g = static_cast<std::size_t>(groups.of_stage[id]);
    ++out[g].counted;
    out[g].plan_bytes += stage.cost.bytes();
    const double weight = time < values.size() ? values[time] : 1;
    weights[g] += weight;
    for (std::size_t m = 0; m < values.size(); ++m)
      out[g].values[m] += is_share(counters.metrics[m]) ? weight * values[m] : values[m];
  }
  for (std::size_t g = 0; g < out.size(); ++g) {
    for (std::size_t m = 0; m < counters.metrics.size(); ++m) {
      double& value = out[g].values[m];
      if (out[g].counted == 0) value = none;
      if (is_share(counters.metrics[m])) value = weights[g] > 0 ? value / weights[g] : none;
    }
  }
  return out;
}

}  // namespace app
