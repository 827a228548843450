// CUPTI's result codes in the profiler's words. For the files that call the library; compiled with CUPTI's headers alone.
#pragma once

#include "profiler/cupti/api.h"

#include <cupti_result.h>

namespace profiler {

CuptiFault fault_of(CUptiResult result);
inline CuptiResult from(CUptiResult result) { return {fault_of(result), static_cast<int>(result)}; }

}  // namespace profiler
