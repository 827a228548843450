#include "engine/effect/dose_response.h"

#include "engine/intervention/sequence_interventions.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace engine {

Result<std::vector<Intervention>> at_strength(std::span<const Intervention> interventions, double strength) {
  if (!std::isfinite(strength)) return input_error("A strength is a finite number: 0 changes nothing, 1 is full.");
  std::vector<Intervention> out;
  if (strength == 0) return out;
  for (const Intervention& full : interventions) {
    Intervention now = full;
    switch (full.operation) {
      case Operation::scale:
        now.value = strength == 1 ? full.value : 1 + strength * (full.value - 1);
        break;
      case Operation::add:
        now.value = strength * full.value;
        break;
      case Operation::set:
        if (strength == 1) break;
        now.operation = Operation::scale;
        now.value = 1 - strength;
        out.push_back(now);
        now.operation = Operation::add;
        now.value = strength * full.value;
        break;
      case Operation::shuffle:
        if (strength == 1) break;
        return input_error(
            fmt::format("A shuffle has no strength of {:g}: it is done or it is not. Ask for the "
                        "strengths 0 and 1, or leave the shuffle out.",
                        strength));
    }
    out.push_back(now);
  }
  return out;
}

int strengths_at_once(const DosePlan& plan, const ModelConfig& config, std::size_t bytes) {
  const std::size_t state = 4 * static_cast<std::size_t>(config.n_layer) * static_cast<std::size_t>(config.heads()) *
                            static_cast<std::size_t>(config.headdim) * static_cast<std::size_t>(config.d_state);
  const std::size_t fit = bytes / std::max<std::size_t>(1, state * static_cast<std::size_t>(1 + plan.controls));
  return static_cast<int>(std::clamp<std::size_t>(fit, 1, std::max<std::size_t>(1, plan.strengths.size())));
}

Result<std::vector<DosePoint>> dose_response(Backend& backend, const Model& model, std::span<const EffectText> texts,
                                             const DosePlan& plan, const EffectProgress& progress) {
  const int batch = backend.plan().batch, at_once = (batch - 1) / (1 + plan.controls);
  if (at_once < 1 || plan.batch(at_once) != batch)
    return input_error(
        fmt::format("A dose response with {} controls needs a batch of 1 and some times {}, and was "
                    "given one of {}.",
                    plan.controls, 1 + plan.controls, batch));
  std::vector<std::vector<Intervention>> lists;
  for (const double strength : plan.strengths) {
    auto list = at_strength(plan.interventions, strength);
    if (!list) return tl::unexpected(list.error());
    // What can be done in full may not be possible beyond it, or the other way.
    for (const Intervention& by : joined(plan.base, *list)) {
      if (auto fits = check(by, model.config()); !fits)
        return input_error(fmt::format("At strength {:g}: {}", strength, fits.error().message));
    }
    lists.push_back(std::move(*list));
  }
  std::vector<DosePoint> points;
  const auto step = static_cast<std::size_t>(at_once);
  for (std::size_t first = 0; first < lists.size(); first += step) {
    const std::size_t last = std::min(first + step, lists.size());
    EffectPlan part;
    part.lists.assign(lists.begin() + static_cast<std::ptrdiff_t>(first),
                      lists.begin() + static_cast<std::ptrdiff_t>(last));
    part.lists.resize(step);  // the last part's rest steps the model as it is
    part.controls = plan.controls;
    part.kind = plan.kind;
    part.seed = plan.seed;
    part.base = plan.base;
    bool ended = false;
    const auto tallies = tally_effects(backend, model, texts, part, [&](double done) {
      const double in_all = static_cast<double>(first) + done * static_cast<double>(last - first);
      ended = progress && !progress(in_all / static_cast<double>(lists.size()));
      return !ended;
    });
    if (!tallies) return tl::unexpected(tallies.error());
    if (ended && first + step < lists.size()) return points;
    for (std::size_t i = first; i < last; ++i) {
      const int list = static_cast<int>(i - first);
      const auto of = [&](int sequence) { return (*tallies)[static_cast<std::size_t>(sequence)]; };
      DosePoint point{plan.strengths[i], of(0), of(part.counterfactual(list)), {}};
      for (int c = 0; c < plan.controls; ++c) point.controls.push_back(of(part.control(list, c)));
      points.push_back(std::move(point));
    }
  }
  return points;
}

}  // namespace engine
