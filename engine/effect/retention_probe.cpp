#include "engine/effect/retention_probe.h"

#include "engine/analysis/head_input.h"
#include "engine/intervention/changes.h"
#include "engine/intervention/sequence_interventions.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <numeric>
#include <utility>

namespace engine {

namespace {

// What the probed layer's step is changed by beyond its coefficients: what ranks write, and cells of the state.
struct Writing {
  std::vector<kernels::RankChange> ranks;  // (H, R), or empty
  std::vector<kernels::CellChange> cells;  // of the layer
};

// u of one head in the stored frame, (P, N): sum over ranks of what is written of the value, times rotated key.
std::vector<double> input_of(const ModelConfig& config, const LayerWeights& weights, int head, const LayerState& layer,
                             const Writing& writing) {
  HeadInput parts;
  parts.read(config, weights, head, layer);
  const auto rows = static_cast<std::size_t>(config.headdim), columns = static_cast<std::size_t>(config.d_state);
  const std::size_t pairs = columns / 2;
  std::vector<double> u(rows * columns);
  for (std::size_t r = 0; r < static_cast<std::size_t>(config.rank()); ++r) {
    for (std::size_t p = 0; p < rows; ++p) {
      const double own = parts.v[r * rows + p];
      const double v =
          writing.ranks.empty()
              ? own
              : kernels::changed(writing.ranks[static_cast<std::size_t>(head * config.rank()) + r].write, own);
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
    left_.resize(found_.heads.size());
  }

  // Before the step of each token: what it is changed by. `list`: those of the interventions that are in range then.
  void writes(const std::vector<Intervention>& list, std::int64_t position) {
    std::vector<Intervention> own;
    std::copy_if(list.begin(), list.end(), std::back_inserter(own), [&](const Intervention& by) {
      return (by.quantity == Quantity::rank_write || by.quantity == Quantity::state) && by.layers.contains(layer_) &&
             by.tokens.contains(position);
    });
    if (own == active_) return;
    SequenceChanges changes = changes_at(own, config_, position);
    writing_ = {};
    const std::size_t of_layer = found_.heads.size() * static_cast<std::size_t>(config_.rank());
    if (!changes.ranks.empty()) {
      const auto first = changes.ranks.begin() + static_cast<std::ptrdiff_t>(of_layer) * layer_;
      writing_.ranks.assign(first, first + static_cast<std::ptrdiff_t>(of_layer));
    }
    for (const kernels::CellChange& cell : changes.cells)
      if (cell.layer == layer_) writing_.cells.push_back(cell);
    active_ = std::move(own);
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
      std::vector<double> u = input_of(config_, model_.weights.layers[at], h, own, writing_);
      found_.heads[head].written = norm_of(u);
      const double gamma = static_cast<double>(coefficients_.gamma[at * found_.heads.size() + head]);
      for (std::size_t i = 0; i < cells; ++i) {
        float& cell = own.ssm[head * cells + i];
        cell = static_cast<float>(static_cast<double>(cell) - gamma * u[i]);
        u[i] *= gamma;
      }
      left_[head] = std::move(u);
    }
    caches_ = own;
    caches_.ssm.clear();
    std::fill(own.k.begin(), own.k.end(), 0.0F);
    std::fill(own.v.begin(), own.v.end(), 0.0F);
    return backend_.restore(1, state);
  }

  // After the probed token and each later one.
  Result<void> compare() {
    const int layers[] = {layer_};
    if (auto read = backend_.read_state(0, layers, true, with_); !read) return read;
    if (auto read = backend_.read_state(1, layers, true, without_); !read) return read;
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
      found_.heads[head].analytic.push_back(norm_of(left_[head]));
    }
    return {};
  }

  // What the step behind the probed token or a later one leaves of the contribution: cells are changed first, then the state
  // decays, and the trapezoid writes the token a second time, by what its ranks write now.
  Result<void> advance(bool second_time) {
    if (auto read = backend_.read_coefficients(0, coefficients_); !read) return read;
    const auto at = static_cast<std::size_t>(layer_);
    const auto columns = static_cast<std::size_t>(config_.d_state);
    for (const kernels::CellChange& cell : writing_.cells) {
      double& left = left_[static_cast<std::size_t>(cell.head)]
                          [static_cast<std::size_t>(cell.row) * columns + static_cast<std::size_t>(cell.channel)];
      left *= static_cast<double>(cell.value.scale);
    }
    for (std::size_t head = 0; head < left_.size(); ++head) {
      const std::size_t of = at * left_.size() + head;
      const double alpha = static_cast<double>(coefficients_.alpha[of]),
                   beta = static_cast<double>(coefficients_.beta[of]);
      for (double& left : left_[head]) left *= alpha;
      if (!second_time || beta == 0) continue;
      const std::vector<double> u =
          input_of(config_, model_.weights.layers[at], static_cast<int>(head), caches_, writing_);
      for (std::size_t i = 0; i < u.size(); ++i) left_[head][i] += beta * u[i];
    }
    return {};
  }

  RetentionProbe result() { return std::move(found_); }

 private:
  Backend& backend_;
  const Model& model_;
  const ModelConfig& config_;
  int layer_;
  RetentionProbe found_;
  std::vector<Intervention> active_;  // those that `writing_` was made from
  Writing writing_;
  std::vector<std::vector<double>> left_;  // by head: what is left of the contribution, (P, N)
  LayerState caches_;                      // of the layer after the probed token, without the matrix state
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
    const auto now = static_cast<std::int64_t>(t);
    if (now >= token) prober.writes(interventions, now);
    if (auto done = backend.step(both, nullptr); !done) return tl::unexpected(done.error());
    if (now > token) {
      if (auto done = prober.advance(now == token + 1); !done) return tl::unexpected(done.error());
    }
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
