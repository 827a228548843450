#include "engine/effect/lambda_effect.h"

#include "engine/analysis/rotation.h"
#include "engine/analysis/statistics.h"
#include "engine/intervention/intervention.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

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

// Of all heads of a layer, in the frame that the queries read: what differs there reaches the output.
double distance(const ModelConfig& config, const LayerState& other, const LayerState& own) {
  double apart = 0, size = 0;
  for (int head = 0; head < config.heads(); ++head) {
    const std::vector<Complex> a = complex_state(config, other, head, StateFrame::unrotated);
    const std::vector<Complex> b = complex_state(config, own, head, StateFrame::unrotated);
    for (std::size_t i = 0; i < a.size(); ++i) {
      apart += std::norm(a[i] - b[i]);
      size += std::norm(b[i]);
    }
  }
  return size > 0 ? std::sqrt(apart / size) : apart > 0 ? INFINITY : 0;
}

// Steps and looks; what it needs is allocated once.
class Runner {
 public:
  Runner(Backend& backend, const Model& model, std::size_t sequences, int best)
      : backend_(backend),
        model_(model),
        best_(best),
        layers_(static_cast<std::size_t>(model.config().n_layer)),
        logits_(static_cast<std::size_t>(model.config().padded_vocab())),
        states_(sequences),
        ids_(sequences),
        distributions_(sequences) {
    std::iota(layers_.begin(), layers_.end(), 0);
  }

  Result<EffectToken> step(std::int32_t id, std::int32_t next) {
    std::fill(ids_.begin(), ids_.end(), id);
    if (auto done = backend_.step(ids_, nullptr); !done) return tl::unexpected(done.error());
    EffectToken token;
    token.id = id;
    token.sequences.resize(ids_.size());
    for (std::size_t s = 0; s < ids_.size(); ++s) {
      if (auto done = look(s, next, token); !done) return tl::unexpected(done.error());
    }
    // Each sequence's own best were gathered: told in the order of the first, the same ids for all.
    const std::vector<double>& own = distributions_[0].p;
    std::sort(token.ids.begin(), token.ids.end(), [&](std::int32_t a, std::int32_t b) {
      const double pa = own[static_cast<std::size_t>(a)], pb = own[static_cast<std::size_t>(b)];
      return pa != pb ? pa > pb : a < b;
    });
    token.ids.erase(std::unique(token.ids.begin(), token.ids.end()), token.ids.end());
    for (std::size_t s = 0; s < ids_.size(); ++s) {
      for (const std::int32_t i : token.ids)
        token.sequences[s].p.push_back(distributions_[s].p[static_cast<std::size_t>(i)]);
    }
    return token;
  }

 private:
  // The classes of a model that labels positions, else the vocabulary without padding.
  std::span<const float> candidates() const {
    const auto vocab = static_cast<std::size_t>(model_.config().vocab_size);
    const std::size_t classes = model_.card.labels_positions() ? model_.card.labels.size() : 0;
    return std::span(logits_).first(classes > 0 ? std::min(classes, vocab) : vocab);
  }

  Result<void> look(std::size_t s, std::int32_t next, EffectToken& token) {
    const int sequence = static_cast<int>(s);
    if (auto done = backend_.read_logits(sequence, logits_); !done) return done;
    if (!all_finite(candidates()))
      return input_error(fmt::format("The logits of {} are not finite, so there are no probabilities to compare.",
                                     s == 0 ? model_.name : model_.name + " with a fixed lambda"));
    if (auto done = backend_.read_state(sequence, layers_, true, states_[s]); !done) return done;
    distributions_[s] = softmax(candidates());
    EffectOnToken& out = token.sequences[s];
    out.entropy_bits = entropy_bits(distributions_[s]);
    out.kl_bits = s == 0 ? 0 : kl_bits(distributions_[0], distributions_[s]);
    const std::vector<std::int32_t> top = top_ids(candidates(), best_);
    out.predicted = top.front();
    token.ids.insert(token.ids.end(), top.begin(), top.end());
    // An id outside the vocabulary is the next step's error.
    const std::vector<double>& log_p = distributions_[s].log_p;
    if (next >= 0 && static_cast<std::size_t>(next) < log_p.size() && !model_.card.labels_positions())
      out.next_bits = -log_p[static_cast<std::size_t>(next)] / std::log(2.0);
    for (const int layer : layers_) {
      const auto l = static_cast<std::size_t>(layer);
      out.distance.push_back(s == 0 ? 0 : distance(model_.config(), states_[s].layers[l], states_[0].layers[l]));
    }
    return {};
  }

  Backend& backend_;
  const Model& model_;
  int best_;
  std::vector<int> layers_;
  std::vector<float> logits_;
  std::vector<SequenceState> states_;
  std::vector<std::int32_t> ids_;
  std::vector<Distribution> distributions_;
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
  Runner runner(backend, model, sequences, best);
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

EffectSummary summarise(std::span<const EffectToken> tokens, std::size_t sequence) {
  EffectSummary sum;
  double bits = 0;
  std::int64_t followed = 0;
  std::vector<std::int64_t> comparable;  // tokens by layer: a distance from a state that is zero is infinite
  for (const EffectToken& token : tokens) {
    const EffectOnToken& on = token.sequences[sequence];
    ++sum.tokens;
    sum.same_prediction += on.predicted == token.sequences[0].predicted ? 1 : 0;
    sum.mean_kl_bits += on.kl_bits;
    sum.largest_kl_bits = std::max(sum.largest_kl_bits, on.kl_bits);
    if (on.next_bits >= 0) {
      bits += on.next_bits;
      ++followed;
    }
    sum.mean_distance.resize(on.distance.size());
    comparable.resize(on.distance.size());
    for (std::size_t l = 0; l < on.distance.size(); ++l) {
      if (!std::isfinite(on.distance[l])) continue;
      sum.mean_distance[l] += on.distance[l];
      ++comparable[l];
    }
  }
  if (sum.tokens == 0) return sum;
  sum.mean_kl_bits /= static_cast<double>(sum.tokens);
  for (std::size_t l = 0; l < comparable.size(); ++l) sum.mean_distance[l] /= static_cast<double>(comparable[l]);
  if (followed > 0) sum.bits_per_token = bits / static_cast<double>(followed);
  return sum;
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
