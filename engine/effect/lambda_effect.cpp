#include "engine/effect/lambda_effect.h"

#include "engine/intervention/intervention.h"

#include <fmt/format.h>

namespace engine {

namespace {

// Takes every sequence's changes away, whatever happens in between.
class FixedLambdas {
 public:
  FixedLambdas(Backend& backend, const ModelConfig& config) : backend_(backend), config_(config) {}
  FixedLambdas(const FixedLambdas&) = delete;
  FixedLambdas& operator=(const FixedLambdas&) = delete;
  ~FixedLambdas() {
    for (int s = 0; s < fixed_; ++s) static_cast<void>(backend_.intervene(s, {}));
  }
  // -1: the model's own.
  Result<void> fix_next(double lambda) {
    SequenceChanges changes;
    if (lambda != -1) {
      Intervention fixed;
      fixed.quantity = Quantity::lambda;
      fixed.operation = Operation::set;
      fixed.value = lambda;
      if (auto ok = check(fixed, config_); !ok) return ok;
      changes = changes_at({&fixed, 1}, config_, 0);
    }
    if (auto done = backend_.intervene(fixed_, changes); !done) return done;
    ++fixed_;
    return {};
  }

 private:
  Backend& backend_;
  const ModelConfig& config_;
  int fixed_ = 0;
};

}  // namespace

Result<std::vector<EffectToken>> lambda_effect(Backend& backend, const Model& model, std::span<const std::int32_t> ids,
                                               std::span<const double> lambdas, int best,
                                               const EffectProgress& progress) {
  const std::size_t sequences = 1 + lambdas.size();
  if (backend.plan().batch != static_cast<int>(sequences))
    return input_error(fmt::format("The effect of {} lambdas needs a batch of {}, and was given one of {}.",
                                   lambdas.size(), sequences, backend.plan().batch));
  FixedLambdas fixed(backend, model.config());
  if (auto done = fixed.fix_next(-1); !done) return tl::unexpected(done.error());
  for (const double lambda : lambdas) {
    if (auto done = fixed.fix_next(lambda); !done) return tl::unexpected(done.error());
  }
  if (auto done = backend.reset(); !done) return tl::unexpected(done.error());
  SideBySide runner(backend, model, {best});
  std::vector<EffectToken> tokens;
  tokens.reserve(ids.size());
  for (std::size_t t = 0; t < ids.size(); ++t) {
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
  FixedLambdas fixed(backend, config);
  for (int s = 0; s < backend.plan().batch; ++s) {
    if (auto done = fixed.fix_next(lambda); !done) return tl::unexpected(done.error());
  }
  return evaluate(backend, config, task, options, progress);
}

}  // namespace engine
