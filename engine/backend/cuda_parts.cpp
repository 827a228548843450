#include "engine/backend/cuda_parts.h"

#include "engine/backend/cuda_prefill.h"
#include "engine/backend/fused_limits.h"
#include "engine/backend/memory_need.h"

#include <fmt/format.h>

#include <cstddef>
#include <cstdint>
#include <utility>

namespace engine {

namespace {

constexpr int max_batch = 65535;  // sequences are an axis of the grid

}  // namespace

Result<CudaParts> open_cuda_parts(const Weights& weights, const BackendOptions& options) {
  const int batch = options.batch;
  const auto failure = [](const kernels::DeviceError& error) {
    return system_error(fmt::format("The CUDA backend could not be opened. {}", error.message));
  };
  if (batch < 1 || batch > max_batch) {
    return input_error(fmt::format("A batch of {} sequences; the CUDA backend takes 1 to {}.", batch, max_batch));
  }
  auto device = kernels::query_device();
  if (!device) return failure(device.error());
  const bool fused = options.variant == Variant::fused;
  if (auto fits = check_options(weights, options); !fits) return tl::unexpected(fits.error());
  if (fused) {
    if (auto fits = check_fused(weights); !fits) return tl::unexpected(fits.error());
    if (auto fits = check_mixer(weights.config, options.state, *device); !fits) return tl::unexpected(fits.error());
  }
  auto stream = kernels::Stream::create();
  if (!stream) return failure(stream.error());
  auto ids = kernels::PinnedBuffer::allocate(sizeof(std::int32_t) * static_cast<std::size_t>(batch), "token ids");
  if (!ids) return failure(ids.error());
  const MemoryNeed need = memory_need(weights, options);
  if (auto fits = check_memory(need, options, kernels::free_device_memory(), "the GPU"); !fits) {
    return tl::unexpected(fits.error());
  }
  auto uploaded = CudaWeights::upload(weights, *stream, options.progress.get());
  if (!uploaded && options.progress && options.progress->cancelled) return input_error(opening_cancelled);
  if (!uploaded) return failure(uploaded.error());
  if (auto whole = check_whole(weights.files); !whole) return tl::unexpected(whole.error());
  auto buffers = CudaBuffers::allocate(weights.config, batch, options.state);
  if (!buffers) return failure(buffers.error());

  std::optional<ProductStep> products;
  if (fused && wants_products(weights, options)) {
    const bool own = options.products == Products::automatic && ProductStep::has_own(*device, batch);
    auto opened = ProductStep::open(*uploaded, batch, own, !options.errors, *buffers, *stream);
    if (opened) {
      products = std::move(*opened);
    } else if (options.products == Products::library || kernels::out_of_memory(opened.error())) {
      return failure(opened.error());
    }
  }

  std::optional<CudaErrors> errors;
  if (options.errors) {
    auto made = CudaErrors::create(weights, batch, *stream);
    if (!made) return failure(made.error());
    errors = std::move(*made);
  }

  BackendInfo info;
  info.name = "cuda";
  info.errors = options.errors;
  if (products) info.products = products->name();
  info.device = device->name;
  info.detail = kernels::describe(*device);
  info.is_gpu = true;
  info.graph = options.graph;
  info.chunked_prefill = CudaPrefill::fits(weights.config, device->block_shared_bytes);
  info.state = kernels::name_of(options.state);
  info.weight_bytes = uploaded->bytes();
  info.state_bytes = buffers->state_bytes_per_sequence();
  info.l2_bytes = device->l2_bytes;
  info.fp32_flops_per_second = kernels::fp32_flops_per_second(*device, info.peak_source);
  const bool keys_again = products && products->makes_keys();
  StepPlan plan = fused ? make_fused_plan(weights, batch, static_cast<int>(kernels::size_of(options.state)),
                                          options.errors, keys_again)
                        : make_staged_plan(weights, batch, options.errors);
  return CudaParts{std::move(info),      std::move(*device),  std::move(plan),     std::move(*stream), std::move(*ids),
                   std::move(*uploaded), std::move(*buffers), std::move(products), std::move(errors)};
}

}  // namespace engine
