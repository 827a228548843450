#include "app/wiring/profile_groups.h"

#include <fmt/format.h>

#include <algorithm>
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

const char* note_on(int kind) {
  if (kind != static_cast<int>(engine::StageKind::mixer)) return "";
  return "fetches the weights of the projection behind it into the L2 while it runs: on a GPU this lengthens it and "
         "shortens that, and memory counters find those bytes here, where the plan counts them there.";
}

std::vector<std::string> notes_on(const engine::StepPlan& plan) {
  std::vector<std::string> out;
  for (int kind = 0; kind < engine::stage_kind_count; ++kind) {
    const bool has = std::any_of(plan.stages.begin(), plan.stages.end(),
                                 [kind](const engine::Stage& stage) { return static_cast<int>(stage.kind) == kind; });
    if (has && *note_on(kind) != '\0')
      out.push_back(std::string(engine::name_of(static_cast<engine::StageKind>(kind))) + ": " + note_on(kind));
  }
  return out;
}

}  // namespace app
