// Stands in for live_sampling.cpp where the program is built without PM sampling's header.
#include "profiler/counters/live_sampling.h"

namespace profiler {

namespace {

Unavailable built_without() {
  return {"This program was built without CUPTI's PM sampling.",
          "Install CUPTI's headers of CUDA 12.6 or newer (package cuda-cupti-dev) and build again."};
}

}  // namespace

tl::expected<std::unique_ptr<SamplingApi>, Unavailable> open_sampling() {
  return tl::unexpected<Unavailable>(built_without());
}

tl::expected<std::unique_ptr<SamplingApi>, Unavailable> bind_sampling(const std::string&,
                                                                      const std::function<void*(const char*)>&) {
  return tl::unexpected<Unavailable>(built_without());
}

}  // namespace profiler
