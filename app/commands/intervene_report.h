// What `mambascope intervene` found, as text for people, as JSON and as CSV. Pure.
#pragma once

#include "engine/effect/dose_response.h"
#include "engine/effect/intervention_effect.h"
#include "engine/effect/patching.h"
#include "engine/model/model.h"
#include "engine/tasks/evaluate.h"

#include <nlohmann/json_fwd.hpp>

#include <string>
#include <vector>

namespace app {

struct InterveneResult {
  std::string backend, device;
  std::vector<engine::Intervention> base;  // in force in every run
  std::vector<engine::Intervention> interventions;
  engine::ControlKind kind = engine::ControlKind::state;
  int controls = 0;
  std::uint64_t seed = 0;
  // The model as it is, the counterfactual, then the controls.
  std::vector<engine::EffectToken> tokens;
  std::int64_t consumed = 0;        // tokens that every run reads
  std::vector<std::int32_t> truth;  // the task's class of each token; empty: no task
  std::string task;
  engine::EvaluateOptions evaluate{};
  std::vector<engine::EffectTally> tallies;  // of those sequences; empty: not asked for
  std::vector<engine::DosePoint> dose;
  // Patching; empty: not asked for.
  std::vector<engine::PatchEffect> patches;
  engine::PatchReference reference;
  std::vector<std::int32_t> donor;
  std::int64_t patched_after = 0;
};

std::string intervene_text(const engine::Model& model, const InterveneResult& result);
nlohmann::ordered_json intervene_json(const engine::Model& model, const InterveneResult& result);
// One line for each patch, or for each strength and run, or for each token and run: the first of them that was asked for.
std::string intervene_csv(const InterveneResult& result);

}  // namespace app
