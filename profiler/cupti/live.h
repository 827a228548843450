// CUPTI as it is on this machine. Where the program was built without CUPTI's headers, the answer is always why not.
#pragma once

#include "profiler/cupti/api.h"
#include "profiler/cupti/library.h"

#include <tl/expected.hpp>

#include <functional>
#include <memory>

namespace profiler {

// Opens the library and resolves its functions. A function that is absent disables what needs it; only those without
// which no record can be had make the whole unavailable. Call before the first CUDA call of the process.
tl::expected<std::unique_ptr<CuptiApi>, Unavailable> open_cupti();

// The same on a library of the caller's: for tests. `resolve` gives a function's address by name, or null.
tl::expected<std::unique_ptr<CuptiApi>, Unavailable> bind_cupti(const std::string& path,
                                                                const std::function<void*(const char*)>& resolve);

}  // namespace profiler
