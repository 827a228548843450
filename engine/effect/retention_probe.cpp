#include "engine/effect/retention_probe.h"

#include "engine/analysis/head_input.h"
#include "engine/analysis/retention.h"
#include "engine/intervention/sequence_interventions.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

namespace engine {

namespace {

// u of one head in the stored frame, (P, N): sum over ranks of value times rotated key.
std::vector<double> input_of(const ModelConfig& config, const LayerWeights& weights, int head,
                             const LayerState& layer) {
  HeadInput parts;
  parts.read(config, weights, head, layer);
  const auto rows = static_cast<std::size_t>(config.headdim), columns = static_cast<std::size_t>(config.d_state);
  const std::size_t pairs = columns / 2;
  std::vector<double> u(rows * columns);
  for (std::size_t r = 0; r < static_cast<std::size_t>(config.rank()); ++r) {
    for (std::size_t p = 0; p < rows; ++p) {
      const double v = parts.v[r * rows + p];
      for (std::size_t i = 0; i < pairs; ++i) {
        const int pair = static_cast<int>(i);
        u[p * columns + static_cast<std::size_t>(config.pair_first(pair))] += v * parts.re[r * pairs + i];
        u[p * columns + static_cast<std::size_t>(config.pair_second(pair))] += v * parts.im[r * pairs + i];
      }
    }
  }
  return u;
}

double norm_of(std::span<const double> values) {
  return std::sqrt(std::inner_product(values.begin(), values.end(), values.begin(), 0.0));
}

class Prober {
 public:
  Prober(Backend& backend, const Model& model, int layer, std::int64_t token)
      : backend_(backend), model_(model), config_(model.config()), layer_(layer) {
    found_.layer = layer;
    found_.token = token;
    found_.heads.resize(static_cast<std::size_t>(config_.heads()));
    steps_.resize(found_.heads.size());
  }

  // After the probed token: the second sequence forgets it.
  Result<void> forget() {
    std::vector<int> layers(static_cast<std::size_t>(config_.n_layer));
    std::iota(layers.begin(), layers.end(), 0);
    SequenceState state;
    if (auto read = backend_.read_state(0, layers, true, state); !read) return read;
    if (auto read = backend_.read_coefficients(0, coefficients_); !read) return read;
    const auto at = static_cast<std::size_t>(layer_);
    LayerState& own = state.layers[at];
    const std::size_t cells = static_cast<std::size_t>(config_.headdim) * static_cast<std::size_t>(config_.d_state);
    for (int h = 0; h < config_.heads(); ++h) {
      const auto head = static_cast<std::size_t>(h);
      const std::vector<double> u = input_of(config_, model_.weights.layers[at], h, own);
      found_.heads[head].written = norm_of(u);
      const double gamma = static_cast<double>(coefficients_.gamma[at * found_.heads.size() + head]);
      for (std::size_t i = 0; i < cells; ++i) {
        float& cell = own.ssm[head * cells + i];
        cell = static_cast<float>(static_cast<double>(cell) - gamma * u[i]);
      }
    }
    std::fill(own.k.begin(), own.k.end(), 0.0F);
    std::fill(own.v.begin(), own.v.end(), 0.0F);
    return backend_.restore(1, state);
  }

  // After the probed token and each later one.
  Result<void> compare() {
    const int layers[] = {layer_};
    if (auto read = backend_.read_state(0, layers, true, with_); !read) return read;
    if (auto read = backend_.read_state(1, layers, true, without_); !read) return read;
    if (auto read = backend_.read_coefficients(0, coefficients_); !read) return read;
    const auto at = static_cast<std::size_t>(layer_);
    const std::vector<float>&a = with_.layers[at].ssm, &b = without_.layers[at].ssm;
    const std::size_t cells = a.size() / found_.heads.size();
    for (std::size_t head = 0; head < found_.heads.size(); ++head) {
      double apart = 0, size = 0;
      for (std::size_t i = head * cells; i < (head + 1) * cells; ++i) {
        const double whole = static_cast<double>(a[i]), difference = whole - static_cast<double>(b[i]);
        apart += difference * difference;
        size += whole * whole;
      }
      found_.heads[head].measured.push_back(std::sqrt(apart));
      found_.heads[head].state.push_back(std::sqrt(size));
      const std::size_t of = at * found_.heads.size() + head;
      steps_[head].push_back({static_cast<double>(coefficients_.alpha[of]), static_cast<double>(coefficients_.beta[of]),
                              static_cast<double>(coefficients_.gamma[of])});
    }
    return {};
  }

  RetentionProbe result() {
    for (std::size_t head = 0; head < found_.heads.size(); ++head) {
      for (const double weight : contribution_weights(steps_[head]))
        found_.heads[head].analytic.push_back(std::abs(weight) * found_.heads[head].written);
    }
    return std::move(found_);
  }

 private:
  Backend& backend_;
  const Model& model_;
  const ModelConfig& config_;
  int layer_;
  RetentionProbe found_;
  std::vector<std::vector<HeadStep>> steps_;  // by head
  StepCoefficients coefficients_;
  SequenceState with_, without_;
};

}  // namespace

Result<RetentionProbe> probe_retention(Backend& backend, const Model& model, std::span<const std::int32_t> ids,
                                       int layer, std::int64_t token, const std::function<bool(double)>& progress,
                                       const std::vector<Intervention>& interventions) {
  if (backend.plan().batch != 2)
    return input_error(fmt::format("The probe needs a batch of 2, and was given one of {}.", backend.plan().batch));
  if (layer < 0 || layer >= model.config().n_layer)
    return input_error(fmt::format("Layer {} is outside the model's {} layers.", layer, model.config().n_layer));
  if (token < 0 || token >= static_cast<std::int64_t>(ids.size()))
    return input_error(fmt::format("Token {} is outside the {} tokens.", token, ids.size()));
  if (auto done = backend.reset(); !done) return tl::unexpected(done.error());
  Prober prober(backend, model, layer, token);
  SequenceInterventions changed(backend, model.config(), {interventions, interventions});
  for (std::size_t t = 0; t < ids.size(); ++t) {
    const std::int32_t both[] = {ids[t], ids[t]};
    if (auto done = changed.follow(); !done) return tl::unexpected(done.error());
    if (auto done = backend.step(both, nullptr); !done) return tl::unexpected(done.error());
    const auto now = static_cast<std::int64_t>(t);
    if (now == token) {
      if (auto done = prober.forget(); !done) return tl::unexpected(done.error());
    }
    if (now >= token) {
      if (auto done = prober.compare(); !done) return tl::unexpected(done.error());
    }
    if (progress && !progress(static_cast<double>(t + 1) / static_cast<double>(ids.size()))) break;
  }
  return prober.result();
}

}  // namespace engine
