// Stands in for live.cpp where the program is built without CUPTI's headers.
#include "profiler/cupti/live.h"

namespace profiler {

namespace {

Unavailable built_without() {
  return {"This program was built without CUPTI.",
          "Install a CUDA Toolkit with CUPTI's headers (package cuda-cupti-dev) and build again."};
}

}  // namespace

tl::expected<std::unique_ptr<CuptiApi>, Unavailable> open_cupti() {
  return tl::unexpected<Unavailable>(built_without());
}

tl::expected<std::unique_ptr<CuptiApi>, Unavailable> bind_cupti(const std::string&,
                                                                const std::function<void*(const char*)>&) {
  return tl::unexpected<Unavailable>(built_without());
}

}  // namespace profiler
