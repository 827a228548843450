#include "engine/backend/fused_limits.h"

#include "kernels/fused/fused.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

namespace engine {

Result<void> check_fused(const Weights& weights) {
  const auto check = [](const char* name, const kernels::Matrix& matrix) -> Result<void> {
    if (matrix.rows == 0 || kernels::device::fused_projection_takes(matrix)) return {};
    return input_error(
        fmt::format("The fused variant takes no matrix with rows of {} values in {} ({}): 16-byte pieces, at "
                    "most 32 KiB a row. Use --variant staged.",
                    matrix.cols, kernels::name_of(matrix.dtype), name));
  };
  for (const LayerWeights& layer : weights.layers) {
    const std::array<std::pair<const char*, const kernels::Matrix*>, 4> matrices = {
        {{"in_proj", &layer.in_proj}, {"out_proj", &layer.out_proj}, {"fc1", &layer.fc1}, {"fc2", &layer.fc2}}};
    for (const auto& [name, matrix] : matrices) {
      if (auto fits = check(name, *matrix); !fits) return fits;
    }
  }
  return check("lm_head", weights.head);
}

kernels::MixerArgs mixer_shape(const ModelConfig& config, kernels::DType state) {
  static constexpr float some = 0;  // stands for the tensors that there are
  kernels::MixerArgs args;
  args.rank = config.rank();
  args.headdim = config.headdim;
  args.d_state = config.d_state;
  args.mimo_x = config.is_mimo ? &some : nullptr;
  args.norm = config.is_outproj_norm ? &some : nullptr;
  args.bf16_state = state == kernels::DType::bf16;
  return args;
}

Result<void> check_mixer(const ModelConfig& config, kernels::DType state, const kernels::DeviceInfo& device) {
  constexpr std::size_t fixed_arrays = 256;
  const std::size_t needed = kernels::device::mixer_shared_bytes(mixer_shape(config, state)) + fixed_arrays;
  if (needed <= device.block_shared_bytes) return {};
  return input_error(
      fmt::format("The fused variant's mixer needs {} bytes of shared memory for these heads; this GPU has {}. Use "
                  "--variant staged.",
                  needed, device.block_shared_bytes));
}

Result<void> check_options(const Weights& weights, const BackendOptions& options) {
  const bool fused = options.variant == Variant::fused;
  if (options.state != kernels::DType::f32 && (!fused || options.state != kernels::DType::bf16)) {
    return input_error("The fused variant keeps its state in fp32 or bf16, the staged one in fp32.");
  }
  if (fused && options.products == Products::library && !all_bf16(weights)) {
    return input_error("Matrix products by cuBLASLt take weights in bf16 alone. Use --products own.");
  }
  return {};
}

bool all_bf16(const Weights& weights) {
  const auto is_bf16 = [](const kernels::Matrix& m) { return m.rows == 0 || m.dtype == kernels::DType::bf16; };
  return is_bf16(weights.head) &&
         std::all_of(weights.layers.begin(), weights.layers.end(), [&](const LayerWeights& layer) {
           return is_bf16(layer.in_proj) && is_bf16(layer.out_proj) && is_bf16(layer.fc1) && is_bf16(layer.fc2);
         });
}

bool wants_products(const Weights& weights, const BackendOptions& options) {
  constexpr int least_batch = 5;  // from here on tensor cores win, cuBLASLt too; measured by bench --products
  if (options.products != Products::automatic) return options.products == Products::library;
  return options.batch >= least_batch && all_bf16(weights);
}

}  // namespace engine
