#include "engine/model/random_weights.h"

#include "engine/model/supported.h"

#include <algorithm>
#include <atomic>
#include <bit>
#include <cmath>
#include <memory>
#include <new>
#include <string>
#include <thread>
#include <vector>

namespace engine {
namespace {

using kernels::RandomFill;

// Where the stream of a tensor starts: one for each, so that tensors can be filled in any order, by any thread.
std::uint64_t stream_start(std::uint64_t seed, std::uint64_t tensor) {
  return kernels::mix_bits(seed + kernels::golden_gamma * (2 * tensor + 1));
}

// The numbers of a tensor's streams: those of the whole model, then each layer's own.
constexpr std::uint64_t of_embedding = 0, of_head = 1, of_norm_f = 2;
constexpr std::uint64_t first_of_layer(std::size_t layer) { return 16 + 32 * static_cast<std::uint64_t>(layer); }
constexpr std::uint64_t of_in_proj = 1, of_out_proj = 2, of_fc1 = 14, of_fc2 = 15;

// The draws of a small tensor, one behind the other.
class Stream {
 public:
  Stream(std::uint64_t seed, std::uint64_t tensor) : state_(stream_start(seed, tensor)) {}
  double uniform() { return kernels::uniform_of(next()); }
  double normal() { return kernels::normal_of(next()); }

 private:
  std::uint64_t next() { return kernels::mix_bits(state_ += kernels::golden_gamma); }

  std::uint64_t state_;
};

std::uint16_t to_bf16(float value) {  // nearest even; no NaN comes here
  const auto bits = std::bit_cast<std::uint32_t>(value);
  return static_cast<std::uint16_t>((bits + 0x7FFFU + (bits >> 16U & 1U)) >> 16U);
}

std::uint16_t to_f16(float value) {  // nearest even; |value| < 65504
  const auto bits = std::bit_cast<std::uint32_t>(value);
  const auto sign = static_cast<std::uint16_t>(bits >> 16U & 0x8000U);
  const float magnitude = std::fabs(value);
  if (magnitude < 0x1.0p-14F) {  // subnormal: multiples of 2^-24
    return static_cast<std::uint16_t>(sign | static_cast<std::uint16_t>(std::nearbyint(magnitude * 0x1.0p24F)));
  }
  const std::uint32_t body = std::bit_cast<std::uint32_t>(magnitude) - (112U << 23U);
  return static_cast<std::uint16_t>(sign | static_cast<std::uint16_t>((body + 0xFFFU + (body >> 13U & 1U)) >> 13U));
}

struct FreeAligned {
  void operator()(std::byte* data) const { ::operator delete[](data, std::align_val_t{64}); }
};
using Storage = std::vector<std::unique_ptr<std::byte[], FreeAligned>>;

void store(float value, float& out) { out = value; }
struct Bf16 {
  std::uint16_t bits;
};
struct F16 {
  std::uint16_t bits;
};
void store(float value, Bf16& out) { out.bits = to_bf16(value); }
void store(float value, F16& out) { out.bits = to_f16(value); }

template <class T>
void fill_elements(std::byte* out, const RandomFill& fill, std::uint64_t begin, std::uint64_t end) {
  T* elements = reinterpret_cast<T*>(out);
  for (std::uint64_t i = begin; i < end; ++i) store(fill(i), elements[i]);
}

// A stretch of one matrix, as a thread fills it.
struct Part {
  std::byte* out = nullptr;
  kernels::DType dtype = kernels::DType::f32;
  RandomFill fill;
  std::uint64_t begin = 0, end = 0;

  void draw() const {
    switch (dtype) {
      case kernels::DType::f32:
        return fill_elements<float>(out, fill, begin, end);
      case kernels::DType::f16:
        return fill_elements<F16>(out, fill, begin, end);
      case kernels::DType::bf16:
        return fill_elements<Bf16>(out, fill, begin, end);
    }
  }
};

void draw_all(const std::vector<Part>& parts) {
  std::atomic<std::size_t> next = 0;
  const auto work = [&] {
    for (std::size_t i = next++; i < parts.size(); i = next++) parts[i].draw();
  };
  const std::size_t most = std::clamp(std::thread::hardware_concurrency(), 1U, 16U);
  std::vector<std::jthread> others;
  while (others.size() + 1 < std::min(most, parts.size())) others.emplace_back(work);
  work();
}

// Shapes of the matrices and values of the small tensors.
class Maker {
 public:
  Maker(const ModelConfig& config, kernels::DType dtype, std::uint64_t seed)
      : config_(config), dtype_(dtype), seed_(seed) {}

