#include "app/wiring/profile_groups.h"

#include <fmt/format.h>

#include <map>

namespace app {

Grouping grouping(const engine::StepPlan& plan, ProfileRows rows) {
  Grouping out;
  std::map<int, std::size_t> places;
  for (const engine::Stage& stage : plan.stages) {
    const int key = rows == ProfileRows::kinds    ? static_cast<int>(stage.kind)
                    : rows == ProfileRows::layers ? stage.layer
                                                  : stage.id;
    const auto [place, fresh] = places.emplace(key, out.groups.size());
    if (fresh) {
      StageGroup group;
      if (rows == ProfileRows::layers) {
        group.name = stage.layer < 0 ? "outside layers" : fmt::format("layer {}", stage.layer);
        group.layer = stage.layer;
      } else {
        group.name = engine::name_of(stage.kind);
        group.kind = static_cast<int>(stage.kind);
      }
      if (rows == ProfileRows::stages) {
        group.layer = stage.layer;
        group.stage = stage.id;
      }
      out.groups.push_back(std::move(group));
    }
    StageGroup& group = out.groups[place->second];
    ++group.stages;
    group.cost.bytes_read += stage.cost.bytes_read;
    group.cost.bytes_written += stage.cost.bytes_written;
    group.cost.flops += stage.cost.flops;
    out.of_stage.push_back(static_cast<int>(place->second));
  }
  return out;
}

std::string full_name(const StageGroup& group) {
  return group.stage >= 0 && group.layer >= 0 ? fmt::format("{} of layer {}", group.name, group.layer) : group.name;
}

}  // namespace app
