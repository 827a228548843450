// Interventions that are asked for often, by name. Pure.
#pragma once

#include "engine/backend/state.h"
#include "engine/intervention/intervention.h"

#include <string>
#include <vector>

namespace engine {

struct InterventionPreset {
  std::string key;   // "zero-rotation": for a command line
  std::string name;  // "Zero rotation": for a button
  std::string what;  // one sentence
  std::vector<Intervention> list;
};

// Those that fit the model: without rotated pairs none of the rotation. To freeze dt is to set each head's to its mean:
// `mean_dt` (L, H), or empty where no token was read, and then it is missing.
std::vector<InterventionPreset> intervention_presets(const ModelConfig& config, const std::vector<double>& mean_dt);

// The mean dt of every layer and head over some tokens. Coefficients are (L, H) each; those without are skipped.
class MeanDt {
 public:
  void add(const StepCoefficients& coefficients);
  std::vector<double> mean() const;  // empty before the first

 private:
  std::vector<double> sum_;
  double count_ = 0;
};

}  // namespace engine