  Weights make() const {
    Weights weights;
    weights.config = config_;
    weights.seed_to_draw = seed_;
    const int d = config_.d_model;
    weights.embedding = weights.head = matrix(config_.padded_vocab(), d);
    weights.norm_f = around(Stream(seed_, of_norm_f), static_cast<std::size_t>(d), 1.0, 0.1);
    weights.layers.resize(static_cast<std::size_t>(config_.n_layer));
    for (std::size_t l = 0; l < weights.layers.size(); ++l) {
      LayerWeights& layer = weights.layers[l];
      layer.in_proj = matrix(config_.in_proj().rows, d);
      layer.out_proj = matrix(d, config_.d_inner());
      if (config_.has_mlp()) {
        layer.fc1 = matrix(2 * config_.mlp_width(), d);
        layer.fc2 = matrix(d, config_.mlp_width());
      }
      fill_small(layer, first_of_layer(l));
    }
    weights.parameters = count_parameters(weights);
    return weights;
  }

 private:
  kernels::Matrix matrix(int rows, int cols) const { return {nullptr, dtype_, rows, cols}; }

  static std::vector<float> around(Stream stream, std::size_t count, double centre, double deviation) {
    std::vector<float> values(count);
    for (float& value : values) value = static_cast<float>(centre + deviation * stream.normal());
    return values;
  }

  void fill_small(LayerWeights& layer, std::uint64_t first) const {
    const auto size = [](int n) { return static_cast<std::size_t>(n); };
    const std::size_t h = size(config_.heads());
    const std::size_t n = size(config_.d_state);
    const std::size_t r = size(config_.rank());
    const std::size_t p = size(config_.headdim);
    layer.norm = around(Stream(seed_, first), size(config_.d_model), 1.0, 0.1);
    layer.dt_bias.resize(h);
    Stream dt_stream(seed_, first + 3);
    for (float& bias : layer.dt_bias) {  // dt log-uniform in [1e-3, 0.1], stored as the inverse of softplus
      const double dt = std::max(1e-4, std::exp(std::log(1e-3) + dt_stream.uniform() * std::log(1e2)));
      bias = static_cast<float>(dt + std::log(-std::expm1(-dt)));
    }
    layer.b_norm = around(Stream(seed_, first + 4), n, 1.0, 0.1);
    layer.c_norm = around(Stream(seed_, first + 5), n, 1.0, 0.1);
    layer.b_bias = around(Stream(seed_, first + 6), h * r * n, 1.0, 0.1);
    layer.c_bias = around(Stream(seed_, first + 7), h * r * n, 1.0, 0.1);
    layer.d = around(Stream(seed_, first + 8), h, 1.0, 0.1);
    if (config_.is_mimo) {
      const double share = 1.0 / static_cast<double>(r);
      layer.mimo_x = around(Stream(seed_, first + 9), h * r * p, share, 0.2 * share);
      layer.mimo_z = around(Stream(seed_, first + 10), h * r * p, 1.0, 0.1);
      layer.mimo_o = around(Stream(seed_, first + 11), h * r * p, share, 0.2 * share);
    }
    if (config_.is_outproj_norm) layer.outproj_norm = around(Stream(seed_, first + 12), h * p, 1.0, 0.1);
    if (config_.has_mlp()) layer.norm2 = around(Stream(seed_, first + 13), size(config_.d_model), 1.0, 0.1);
  }

