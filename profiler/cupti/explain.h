// What a fault of CUPTI's means to the user: one reason and one remedy, the same wherever it shows. Any thread.
#pragma once

#include "profiler/cupti/api.h"

#include <string>

namespace profiler {

// `doing`: what CUPTI could not do ("subscribe"); `error`: its own name for why.
Unavailable explain(const std::string& doing, const std::string& error, CuptiFault fault);

}  // namespace profiler
