// CUPTI's range profiler as it is on this machine; where the program was built without its header (CUDA before 12.6), the
// answer is always why not.
#pragma once

#include "profiler/counters/api.h"

#include <tl/expected.hpp>

#include <functional>
#include <memory>
#include <string>

namespace profiler {

tl::expected<std::unique_ptr<CounterApi>, Unavailable> open_counters();

// The same on a library of the caller's: for tests. `resolve` gives a function's address by name, or null; it is also
// asked for the driver's cuCtxGetCurrent.
tl::expected<std::unique_ptr<CounterApi>, Unavailable> bind_counters(const std::string& path,
                                                                     const std::function<void*(const char*)>& resolve);

}  // namespace profiler
