#include "profiler/activity/stage_time.h"

namespace profiler {

static_assert(sizeof(std::uint64_t) == 8);

}  // namespace profiler