  std::int64_t count_parameters(const Weights& weights) const {
    const auto of = [](const kernels::Matrix& m) { return std::int64_t{m.rows} * m.cols; };
    std::size_t small = weights.norm_f.size();
    std::int64_t count = of(weights.embedding) + (config_.tie_embeddings ? 0 : of(weights.head));
    for (const LayerWeights& l : weights.layers) {
      small += l.norm.size() + l.dt_bias.size() + l.b_norm.size() + l.c_norm.size() + l.b_bias.size() +
               l.c_bias.size() + l.d.size() + l.mimo_x.size() + l.mimo_z.size() + l.mimo_o.size() +
               l.outproj_norm.size() + l.norm2.size();
      count += of(l.in_proj) + of(l.out_proj) + of(l.fc1) + of(l.fc2);
    }
    return count + static_cast<std::int64_t>(small);
  }

  ModelConfig config_;
  kernels::DType dtype_;
  std::uint64_t seed_;
};

}  // namespace

Result<Weights> plan_random_weights(const ModelConfig& config, kernels::DType dtype, std::uint64_t seed) {
  if (auto supported = check_supported(config); !supported) return tl::unexpected(supported.error());
  return Maker(config, dtype, seed).make();
}

std::map<const kernels::Matrix*, RandomFill> random_fills(const Weights& weights) {
  std::map<const kernels::Matrix*, RandomFill> fills;
  if (!weights.seed_to_draw) return fills;
  const std::uint64_t seed = *weights.seed_to_draw;
  const auto normal = [&](const kernels::Matrix& matrix, std::uint64_t tensor, double deviation) {
    fills[&matrix] = {RandomFill::Kind::normal, deviation, stream_start(seed, tensor)};
  };
  // Kaiming uniform with a = sqrt(5): bound 1/sqrt(fan_in), times `scale`.
  const auto kaiming = [&](const kernels::Matrix& matrix, std::uint64_t tensor, double scale) {
    if (matrix.rows == 0) return;
    const double bound = scale / std::sqrt(static_cast<double>(matrix.cols));
    fills[&matrix] = {RandomFill::Kind::uniform, bound, stream_start(seed, tensor)};
  };
  normal(weights.embedding, of_embedding, 0.02);
  if (!weights.config.tie_embeddings) normal(weights.head, of_head, 0.02);
  const double residual_scale = 1.0 / std::sqrt(static_cast<double>(weights.config.n_layer));
  for (std::size_t l = 0; l < weights.layers.size(); ++l) {
    const LayerWeights& layer = weights.layers[l];
    const std::uint64_t first = first_of_layer(l);
    kaiming(layer.in_proj, first + of_in_proj, 1.0);
    kaiming(layer.out_proj, first + of_out_proj, residual_scale);
    kaiming(layer.fc1, first + of_fc1, 1.0);
    kaiming(layer.fc2, first + of_fc2, residual_scale);
  }
  return fills;
}

Result<Weights> draw_on_host(Weights weights) try {
  if (!weights.seed_to_draw) return weights;
  constexpr std::uint64_t part = std::uint64_t{1} << 20;  // elements
  auto storage = std::make_shared<Storage>();
  std::vector<Part> parts;
  for (const auto& [matrix, fill] : random_fills(weights)) {
    const std::uint64_t count = static_cast<std::uint64_t>(matrix->rows) * static_cast<std::uint64_t>(matrix->cols);
    storage->emplace_back(new (std::align_val_t{64}) std::byte[matrix->bytes()]);
    std::byte* out = storage->back().get();
    const_cast<kernels::Matrix*>(matrix)->data = out;  // a member of `weights`, which is ours
    for (std::uint64_t begin = 0; begin < count; begin += part) {
      parts.push_back({out, matrix->dtype, fill, begin, std::min(begin + part, count)});
    }
  }
  draw_all(parts);
  if (weights.config.tie_embeddings) weights.head = weights.embedding;
  weights.backing = std::move(storage);
  weights.seed_to_draw.reset();
  return weights;
} catch (const std::bad_alloc&) {
  return system_error("There is no memory for the random weights. Take a smaller shape.");
}

Result<Weights> make_random_weights(const ModelConfig& config, kernels::DType dtype, std::uint64_t seed) {
  return plan_random_weights(config, dtype, seed).and_then([](Weights&& weights) {
    return draw_on_host(std::move(weights));
  });
}

}  // namespace engine
