#include "engine/model/random_weights.h"

#include "engine/model/supported.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <memory>
#include <new>
#include <string>
#include <thread>
#include <vector>

namespace engine {
namespace {

constexpr std::uint64_t golden_gamma = 0x9E3779B97F4A7C15U;

std::uint64_t mix(std::uint64_t z) {  // SplitMix64's output function (Steele, Lea, Flood 2014)
  z = (z ^ (z >> 30U)) * 0xBF58476D1CE4E5B9U;
  z = (z ^ (z >> 27U)) * 0x94D049BB133111EBU;
  return z ^ (z >> 31U);
}

// One stream per tensor: tensors can be filled in any order, by any thread.
class Stream {
 public:
  Stream(std::uint64_t seed, std::uint64_t tensor) : state_(mix(seed + golden_gamma * (2 * tensor + 1))) {}
  std::uint64_t next() { return mix(state_ += golden_gamma); }
  double uniform() { return static_cast<double>(next() >> 11U) * 0x1.0p-53; }  // [0, 1)
  // Near normal with unit variance: a sum of four 16-bit uniforms. No transcendental, so the same bits everywhere.
  double normal() {
    const std::uint64_t z = next();
    const auto sum = static_cast<double>((z & 0xFFFFU) + (z >> 16U & 0xFFFFU) + (z >> 32U & 0xFFFFU) + (z >> 48U));
    return (sum - 2.0 * 65535.0) * (1.7320508075688772 / 65536.0);
  }

 private:
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

// Fills rows x cols of the dtype with draw(stream).
template <class Draw>
void fill(const kernels::Matrix& matrix, std::byte* out, Stream stream, const Draw& draw) {
  const std::size_t count = static_cast<std::size_t>(matrix.rows) * static_cast<std::size_t>(matrix.cols);
  const std::size_t width = kernels::size_of(matrix.dtype);
  for (std::size_t i = 0; i < count; ++i) {
    const auto value = static_cast<float>(draw(stream));
    if (matrix.dtype == kernels::DType::f32) {
      std::memcpy(out + i * width, &value, 4);
    } else {
      const std::uint16_t narrow = matrix.dtype == kernels::DType::bf16 ? to_bf16(value) : to_f16(value);
      std::memcpy(out + i * width, &narrow, 2);
    }
  }
}

class Maker {
 public:
  Maker(const ModelConfig& config, kernels::DType dtype, std::uint64_t seed)
      : config_(config), dtype_(dtype), seed_(seed), storage_(std::make_shared<Storage>()) {}

  Weights make() {
    Weights weights;
    weights.config = config_;
    const int d = config_.d_model;
    const int v = config_.padded_vocab();
    weights.embedding = matrix(v, d);
    weights.head = config_.tie_embeddings ? weights.embedding : matrix(v, d);
    weights.norm_f = around(Stream(seed_, 2), static_cast<std::size_t>(d), 1.0, 0.1);
    weights.layers.resize(static_cast<std::size_t>(config_.n_layer));
    for (LayerWeights& layer : weights.layers) {  // every matrix has its place before threads fill them
      layer.in_proj = matrix(config_.in_proj().rows, d);
      layer.out_proj = matrix(d, config_.d_inner());
      if (config_.has_mlp()) {
        layer.fc1 = matrix(2 * config_.mlp_width(), d);
        layer.fc2 = matrix(d, config_.mlp_width());
      }
    }
    const unsigned workers = std::max(1U, std::min(std::thread::hardware_concurrency(), 16U));
    {
      std::vector<std::jthread> threads;
      for (unsigned w = 0; w < workers; ++w) {
        threads.emplace_back([this, &weights, w, workers] {
          for (std::size_t i = w; i < weights.layers.size(); i += workers) fill_layer(weights.layers[i], i);
          if (w == 0) normal_matrix(weights.embedding, 0, 0.02);
          if (w == workers - 1 && !config_.tie_embeddings) normal_matrix(weights.head, 1, 0.02);
        });
      }
    }
    weights.parameters = count_parameters(weights);
    weights.backing = storage_;
    return weights;
  }

 private:
  kernels::Matrix matrix(int rows, int cols) {
    kernels::Matrix made{nullptr, dtype_, rows, cols};
    storage_->emplace_back(new (std::align_val_t{64}) std::byte[std::max<std::size_t>(made.bytes(), 1)]);
    made.data = storage_->back().get();
    return made;
  }

  static std::byte* writable(const kernels::Matrix& matrix) {
    return static_cast<std::byte*>(const_cast<void*>(matrix.data));  // our own storage, not yet handed out
  }

  void normal_matrix(const kernels::Matrix& target, std::uint64_t tensor, double deviation) const {
    fill(target, writable(target), Stream(seed_, tensor), [deviation](Stream& s) { return deviation * s.normal(); });
  }

  // Kaiming uniform with a = sqrt(5): bound 1/sqrt(fan_in), times `scale`.
  void kaiming_matrix(const kernels::Matrix& target, std::uint64_t tensor, double scale) const {
    const double bound = scale / std::sqrt(static_cast<double>(target.cols));
    fill(target, writable(target), Stream(seed_, tensor), [bound](Stream& s) { return bound * (2 * s.uniform() - 1); });
  }

  static std::vector<float> around(Stream stream, std::size_t count, double centre, double deviation) {
    std::vector<float> values(count);
    for (float& value : values) value = static_cast<float>(centre + deviation * stream.normal());
    return values;
  }

  void fill_layer(LayerWeights& layer, std::size_t index) const {
    const std::uint64_t first = 16 + 32 * static_cast<std::uint64_t>(index);
    const auto size = [](int n) { return static_cast<std::size_t>(n); };
    const std::size_t h = size(config_.heads());
    const std::size_t n = size(config_.d_state);
    const std::size_t r = size(config_.rank());
    const std::size_t p = size(config_.headdim);
    const double residual_scale = 1.0 / std::sqrt(static_cast<double>(config_.n_layer));
    layer.norm = around(Stream(seed_, first), size(config_.d_model), 1.0, 0.1);
    kaiming_matrix(layer.in_proj, first + 1, 1.0);
    kaiming_matrix(layer.out_proj, first + 2, residual_scale);
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
    if (config_.has_mlp()) {
      layer.norm2 = around(Stream(seed_, first + 13), size(config_.d_model), 1.0, 0.1);
      kaiming_matrix(layer.fc1, first + 14, 1.0);
      kaiming_matrix(layer.fc2, first + 15, residual_scale);
    }
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
  std::shared_ptr<Storage> storage_;
};

}  // namespace

Result<Weights> make_random_weights(const ModelConfig& config, kernels::DType dtype, std::uint64_t seed) {
  if (auto supported = check_supported(config); !supported) return tl::unexpected(supported.error());
  return Maker(config, dtype, seed).make();
}

}  // namespace engine
