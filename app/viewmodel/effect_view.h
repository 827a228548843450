// What running the model with other lambdas did, as drawable values: by token, by layer, and summed up. An effect on the
// model, never an error. Pure, no ImGui.
#pragma once

#include "app/viewmodel/table.h"
#include "app/wiring/effect.h"
#include "engine/model/model.h"

#include <array>
#include <cstdint>
#include <string>
#include <vector>

namespace app {

inline constexpr std::size_t effect_runs = 1 + effect_lambdas.size();  // the model as it is, Euler, trapezoid
inline constexpr std::array<const char*, effect_runs> effect_names{"as it is", "Euler λ = 1", "trapezoid λ = ½"};

// The same where the first run has interventions in force.
const char* effect_name(std::size_t run, bool in_force);

// Values of the two other runs; what is zero is NaN, so that a logarithmic axis can draw it.
struct EffectSeries {
  std::vector<double> token;
  std::array<std::vector<double>, effect_lambdas.size()> kl_bits, distance;  // by token; distance of one layer
  std::array<std::vector<double>, effect_lambdas.size()> layer_distance;     // by layer, after the shown token
  std::vector<double> layer;
  std::array<engine::EffectSummary, effect_runs> summary;

  bool empty() const { return token.empty(); }
};
// `shown`: the token that layer_distance is of, cut to those there are.
EffectSeries make_effect_series(const EffectReport& report, int layer, std::int64_t shown);

// One line of the summary beside the figures: a name and a value for each run.
struct EffectLine {
  std::string name, tip;
  std::array<std::string, effect_runs> values;
};
std::vector<EffectLine> effect_lines(const EffectSeries& series, const EffectReport* accuracy, bool in_force = false);

// The probabilities of the shown token's best answers under each run.
struct EffectAnswer {
  std::string text;
  std::array<double, effect_runs> p;
  std::array<bool, effect_runs> best;
};
std::vector<EffectAnswer> effect_answers(const EffectReport& report, const engine::Model& model, std::int64_t shown);

Table effect_table(const EffectReport& report);

}  // namespace app
