#include "engine/backend/memory_need.h"

#include "engine/backend/prefill_arrays.h"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <string>

namespace engine {

namespace {

std::uint64_t positive(int value) { return static_cast<std::uint64_t>(value); }

std::uint64_t matrix_bytes(const Weights& weights) {
  std::uint64_t sum = weights.embedding.bytes();
  if (!weights.config.tie_embeddings) sum += weights.head.bytes();
  for (const LayerWeights& layer : weights.layers) {
    for (const kernels::Matrix* matrix : {&layer.in_proj, &layer.out_proj, &layer.fc1, &layer.fc2})
      sum += matrix->bytes();
  }
  return sum;
}

std::uint64_t vector_bytes(const Weights& weights) {
  std::uint64_t sum = weights.norm_f.size();
  for (const LayerWeights& layer : weights.layers) {
    for (const auto* vector :
         {&layer.norm, &layer.dt_bias, &layer.b_norm, &layer.c_norm, &layer.b_bias, &layer.c_bias, &layer.d,
          &layer.mimo_x, &layer.mimo_z, &layer.mimo_o, &layer.outproj_norm, &layer.norm2})
      sum += vector->size();
  }
  return 4 * sum;
}

std::string readable(std::uint64_t bytes) {
  return bytes < std::uint64_t{1} << 30 ? fmt::format("{:.0f} MiB", static_cast<double>(bytes) / 1048576.0)
                                        : fmt::format("{:.1f} GiB", static_cast<double>(bytes) / 1073741824.0);
}

}  // namespace

MemoryNeed memory_need(const Weights& weights, const BackendOptions& options) {
  const ModelConfig& c = weights.config;
  const bool cuda = choice_made(options.choice) == BackendChoice::cuda;
  const std::uint64_t value_bytes = options.choice == BackendChoice::reference ? 8 : 4;
  const std::uint64_t batch = positive(options.batch), layers = positive(c.n_layer);
  const std::uint64_t inner = positive(c.d_inner()),
                      keys = positive(c.rank()) * positive(c.heads()) * positive(c.d_state);
  const std::uint64_t angles = positive(c.heads()) * positive(c.angles());
  MemoryNeed need;
  need.weights = vector_bytes(weights) + (cuda ? matrix_bytes(weights) : 0);
  const std::uint64_t matrix_value_bytes = cuda && options.state == kernels::DType::bf16 ? 2 : value_bytes;
  need.state = batch * layers *
               (matrix_value_bytes * inner * positive(c.d_state) + value_bytes * (keys + inner + angles) + 4 * angles);
  const std::uint64_t mlp = c.has_mlp() ? positive(c.mlp_width()) : 0;
  const std::uint64_t widest = std::max({positive(c.in_proj().rows), positive(c.d_model), 2 * mlp});
  need.work = value_bytes * batch *
              (2 * positive(c.d_model) + widest + 2 * keys + (3 + positive(c.rank())) * inner + mlp +
               positive(c.padded_vocab()));
  if (cuda && !weights.layers.empty()) {
    need.work += prefill_arrays(c, weights.layers.front().in_proj.dtype == kernels::DType::bf16).bytes;
  }
  return need;
}

std::uint64_t available_host_memory() {
  std::ifstream file("/proc/meminfo");
  std::string name, unit;
  std::uint64_t kib = 0;
  while (file >> name >> kib) {
    if (name == "MemAvailable:") return kib * 1024;
    std::getline(file, unit);
  }
  return 0;
}

Result<void> check_memory(const MemoryNeed& need, const BackendOptions& options, std::uint64_t available,
                          const char* where) {
  if (available == 0 || need.total() <= available) return {};
  return system_error(fmt::format(
      "The model takes about {} ({} of weights, {} of state for {} sequence{}, {} for a step's values), and {} has {} "
      "free. {}",
      readable(need.total()), readable(need.weights), readable(need.state), options.batch,
      options.batch == 1 ? "" : "s", readable(need.work), where, readable(available),
      options.batch > 1                                    ? "Use a smaller --batch."
      : choice_made(options.choice) == BackendChoice::cuda ? "Close what else uses the GPU, or use --backend cpu."
                                                           : "Close other programs, or open a smaller model."));
}

}  // namespace engine
