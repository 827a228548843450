#include "kernels/device/device_info.h"

#include "kernels/device/probe.h"

#include <cuda_runtime_api.h>

#include <fmt/core.h>

#include <fstream>
#include <sstream>

namespace kernels {

namespace {

// The driver's own version, from the first line of a file that the kernel module provides on Linux.
std::string driver_release() {
  std::ifstream in("/proc/driver/nvidia/version");
  std::string line;
  std::getline(in, line);
  std::istringstream words(line);
  for (std::string word; words >> word;) {
    if (word.find_first_not_of("0123456789.") == std::string::npos && word.find('.') != std::string::npos) return word;
  }
  return {};
}

std::string remedy(int code) {
  switch (static_cast<cudaError_t>(code)) {
    case cudaErrorInsufficientDriver: {
      int driver = 0;
      cudaDriverGetVersion(&driver);
      if (driver == 0) {
        return fmt::format(
            "No NVIDIA driver answers. Install one that supports CUDA {}.{} or newer, or use --backend cpu.",
            CUDART_VERSION / 1000, CUDART_VERSION % 1000 / 10);
      }
      return fmt::format(
          "The NVIDIA driver supports CUDA {}.{}; this program needs {}.{}. Update the driver, or use "
          "--backend cpu.",
          driver / 1000, driver % 1000 / 10, CUDART_VERSION / 1000, CUDART_VERSION % 1000 / 10);
    }
    case cudaErrorNoDevice:
      return "There is a driver but no usable NVIDIA GPU (none installed, or hidden by CUDA_VISIBLE_DEVICES or the "
             "container). Use --backend cpu.";
    case cudaErrorNoKernelImageForDevice:
    case cudaErrorUnsupportedPtxVersion:
      return "Build with this GPU in MAMBASCOPE_CUDA_ARCHITECTURES, or use --backend cpu.";
    default:
      return "Check that nvidia-smi shows the GPU, or use --backend cpu.";
  }
}

tl::unexpected<DeviceError> failure(int code, const char* call) {
  cudaGetLastError();
  return tl::unexpected<DeviceError>(
      DeviceError{code, std::string(call) + ": " + describe_cuda_error(code) + ". " + remedy(code)});
}

int attribute(cudaDeviceAttr which) {
  int value = 0;
  if (cudaDeviceGetAttribute(&value, which, 0) != cudaSuccess) {
    cudaGetLastError();
    return 0;
  }
  return value;
}

}  // namespace

std::size_t free_device_memory() {
  std::size_t free_bytes = 0, total_bytes = 0;
  return cudaMemGetInfo(&free_bytes, &total_bytes) == cudaSuccess ? free_bytes : 0;
}

DeviceResult<DeviceInfo> query_device() {
  int count = 0;
  if (const int code = cudaGetDeviceCount(&count); code != 0) return failure(code, "cudaGetDeviceCount");
  if (count == 0) return failure(cudaErrorNoDevice, "cudaGetDeviceCount");

  cudaDeviceProp properties{};
  if (const int code = cudaGetDeviceProperties(&properties, 0); code != 0) {
    return failure(code, "cudaGetDeviceProperties");
  }
  DeviceInfo info;
  info.name = properties.name;
  char address[32] = {};
  if (cudaDeviceGetPCIBusId(address, sizeof address, 0) == cudaSuccess) info.pci_bus_id = address;
  info.driver = driver_release();
  cudaDriverGetVersion(&info.driver_cuda);
  cudaRuntimeGetVersion(&info.runtime_cuda);
  info.major = properties.major;
  info.minor = properties.minor;
  info.multiprocessors = properties.multiProcessorCount;
  info.memory_bytes = properties.totalGlobalMem;
  info.l2_bytes = static_cast<std::size_t>(properties.l2CacheSize);
  info.block_shared_bytes = properties.sharedMemPerBlockOptin;
  info.memory_bus_bits = properties.memoryBusWidth;
  info.clock_khz = attribute(cudaDevAttrClockRate);
  info.memory_clock_khz = attribute(cudaDevAttrMemoryClockRate);
  if (const int code = probe_kernel_image(info.code_architecture); code != 0) {
    return failure(code, fmt::format("{} (compute capability {}.{})", info.name, info.major, info.minor).c_str());
  }
  return info;
}

double fp32_flops_per_second(const DeviceInfo& info, std::string& words) {
  const int version = 10 * info.major + info.minor;
  const int lanes = version == 80 ? 64 : version == 60 || (version >= 70 && version < 80) ? 64 : 128;
  // Older than what the guide of CUDA 12 lists, or not told.
  if (version < 60 || info.multiprocessors <= 0 || info.clock_khz <= 0) return 0;
  words = fmt::format("{} multiprocessors x {} fp32 lanes x 2 x {} MHz, the highest clock", info.multiprocessors, lanes,
                      info.clock_khz / 1000);
  return 2e3 * info.multiprocessors * lanes * info.clock_khz;
}

std::string describe(const DeviceInfo& info) {
  return fmt::format(
      "driver {} (CUDA {}.{}), built with CUDA {}.{}, compute capability {}.{}, {} multiprocessors at {} MHz, {:.1f} "
      "GiB, "
      "L2 {} MiB",
      info.driver.empty() ? "of unknown release" : info.driver, info.driver_cuda / 1000, info.driver_cuda % 1000 / 10,
      info.runtime_cuda / 1000, info.runtime_cuda % 1000 / 10, info.major, info.minor, info.multiprocessors,
      info.clock_khz / 1000, static_cast<double>(info.memory_bytes) / 1073741824.0, info.l2_bytes >> 20U);
}

}  // namespace kernels
