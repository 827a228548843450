#include "engine/backend/host_backend.h"

#include "engine/sampling/sampler.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <type_traits>
#include <utility>

namespace engine {
namespace {

// The part of a batched array that belongs to one sequence.
template <class U>
std::span<U> of_sequence(std::vector<U>& values, int sequence, int batch) {
  const std::size_t count = values.size() / static_cast<std::size_t>(batch);
  return {values.data() + static_cast<std::size_t>(sequence) * count, count};
}

template <class From, class To>
void copy_to(std::span<From> from, std::vector<To>& to) {
  to.resize(from.size());
  std::transform(from.begin(), from.end(), to.begin(), [](From value) { return static_cast<To>(value); });
}

template <class From, class To>
void append_to(std::span<From> from, std::vector<To>& to) {
  for (const From value : from) to.push_back(static_cast<To>(value));
}

}  // namespace

template <class T>
HostBackend<T>::HostBackend(const Weights& weights, int batch, bool errors)
    : plan_(make_staged_plan(weights, batch, errors)),
      buffers_(weights.config, batch),
      arguments_(weights, buffers_, batch),
      config_(weights.config),
      changes_(weights.config, batch),
      files_(weights.files) {
  info_.errors = errors;
  if (errors) buffers_.keep_errors();
  const auto small = [](std::initializer_list<const std::vector<float>*> tensors) {
    std::size_t bytes = 0;
    for (const auto* tensor : tensors) bytes += 4 * tensor->size();
    return bytes;
  };
  info_.weight_bytes = weights.embedding.bytes() + small({&weights.norm_f});
  if (weights.head.data != weights.embedding.data) info_.weight_bytes += weights.head.bytes();
  for (const LayerWeights& w : weights.layers) {
    info_.weight_bytes += w.in_proj.bytes() + w.out_proj.bytes() + w.fc1.bytes() + w.fc2.bytes();
    info_.weight_bytes += small({&w.norm, &w.dt_bias, &w.b_norm, &w.c_norm, &w.b_bias, &w.c_bias, &w.d, &w.mimo_x,
                                 &w.mimo_z, &w.mimo_o, &w.outproj_norm, &w.norm2});
  }
  for (const auto& layer : buffers_.layers) {
    const std::size_t values = layer.angle.size() + layer.h.size() + layer.k_prev.size() + layer.x_prev.size();
    info_.state_bytes += (sizeof(T) * values + 4 * layer.turns.size()) / static_cast<std::size_t>(batch);
  }
}

template <class T>
Result<void> HostBackend<T>::reset() {
  for (auto& layer : buffers_.layers) {
    for (auto* state : {&layer.angle, &layer.h, &layer.k_prev, &layer.x_prev, &layer.dt, &layer.a, &layer.lambda,
                        &layer.alpha, &layer.beta, &layer.gamma, &layer.turn, &layer.state_norm, &layer.state_change,
                        &layer.k_before, &layer.x_before, &layer.errors}) {
      std::fill(state->begin(), state->end(), T(0));
    }
    std::fill(layer.turns.begin(), layer.turns.end(), 0);
  }
  std::fill(buffers_.logits.begin(), buffers_.logits.end(), T(0));
  position_ = 0;
  return {};
}

template <class T>
Result<void> HostBackend<T>::step(std::span<const std::int32_t> ids, Observer* observer) {
  if (ids.size() != buffers_.ids.size()) {
    return input_error(fmt::format("A step takes one token for each of the {} sequences, and was given {}.",
                                   buffers_.ids.size(), ids.size()));
  }
  if (auto ok = check_vocabulary(ids); !ok) return ok;
  std::copy(ids.begin(), ids.end(), buffers_.ids.begin());
  changes_.change_cells<T>(buffers_.layers);
  if (observer != nullptr) observer->step_begin(position_);
  for (const Stage& stage : plan_.stages) {
    if (observer != nullptr) observer->before(stage);
    run(stage);
    if (observer != nullptr) observer->after(stage);
  }
  if (auto whole = check_whole(files_); !whole) return whole;
  if (observer != nullptr) observer->step_queued();
  if (observer != nullptr) observer->step_end(position_);
  ++position_;
  if (!request_.receive) return {};
  SequenceState state;
  published_.position = position_;
  published_.logits.resize(static_cast<std::size_t>(config_.padded_vocab()));
  return read_logits(request_.sequence, published_.logits)
      .and_then([&] { return read_coefficients(request_.sequence, published_.coefficients); })
      .and_then([&] {
        return read_state(request_.sequence, {&request_.layer, 1}, true, state);
      })
      .map([&] {
        std::swap(published_.layer, state.layers[static_cast<std::size_t>(request_.layer)]);
        request_.receive(published_);
      });
}

template <class T>
Result<void> HostBackend<T>::generate(const Sampler& sampler, std::span<std::int32_t> ids) {
  const auto batch = static_cast<std::size_t>(plan_.batch);
  if (auto ok = check_generated(ids.size()); !ok) return ok;
  std::vector<float> logits(static_cast<std::size_t>(config_.padded_vocab()));
  const std::span<const float> choices(logits.data(), static_cast<std::size_t>(config_.vocab_size));
  for (; !ids.empty(); ids = ids.subspan(batch)) {
    Sampler own = sampler;
    for (std::size_t b = 0; b < batch; ++b, ++own.seed) {
      if (auto read = read_logits(static_cast<int>(b), logits); !read) return read;
      ids[b] = sample(choices, own, static_cast<std::uint64_t>(position_));
    }
    if (auto stepped = step(ids.first(batch), nullptr); !stepped) return stepped;
  }
  return {};
}

template <class T>
Result<void> HostBackend<T>::prefill(std::span<const std::int32_t> ids, PrefillProgress* progress) {
  constexpr std::size_t most = 256, few = 2;  // tokens of a piece; of a text that is stepped
  const auto batch = static_cast<std::size_t>(plan_.batch);
  if (auto ok = check_generated(ids.size()); !ok) return ok;
  if (auto ok = check_vocabulary(ids); !ok) return ok;
  if (!info_.chunked_prefill || changes_.any() || ids.size() <= few * batch) return Backend::prefill(ids, progress);
  auto done = prefill_pieces(ids, most, progress, position_,
                             [&](int sequence, std::span<const std::int32_t> own) -> Result<void> {
                               run_piece(sequence, own);
                               return {};
                             });
  if (!done) return done;
  for (auto& layer : buffers_.layers) {
    if (!info_.errors) break;
    layer.k_before = layer.k_prev;  // what the errors of the next step need of the token before it
    layer.x_before = layer.x_prev;
  }
  done = step(ids.last(batch), nullptr);
  if (done && progress != nullptr) ++progress->tokens;
  return done;
}

template <class T>
Result<void> HostBackend<T>::check_vocabulary(std::span<const std::int32_t> ids) const {
  for (const std::int32_t id : ids) {
    if (id >= 0 && id < config_.vocab_size) continue;
    return input_error(fmt::format("Token id {} is outside [0, {}), the model's vocabulary.", id, config_.vocab_size));
  }
  return {};
}

template <class T>
Result<void> HostBackend<T>::publish(PublishRequest request) {
  if (request.receive) {
    if (auto ok = check_sequence(request.sequence); !ok) return ok;
    if (auto ok = check_layer(request.layer); !ok) return ok;
  }
  request_ = std::move(request);
  return {};
}

template <class T>
Result<void> HostBackend<T>::check_sequence(int sequence) const {
  if (sequence >= 0 && sequence < plan_.batch) return {};
  return input_error(fmt::format("Sequence {} is outside the batch of {}.", sequence, plan_.batch));
}

template <class T>
Result<void> HostBackend<T>::time_stages(std::span<const StageKind> kinds, int rounds, std::span<double> milliseconds) {
  const auto chosen = [&](const Stage& stage) {
    return std::find(kinds.begin(), kinds.end(), stage.kind) != kinds.end();
  };
  for (double& taken : milliseconds) {
    const auto start = std::chrono::steady_clock::now();
    for (int round = 0; round < rounds; ++round) {
      for (const Stage& stage : plan_.stages) {
        if (chosen(stage)) run(stage);
      }
    }
    taken = std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
  }
  return {};
}

template <class T>
Result<void> HostBackend<T>::check_layer(int layer) const {
  if (layer >= 0 && layer < config_.n_layer) return {};
  return input_error(fmt::format("Layer {} is outside the model's {} layers.", layer, config_.n_layer));
}

template <class T>
Result<void> HostBackend<T>::read_logits(int sequence, std::span<float> logits) {
  if (auto ok = check_sequence(sequence); !ok) return ok;
  const auto from = of_sequence(buffers_.logits, sequence, plan_.batch);
  if (logits.size() != from.size()) {
    return input_error(fmt::format("Logits need room for {} values, and have {}.", from.size(), logits.size()));
  }
  std::transform(from.begin(), from.end(), logits.begin(), [](T value) { return static_cast<float>(value); });
  return {};
}

template <class T>
Result<void> HostBackend<T>::read_coefficients(int sequence, StepCoefficients& out) {
  if (auto ok = check_sequence(sequence); !ok) return ok;
  using Layer = typename HostBuffers<T>::Layer;
  const struct {
    std::vector<T> Layer::*from;
    std::vector<float> StepCoefficients::*to;
  } parts[] = {{&Layer::dt, &StepCoefficients::dt},
               {&Layer::a, &StepCoefficients::a},
               {&Layer::lambda, &StepCoefficients::lambda},
               {&Layer::alpha, &StepCoefficients::alpha},
               {&Layer::beta, &StepCoefficients::beta},
               {&Layer::gamma, &StepCoefficients::gamma},
               {&Layer::turn, &StepCoefficients::turn},
               {&Layer::state_norm, &StepCoefficients::state_norm},
               {&Layer::state_change, &StepCoefficients::state_change}};
  for (const auto& part : parts) {
    (out.*part.to).clear();
    for (Layer& layer : buffers_.layers) append_to(of_sequence(layer.*part.from, sequence, plan_.batch), out.*part.to);
  }
  return {};
}

template <class T>
Result<void> HostBackend<T>::read_errors(int sequence, StepErrors& out) {
  if (!info_.errors) return Backend::read_errors(sequence, out);
  if (auto ok = check_sequence(sequence); !ok) return ok;
  out.stored.clear();
  out.unrotated.clear();
  for (auto& layer : buffers_.layers) {
    const std::span<T> found = of_sequence(layer.errors, sequence, plan_.batch);
    const auto rules = [&](std::size_t first) {
      return RuleErrors{static_cast<float>(found[first]), static_cast<float>(found[first + 1]),
                        static_cast<float>(found[first + 2])};
    };
    for (std::size_t at = 0; at < found.size(); at += kernels::errors_per_head) {
      out.stored.push_back(rules(at));
      out.unrotated.push_back(rules(at + 3));
    }
  }
  return {};
}

template <class T>
Result<void> HostBackend<T>::read_state(int sequence, std::span<const int> layers, bool with_ssm, SequenceState& out) {
  if (auto ok = check_sequence(sequence); !ok) return ok;
  out.position = position_;
  out.layers.resize(buffers_.layers.size());
  for (const int l : layers) {
    if (auto ok = check_layer(l); !ok) return ok;
    auto& from = buffers_.layers[static_cast<std::size_t>(l)];
    LayerState& to = out.layers[static_cast<std::size_t>(l)];
    copy_to(of_sequence(from.angle, sequence, plan_.batch), to.angle);
    if constexpr (std::is_same_v<T, double>) {  // just below 2 pi rounds up to it: keep [0, 2 pi)
      for (float& angle : to.angle) angle = std::min(angle, 6.2831850F);
    }
    copy_to(of_sequence(from.turns, sequence, plan_.batch), to.turns);
    copy_to(of_sequence(from.k_prev, sequence, plan_.batch), to.k);
    copy_to(of_sequence(from.x_prev, sequence, plan_.batch), to.v);
    if (with_ssm) {
      copy_to(of_sequence(from.h, sequence, plan_.batch), to.ssm);
    } else {
      to.ssm.clear();
    }
  }
  return {};
}

template <class T>
Result<void> HostBackend<T>::read_state_tiles(int sequence, StateTiles& out) {
  if (auto ok = check_sequence(sequence); !ok) return ok;
  if (auto ok = check_tiles(out.rows, out.columns, config_); !ok) return ok;
  out.position = position_;
  kernels::StateTilesArgs<T> args;
  args.heads = config_.heads();
  args.headdim = config_.headdim;
  args.d_state = config_.d_state;
  args.rows = out.rows;
  args.columns = out.columns;
  const std::size_t layer_tiles =
      static_cast<std::size_t>(args.heads) * static_cast<std::size_t>(out.rows) * static_cast<std::size_t>(out.columns);
  std::vector<kernels::StateTile> tiles(buffers_.layers.size() * layer_tiles);
  kernels::StateTilesSummary summary;
  args.tiles = tiles.data();
  args.summary = &summary;
  for (auto& layer : buffers_.layers) {
    args.h = of_sequence(layer.h, sequence, plan_.batch).data();
    kernels::state_tiles(args);
    args.tiles += layer_tiles;
  }
  out.hold(std::move(tiles));
  out.summarise(summary);
  return {};
}

template <class T>
Result<void> HostBackend<T>::restore(int sequence, const SequenceState& state) {
  if constexpr (!std::is_same_v<T, float>) {
    return input_error(
        "The reference backend keeps its state in double, which a saved state cannot hold. "
        "Use the cpu backend.");
  } else {
    return put_state(sequence, state);
  }
}

template <class T>
Result<void> HostBackend<T>::read_residual(int sequence, std::span<float> residual) {
  if (auto ok = check_sequence(sequence); !ok) return ok;
  const auto from = of_sequence(buffers_.residual, sequence, plan_.batch);
  if (auto ok = check_residual_size(config_, residual.size()); !ok) return ok;
  std::transform(from.begin(), from.end(), residual.begin(), [](T value) { return static_cast<float>(value); });
  return {};
}

template <class T>
Result<void> HostBackend<T>::write_residual(int sequence, std::span<const float> residual) {
  if (auto ok = check_sequence(sequence); !ok) return ok;
  const auto to = of_sequence(buffers_.residual, sequence, plan_.batch);
  if (auto ok = check_residual_size(config_, residual.size()); !ok) return ok;
  std::copy(residual.begin(), residual.end(), to.begin());
  return {};
}

template <class T>
Result<void> HostBackend<T>::put_state(int sequence, const SequenceState& state) {
  if (auto ok = check_sequence(sequence); !ok) return ok;
  const auto wrong = [&](const char* what) {
    return input_error(fmt::format("The saved state does not fit this model: {}.", what));
  };
  if (state.layers.size() != buffers_.layers.size()) return wrong("its number of layers differs");
  for (std::size_t l = 0; l < state.layers.size(); ++l) {  // all is checked before anything is changed
    const LayerState& from = state.layers[l];
    auto& to = buffers_.layers[l];
    const std::size_t batch = static_cast<std::size_t>(plan_.batch);
    if (from.angle.size() * batch != to.angle.size() || from.turns.size() * batch != to.turns.size() ||
        from.k.size() * batch != to.k_prev.size() || from.v.size() * batch != to.x_prev.size()) {
      return wrong("a cache of a layer has another size");
    }
    if (from.ssm.size() * batch != to.h.size()) return wrong("the matrix state of a layer is missing or differs");
  }
  for (std::size_t l = 0; l < state.layers.size(); ++l) {
    const LayerState& from = state.layers[l];
    auto& to = buffers_.layers[l];
    const auto put = [&](const auto& values, auto& batched) {
      std::copy(values.begin(), values.end(), of_sequence(batched, sequence, plan_.batch).begin());
    };
    put(from.angle, to.angle);
    put(from.turns, to.turns);
    put(from.ssm, to.h);
    put(from.k, to.k_prev);
    put(from.v, to.x_prev);
    if (!info_.errors) continue;
    put(from.k, to.k_before);
    put(from.v, to.x_before);
  }
  position_ = state.position;
  return {};
}

template <class T>
Result<void> HostBackend<T>::intervene(int sequence, const SequenceChanges& changes) {
  if (auto ok = check_sequence(sequence); !ok) return ok;
  if (auto ok = check_sizes(changes, config_); !ok) return ok;
  changes_.set(sequence, changes);
  for (std::size_t l = 0; l < buffers_.layers.size(); ++l) buffers_.layers[l].changes = changes_.layer(l);
  return {};
}

template class HostBackend<float>;
template class HostBackend<double>;

}  // namespace engine
