// CUPTI's PM sampling as it is on this machine; where the program was built without its header (CUDA before 12.6), the answer
// is always why not.
#pragma once

#include "profiler/counters/sampling_api.h"

#include <tl/expected.hpp>

#include <functional>
#include <memory>
#include <string>

namespace profiler {

tl::expected<std::unique_ptr<SamplingApi>, Unavailable> open_sampling();

// The same on a library of the caller's: for tests. `resolve` gives a function's address by name, or null.
tl::expected<std::unique_ptr<SamplingApi>, Unavailable> bind_sampling(const std::string& path,
                                                                      const std::function<void*(const char*)>& resolve);

}  // namespace profiler
