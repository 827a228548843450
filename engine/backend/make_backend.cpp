#include "engine/backend/backend.h"
#include "engine/backend/cpu_backend.h"
#ifdef MAMBASCOPE_HAVE_CUDA
#include "engine/backend/cuda_backend.h"
#include "kernels/device/device_info.h"
#endif
#include "engine/backend/memory_need.h"
#include "engine/backend/reference_backend.h"
#include "engine/model/read_ahead.h"
#include "engine/model/supported.h"

#include <fmt/format.h>

#include <new>

namespace engine {

std::string why_no_cuda() {
#ifdef MAMBASCOPE_HAVE_CUDA
  const auto device = kernels::query_device();
  return device ? std::string() : device.error().message;
#else
  return "This build has no CUDA backend. Use --backend cpu, or build with a CUDA Toolkit installed.";
#endif
}

BackendChoice choice_made(BackendChoice choice) {
  if (choice != BackendChoice::automatic) return choice;
  return why_no_cuda().empty() ? BackendChoice::cuda : BackendChoice::cpu;
}

Result<std::unique_ptr<Backend>> make_backend(const Weights& weights, const BackendOptions& options) {
  if (auto supported = check_supported(weights.config); !supported) return tl::unexpected(supported.error());
  if (options.batch < 1 || options.batch > 65536) {
    return input_error(fmt::format("A batch of {} sequences; supported: 1 to 65536.", options.batch));
  }
  const BackendChoice choice = choice_made(options.choice);
  if (options.variant != Variant::staged && choice != BackendChoice::cuda) {
    return input_error("Only the cuda backend has a fused variant. Use --backend cuda, or --variant staged.");
  }
  if (options.state != kernels::DType::f32 && options.variant != Variant::fused) {
    return input_error(
        "Only the fused variant of the cuda backend keeps its state in bf16. Use --backend cuda --variant fused, or "
        "--state fp32.");
  }
  if (options.products == Products::library && (choice != BackendChoice::cuda || options.variant != Variant::fused)) {
    return input_error(
        "Only the fused variant of the cuda backend multiplies with cuBLASLt. Use --backend cuda --variant fused, or "
        "leave --products out.");
  }
  if (choice == BackendChoice::cuda) {
#ifdef MAMBASCOPE_HAVE_CUDA
    return make_cuda_backend(weights, options);
#else
    return system_error(why_no_cuda());
#endif
  }
  if (weights.seed_to_draw) {
    return input_error("These random weights are left to the GPU to draw. Draw them on the host for a host's backend.");
  }
  const MemoryNeed need = memory_need(weights, options);
  if (auto fits = check_memory(need, options, available_host_memory(), "this machine"); !fits) {
    return tl::unexpected(fits.error());
  }
  if (auto read = read_ahead(weights, options.progress.get()); !read) return tl::unexpected(read.error());
  if (auto whole = check_whole(weights.files); !whole) return tl::unexpected(whole.error());
  try {
    if (choice == BackendChoice::reference)
      return std::make_unique<ReferenceBackend>(weights, options.batch, options.errors);
    return std::make_unique<CpuBackend>(weights, options.batch, options.threads, nullptr, options.errors);
  } catch (const std::bad_alloc&) {
    return system_error(fmt::format("There is not enough memory for the state of {} sequences.", options.batch));
  }
}

}  // namespace engine
