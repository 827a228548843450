// How the effect of interventions grows with their strength, from 0 (nothing is changed) to 1 (as they are) and beyond,
// beside matched random controls of every strength. Steps a backend; one thread, the caller's.
#pragma once

#include "engine/effect/intervention_effect.h"

#include <span>
#include <vector>

namespace engine {

// The interventions with a strength: scale by 1 + s (v - 1), add s v, set x + s (v - x), which are a scale and an offset.
// Empty at 0; as they are at 1; below 0 the other way: -1 of "rotation*0" is "rotation*2". Error (input): a shuffle has no strength between; one that is not finite.
Result<std::vector<Intervention>> at_strength(std::span<const Intervention> interventions, double strength);

struct DosePoint {
  double strength = 0;
  EffectTally own;  // of the model as it is
  EffectTally counterfactual;
  std::vector<EffectTally> controls;
};

struct DosePlan {
  std::vector<Intervention> interventions;
  std::vector<double> strengths;
  int controls = 0;
  ControlKind kind = ControlKind::state;
  std::uint64_t seed = 0;
  std::vector<Intervention> base = {};  // in force at every strength, and in the model as it is

  // The batch that steps so many strengths at once; any number from 1 on is right.
  int batch(int at_once) const { return 1 + at_once * (1 + controls); }
};
// As many strengths at once as fit into `bytes` of states, at least 1.
int strengths_at_once(const DosePlan& plan, const ModelConfig& config, std::size_t bytes);

// One point for each strength. The backend's batch is that of some number of strengths at once. A run that `progress`
// ended has fewer points. Errors: as of tally_effects() and at_strength().
Result<std::vector<DosePoint>> dose_response(Backend& backend, const Model& model, std::span<const EffectText> texts,
                                             const DosePlan& plan, const EffectProgress& progress);

}  // namespace engine
