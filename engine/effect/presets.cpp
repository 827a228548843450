#include "engine/effect/presets.h"

namespace engine {

std::vector<InterventionPreset> intervention_presets(const ModelConfig& config, const std::vector<double>& mean_dt) {
  const auto one = [](Quantity quantity, Operation operation, double value) {
    Intervention intervention;
    intervention.quantity = quantity;
    intervention.operation = operation;
    intervention.value = value;
    return std::vector<Intervention>{intervention};
  };
  std::vector<InterventionPreset> out;
  if (config.angles() > 0) {
    out.push_back({"zero-rotation", "Zero rotation", "No angle advances: the state decays and never turns.",
                   one(Quantity::rotation, Operation::scale, 0)});
    out.push_back(
        {"reverse", "Reverse it", "Every angle advances backwards.", one(Quantity::rotation, Operation::scale, -1)});
    if (config.angles() > 1)
      out.push_back({"shuffle", "Shuffle pairs", "Every pair turns as another one of its head would.",
                     one(Quantity::rotation, Operation::shuffle, 0)});
  }
  out.push_back(
      {"euler", "Euler", "Lambda is 1: the step reads its own token only.", one(Quantity::lambda, Operation::set, 1)});
  out.push_back({"trapezoid", "Classic trapezoid",
                 "Lambda is 1/2: a step reads its own token and the one before alike.",
                 one(Quantity::lambda, Operation::set, 0.5)});
  const auto heads = static_cast<std::size_t>(config.heads());
  if (mean_dt.size() != heads * static_cast<std::size_t>(config.n_layer)) return out;
  InterventionPreset freeze{
      "freeze-dt", "Freeze dt", "Each head's dt is its mean over the tokens, whatever it reads.", {}};
  for (std::size_t at = 0; at < mean_dt.size(); ++at) {
    Intervention set = one(Quantity::dt, Operation::set, mean_dt[at]).front();
    const auto layer = static_cast<std::int64_t>(at / heads), head = static_cast<std::int64_t>(at % heads);
    set.layers = {layer, layer + 1};
    set.heads = {head, head + 1};
    freeze.list.push_back(set);
  }
  out.push_back(std::move(freeze));
  return out;
}

void MeanDt::add(const StepCoefficients& coefficients) {
  if (coefficients.dt.empty() || (!sum_.empty() && sum_.size() != coefficients.dt.size())) return;
  sum_.resize(coefficients.dt.size());
  for (std::size_t i = 0; i < sum_.size(); ++i) sum_[i] += static_cast<double>(coefficients.dt[i]);
  ++count_;
}

std::vector<double> MeanDt::mean() const {
  std::vector<double> out;
  for (const double sum : sum_) out.push_back(sum / count_);
  return out;
}

}  // namespace engine
