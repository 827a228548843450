// Stands in for live.cpp where the program is built without the range profiler's header.
#include "profiler/counters/live.h"

namespace profiler {

namespace {

Unavailable built_without() {
  return {"This program was built without CUPTI's range profiler.",
          "Install CUPTI's headers of CUDA 12.6 or newer (package cuda-cupti-dev) and build again."};
}

}  // namespace

tl::expected<std::unique_ptr<CounterApi>, Unavailable> open_counters() {
  return tl::unexpected<Unavailable>(built_without());
}

tl::expected<std::unique_ptr<CounterApi>, Unavailable> bind_counters(const std::string&,
                                                                     const std::function<void*(const char*)>&) {
  return tl::unexpected<Unavailable>(built_without());
}

}  // namespace profiler
