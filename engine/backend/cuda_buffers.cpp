#include "engine/backend/cuda_buffers.h"

#include "kernels/bf16.h"

#include <algorithm>
#include <cstring>
#include <functional>
#include <thread>
#include <type_traits>
#include <utility>

namespace engine {

namespace {

constexpr std::size_t per_head_kinds = 8;  // dt, a, lambda, alpha, beta, gamma, state_norm, state_change

std::size_t positive(int value) { return static_cast<std::size_t>(value); }

// The next `count` values of a buffer, moving the cursor on.
std::span<float> take(float*& cursor, std::size_t count) {
  const std::span<float> piece{cursor, count};
  cursor += count;
  return piece;
}

// Does `piece(i)` for all i, by several threads where the pieces of `bytes` bytes are large: what takes the time is memory
// that the system gives page by page.
template <class Piece>
void in_parallel(std::size_t bytes, std::size_t count, const Piece& piece) {
  constexpr std::size_t worth_a_thread = std::size_t{4} << 20U, most_threads = 8;
  const std::size_t threads = std::min({most_threads, count, bytes * count / worth_a_thread,
                                        static_cast<std::size_t>(std::thread::hardware_concurrency())});
  const auto part = [&](std::size_t first) {
    for (std::size_t i = first; i < count; i += std::max<std::size_t>(1, threads)) piece(i);
  };
  std::vector<std::jthread> others;
  for (std::size_t t = 1; t < threads; ++t) others.emplace_back([&part, t] { part(t); });
  part(0);
}

// The `index`-th of equal pieces.
template <class T>
std::span<T> piece(void* data, std::size_t index, std::size_t count) {
  return {static_cast<T*>(data) + index * count, count};
}

}  // namespace

template <class T>
void CudaBuffers::Cache::unpack(const std::byte* stored, std::vector<T>& to) const {
  if (value_bytes == sizeof(T)) {
    const auto* values = reinterpret_cast<const T*>(stored);
    to.assign(values, values + count);
  } else if constexpr (std::is_same_v<T, float>) {
    to.resize(count);
    const auto* narrow = reinterpret_cast<const std::uint16_t*>(stored);
    std::transform(narrow, narrow + count, to.begin(), [](std::uint16_t bits) { return kernels::widen_bf16(bits); });
  }
}

template <class T>
void CudaBuffers::Cache::pack(const std::vector<T>& from, std::byte* stored) const {
  if (value_bytes == sizeof(T)) {
    std::memcpy(stored, from.data(), bytes());
  } else if constexpr (std::is_same_v<T, float>) {
    std::transform(from.begin(), from.end(), reinterpret_cast<std::uint16_t*>(stored),
                   [](float value) { return kernels::round_to_bf16(value); });
  }
}

kernels::DeviceResult<CudaBuffers> CudaBuffers::allocate(const ModelConfig& config, int batch, kernels::DType state) {
  CudaBuffers made;
  const std::size_t b = positive(batch);
  const std::size_t count = positive(config.n_layer);
  const std::size_t heads = positive(config.heads());
  const std::size_t inner = positive(config.d_inner());
  const std::size_t keys = positive(config.rank()) * heads * positive(config.d_state);
  made.batch_ = batch;
  made.state_dtype_ = state;
  made.h_.value_bytes = kernels::size_of(state);
  made.heads_ = heads;
  made.angles_ = positive(config.angles());
  made.layers.resize(count);

  kernels::Layout layout;
  std::vector<std::pair<Cache*, std::size_t>> caches;
  const auto add_cache = [&](Cache& cache, std::size_t size) {
    cache.count = size;
    caches.emplace_back(&cache, layout.add(count * b * cache.bytes()));
  };
  add_cache(made.angle_, heads * made.angles_);
  add_cache(made.turns_, heads * made.angles_);
  add_cache(made.k_, keys);
  add_cache(made.x_, inner);
  add_cache(made.h_, inner * positive(config.d_state));
  auto recurrent = kernels::DeviceBuffer::allocate(layout.bytes(), "the recurrent state");
  if (!recurrent) return tl::unexpected(recurrent.error());
  made.state_ = std::move(*recurrent);
  for (const auto& [cache, offset] : caches) cache->data = made.state_.at(offset);

  auto coefficients =
      kernels::DeviceBuffer::allocate(4 * count * b * (per_head_kinds * heads + made.angles_), "the coefficients");
  if (!coefficients) return tl::unexpected(coefficients.error());
  made.coefficients_ = std::move(*coefficients);
  // (L, 8, B, H), then (L, B, S): at batch 1 all of it is one copy.
  float* cursor = made.coefficients_.at<float>();
  for (std::size_t l = 0; l < count; ++l) {
    Layer& layer = made.layers[l];
    for (auto* kind : {&layer.dt, &layer.a, &layer.lambda, &layer.alpha, &layer.beta, &layer.gamma, &layer.state_norm,
                       &layer.state_change}) {
      *kind = take(cursor, b * heads);
    }
    layer.angle = piece<float>(made.angle_.data, l, b * made.angle_.count);
    layer.turns = piece<std::int32_t>(made.turns_.data, l, b * made.turns_.count);
    layer.k_prev = piece<float>(made.k_.data, l, b * made.k_.count);
    layer.x_prev = piece<float>(made.x_.data, l, b * made.x_.count);
    layer.matrix = made.place(made.h_, static_cast<int>(l), 0);
    if (state == kernels::DType::f32) layer.h = {static_cast<float*>(layer.matrix), b * made.h_.count};
  }
  for (Layer& layer : made.layers) layer.turn = take(cursor, b * made.angles_);

  kernels::Layout scratch;
  std::vector<std::pair<std::span<float>*, std::pair<std::size_t, std::size_t>>> arrays;  // offset, count
  const auto add = [&](std::span<float>& array, std::size_t size) {
    arrays.push_back({&array, {scratch.add(4 * b * size), b * size}});
  };
  const std::size_t ids_offset = scratch.add(4 * b);
  add(made.residual, positive(config.d_model));
  add(made.normed, positive(config.d_model));
  add(made.projected, positive(config.in_proj().rows));
  add(made.k, keys);
  add(made.q, keys);
  add(made.row_norm2, inner);
  add(made.row_change2, inner);
  add(made.values, positive(config.rank()) * inner);
  if (config.is_mimo) add(made.mixed, inner);
  if (config.has_mlp()) add(made.hidden, positive(config.mlp_width()));
  add(made.logits, positive(config.padded_vocab()));
  add(made.rest, heads);
  add(made.half_squares, 2 * heads);
  auto activations = kernels::DeviceBuffer::allocate(scratch.bytes(), "the activations");
  if (!activations) return tl::unexpected(activations.error());
  made.activations_ = std::move(*activations);
  made.ids = {made.activations_.at<std::int32_t>(ids_offset), b};
  for (const auto& [array, where] : arrays) *array = {made.activations_.at<float>(where.first), where.second};
  return made;
}

kernels::DeviceResult<void> CudaBuffers::clear(const kernels::Stream& stream) const {
  return stream.fill_zero(state_.at(), state_.bytes())
      .and_then([&] { return stream.fill_zero(coefficients_.at(), coefficients_.bytes()); })
      .and_then([&] { return stream.fill_zero(logits.data(), logits.size_bytes()); })
      .and_then([&] {
        return logits_rest.empty() ? kernels::DeviceResult<void>()
                                   : stream.fill_zero(logits_rest.data(), logits_rest.size_bytes());
      });
}

kernels::DeviceResult<void> CudaBuffers::reserve_staging(std::size_t bytes) {
  if (bytes <= staging_.bytes()) return {};
  auto larger = kernels::PinnedBuffer::allocate(bytes, "reading back");
  if (!larger) return tl::unexpected(larger.error());
  staging_ = std::move(*larger);
  return {};
}

std::byte* CudaBuffers::place(const Cache& cache, int layer, int sequence) const {
  const std::size_t index = positive(layer) * positive(batch_) + positive(sequence);
  return static_cast<std::byte*>(cache.data) + cache.bytes() * index;
}

kernels::DeviceResult<void> CudaBuffers::read_coefficients(const kernels::Stream& stream, int sequence,
                                                           StepCoefficients& out) {
  const std::size_t count = layers.size();
  const std::size_t head_values = per_head_kinds * heads_;  // of a layer
  if (auto ready = reserve_staging(4 * count * (head_values + angles_)); !ready) return ready;
  float* staged = staging_.as<float>();
  kernels::DeviceResult<void> done;
  if (batch_ == 1) {
    done = stream.copy_to_host(staged, coefficients_.at(), coefficients_.bytes());
  } else {
    const std::size_t b = positive(batch_);
    const float* heads = layers.front().dt.data() + positive(sequence) * heads_;
    const float* turns = layers.front().turn.data() + positive(sequence) * angles_;
    done = stream.copy_rows_to_host(staged, heads, 4 * b * heads_, 4 * heads_, count * per_head_kinds).and_then([&] {
      return stream.copy_rows_to_host(staged + count * head_values, turns, 4 * b * angles_, 4 * angles_, count);
    });
  }
  if (done) done = stream.synchronize();
  if (done) unpack_coefficients(staged, staged + count * head_values, out);
  return done;
}

void CudaBuffers::unpack_coefficients(const float* heads, const float* turns, StepCoefficients& out) const {
  const std::size_t count = layers.size();
  const std::size_t head_values = per_head_kinds * heads_;
  const auto pick = [&](std::size_t kind, std::vector<float>& to) {
    to.resize(count * heads_);
    for (std::size_t l = 0; l < count; ++l) {
      std::memcpy(to.data() + l * heads_, heads + l * head_values + kind * heads_, 4 * heads_);
    }
  };
  pick(0, out.dt);
  pick(1, out.a);
  pick(2, out.lambda);
  pick(3, out.alpha);
  pick(4, out.beta);
  pick(5, out.gamma);
  pick(6, out.state_norm);
  pick(7, out.state_change);
  out.turn.assign(turns, turns + count * angles_);
}

kernels::DeviceResult<void> CudaBuffers::read_logits(const kernels::Stream& stream, int sequence,
                                                     std::span<float> out) {
  const bool two_parts = !logits_rest.empty();
  if (auto ready = reserve_staging(2 * out.size_bytes()); !ready) return ready;
  float* staged = staging_.as<float>();
  const std::size_t first = positive(sequence) * out.size();
  auto done = stream.copy_to_host(staged, logits.data() + first, out.size_bytes());
  if (done && two_parts) done = stream.copy_to_host(staged + out.size(), logits_rest.data() + first, out.size_bytes());
  if (done) done = stream.synchronize();
  if (!done) return done;
  std::memcpy(out.data(), staged, out.size_bytes());
  if (two_parts) {
    for (std::size_t i = 0; i < out.size(); ++i) out[i] += staged[out.size() + i];
  }
  return {};
}

kernels::DeviceResult<void> CudaBuffers::read_residual(const kernels::Stream& stream, int sequence,
                                                       std::span<float> out) {
  if (auto ready = reserve_staging(out.size_bytes()); !ready) return ready;
  auto done = stream.copy_to_host(staging_.as<std::byte>(), residual.data() + positive(sequence) * out.size(),
                                  out.size_bytes());
  if (done) done = stream.synchronize();
  if (done) std::memcpy(out.data(), staging_.as<std::byte>(), out.size_bytes());
  return done;
}

kernels::DeviceResult<void> CudaBuffers::write_residual(const kernels::Stream& stream, int sequence,
                                                        std::span<const float> from) {
  if (auto ready = reserve_staging(from.size_bytes()); !ready) return ready;
  std::memcpy(staging_.as<std::byte>(), from.data(), from.size_bytes());
  auto done = stream.copy_to_device(residual.data() + positive(sequence) * from.size(), staging_.as<std::byte>(),
                                    from.size_bytes());
  return done ? stream.synchronize() : done;
}

kernels::DeviceResult<void> CudaBuffers::read_state(const kernels::Stream& stream, int sequence,
                                                    std::span<const int> chosen, bool with_ssm,
                                                    std::vector<LayerState>& out) {
  std::vector<const Cache*> caches{&angle_, &turns_, &k_, &x_};
  if (with_ssm) caches.push_back(&h_);
  std::size_t layer_bytes = 0;
  for (const Cache* cache : caches) layer_bytes += cache->bytes();
  if (auto ready = reserve_staging(layer_bytes * chosen.size()); !ready) return ready;

  // Each cache in turn, its chosen layers one after the other; layers in a row are one copy.
  std::byte* staged = staging_.as<std::byte>();
  for (const Cache* cache : caches) {
    const std::size_t width = cache->bytes();
    for (std::size_t first = 0; first < chosen.size();) {
      std::size_t end = first + 1;
      while (end < chosen.size() && chosen[end] == chosen[end - 1] + 1) ++end;
      auto done =
          stream.copy_rows_to_host(staged, place(*cache, chosen[first], sequence), pitch(*cache), width, end - first);
      if (!done) return done;
      staged += width * (end - first);
      first = end;
    }
  }
  if (auto done = stream.synchronize(); !done) return done;

  staged = staging_.as<std::byte>();
  const auto unpack = [&](const Cache& cache, auto member) {
    for (const int l : chosen) (out[positive(l)].*member).reserve(cache.count);  // fails here, where somebody listens
    in_parallel(cache.bytes(), chosen.size(), [&, from = staged](std::size_t i) {
      cache.unpack(from + cache.bytes() * i, out[positive(chosen[i])].*member);
    });
    staged += cache.bytes() * chosen.size();
  };
  unpack(angle_, &LayerState::angle);
  unpack(turns_, &LayerState::turns);
  unpack(k_, &LayerState::k);
  unpack(x_, &LayerState::v);
  if (with_ssm) {
    unpack(h_, &LayerState::ssm);
  } else {
    for (const int l : chosen) out[positive(l)].ssm.clear();
  }
  return {};
}

kernels::DeviceResult<void> CudaBuffers::write_state(const kernels::Stream& stream, int sequence,
                                                     const std::vector<LayerState>& state) {
  if (auto ready = reserve_staging(state_bytes_per_sequence()); !ready) return ready;
  std::byte* staged = staging_.as<std::byte>();
  const auto pack = [&](const Cache& cache, auto member) -> kernels::DeviceResult<void> {
    std::byte* start = staged;
    for (const LayerState& layer : state) {
      cache.pack(layer.*member, staged);
      staged += cache.bytes();
    }
    return stream.copy_rows_to_device(place(cache, 0, sequence), pitch(cache), start, cache.bytes(), state.size());
  };
  return pack(angle_, &LayerState::angle)
      .and_then([&] { return pack(turns_, &LayerState::turns); })
      .and_then([&] { return pack(k_, &LayerState::k); })
      .and_then([&] { return pack(x_, &LayerState::v); })
      .and_then([&] { return pack(h_, &LayerState::ssm); })
      .and_then([&] { return stream.synchronize(); });
}

CudaBuffers::StepPieces CudaBuffers::step_pieces(int sequence, int layer) const {
  StepPieces made;
  const auto add = [&made](const void* from, std::size_t pitch, std::size_t width, std::size_t rows) {
    made.gather.pieces[static_cast<std::size_t>(made.gather.count++)] = {from, pitch, width, rows, made.bytes};
    made.bytes += (width * rows + 15) / 16 * 16;
  };
  const std::size_t b = positive(batch_), s = positive(sequence), count = layers.size();
  const std::size_t width = logits.size() / b;
  add(layers.front().dt.data() + s * heads_, 4 * b * heads_, 4 * heads_, count * per_head_kinds);
  add(layers.front().turn.data() + s * angles_, 4 * b * angles_, 4 * angles_, count);
  add(logits.data() + s * width, 4 * width, 4 * width, 1);
  for (const Cache* cache : {&angle_, &turns_, &k_, &x_, &h_}) {
    add(place(*cache, layer, sequence), cache->bytes(), cache->bytes(), 1);
  }
  if (!logits_rest.empty()) add(logits_rest.data() + s * width, 4 * width, 4 * width, 1);
  return made;
}

void CudaBuffers::unpack(const StepPieces& pieces, const std::byte* gathered, Published& out) const {
  const auto at = [&](std::size_t piece) { return gathered + pieces.gather.pieces[piece].to; };
  const auto floats = [&](std::size_t piece) { return reinterpret_cast<const float*>(at(piece)); };
  unpack_coefficients(floats(0), floats(1), out.coefficients);
  out.logits.assign(floats(2), floats(2) + pieces.gather.pieces[2].width / 4);
  if (!logits_rest.empty())
    std::transform(out.logits.begin(), out.logits.end(), floats(8), out.logits.begin(), std::plus<>());
  angle_.unpack(at(3), out.layer.angle);
  turns_.unpack(at(4), out.layer.turns);
  k_.unpack(at(5), out.layer.k);
  x_.unpack(at(6), out.layer.v);
  h_.unpack(at(7), out.layer.ssm);
}

bool CudaBuffers::holds(const LayerState& saved) const {
  return saved.angle.size() == angle_.count && saved.turns.size() == turns_.count && saved.k.size() == k_.count &&
         saved.v.size() == x_.count && saved.ssm.size() == h_.count;
}

std::size_t CudaBuffers::state_bytes_per_sequence() const {
  return layers.size() * (angle_.bytes() + turns_.bytes() + k_.bytes() + x_.bytes() + h_.bytes());
}

}  // namespace engine
