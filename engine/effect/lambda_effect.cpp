#include "engine/effect/lambda_effect.h"

#include "engine/intervention/sequence_interventions.h"

#include <fmt/format.h>

#include <utility>

namespace engine {

namespace {

// On top of the others; -1: the model's own.
Result<std::vector<Intervention>> with_lambda(std::vector<Intervention> list, double lambda,
                                              const ModelConfig& config) {
  if (lambda != -1) {
    Intervention fixed;
    fixed.quantity = Quantity::lambda;
    fixed.operation = Operation::set;
    fixed.value = lambda;
    list.push_back(fixed);
  }
  for (const Intervention& intervention : list) {
    if (auto ok = check(intervention, config); !ok) return tl::unexpected(ok.error());
  }
  return list;
}

}  // namespace

Result<std::vector<EffectToken>> lambda_effect(Backend& backend, const Model& model, std::span<const std::int32_t> ids,
                                               std::span<const double> lambdas, int best,
                                               const EffectProgress& progress, const std::vector<Intervention>& base) {
  const std::size_t sequences = 1 + lambdas.size();
  if (backend.plan().batch != static_cast<int>(sequences))
    return input_error(fmt::format("The effect of {} lambdas needs a batch of {}, and was given one of {}.",
                                   lambdas.size(), sequences, backend.plan().batch));
  std::vector<std::vector<Intervention>> lists = {base};
  for (const double lambda : lambdas) {
    auto list = with_lambda(base, lambda, model.config());
    if (!list) return tl::unexpected(list.error());
    lists.push_back(std::move(*list));
  }
  SequenceInterventions fixed(backend, model.config(), std::move(lists));
  if (auto done = backend.reset(); !done) return tl::unexpected(done.error());
  SideBySide runner(backend, model, {best});
  std::vector<EffectToken> tokens;
  tokens.reserve(ids.size());
  for (std::size_t t = 0; t < ids.size(); ++t) {
    if (auto done = fixed.follow(); !done) return tl::unexpected(done.error());
    auto token = runner.step(ids[t], t + 1 < ids.size() ? ids[t + 1] : -1);
    if (!token) return tl::unexpected(token.error());
    tokens.push_back(std::move(*token));
    if (progress && !progress(static_cast<double>(t + 1) / static_cast<double>(ids.size()))) break;
  }
  return tokens;
}

Result<Evaluation> evaluate_with_lambda(Backend& backend, const ModelConfig& config, const Task& task, double lambda,
                                        const EvaluateOptions& options,
                                        const std::function<bool(const EvaluationProgress&)>& progress) {
  auto list = with_lambda(options.interventions, lambda, config);
  if (!list) return tl::unexpected(list.error());
  EvaluateOptions with = options;
  with.interventions = std::move(*list);
  return evaluate(backend, config, task, with, progress);
}

}  // namespace engine
