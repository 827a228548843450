// What `mambascope effect` found, as text for people, as JSON and as CSV. Pure.
#pragma once

#include "engine/effect/lambda_effect.h"

#include <nlohmann/json_fwd.hpp>

#include <string>
#include <vector>

namespace app {

struct EffectResult {
  std::string backend, device;
  std::uint64_t seed = 0;
  std::vector<double> lambdas;              // of the runs beside the model as it is
  std::vector<engine::EffectToken> tokens;  // each with 1 + lambdas.size() runs
  std::vector<std::int32_t> truth;          // the task's class of each token; empty: no task
  std::string task;
  engine::EvaluateOptions evaluate{};
  std::vector<engine::Evaluation> accuracy;  // of each run; empty: not asked for
};

std::string effect_text(const engine::Model& model, const EffectResult& result);
nlohmann::ordered_json effect_json(const engine::Model& model, const EffectResult& result);
// One line for each token and run, with a header.
std::string effect_csv(const EffectResult& result);

}  // namespace app
