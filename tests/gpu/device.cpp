#include "tests/gpu/device.h"

#include "kernels/device/device_info.h"

#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace gpu_test {

bool has_device() {
  static const bool found = [] {
    const auto device = kernels::query_device();
    if (device) {
      std::printf("GPU tests on %s, %s\n", device->name.c_str(), kernels::describe(*device).c_str());
    } else {
      std::printf("GPU tests are skipped: %s\n", device.error().message.c_str());
    }
    return device.has_value();
  }();
  return found;
}

bool small() {
  const char* set = std::getenv("MAMBASCOPE_GPU_TESTS");
  return set != nullptr && std::strcmp(set, "small") == 0;
}

const kernels::Stream& stream() {
  static const kernels::Stream one = [] {
    auto created = kernels::Stream::create();
    require(created);
    return std::move(*created);
  }();
  return one;
}

void finish(int launch_code) {
  require(kernels::check_cuda(launch_code, "launch"));
  require(stream().synchronize());
}

}  // namespace gpu_test
