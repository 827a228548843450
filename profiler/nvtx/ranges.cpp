#include "profiler/nvtx/ranges.h"

#ifdef MAMBASCOPE_HAVE_NVTX
#include <nvtx3/nvToolsExt.h>
#endif

namespace profiler {

#ifdef MAMBASCOPE_HAVE_NVTX

void push_range(const char* name) { nvtxRangePushA(name); }
void pop_range() { nvtxRangePop(); }
bool has_ranges() { return true; }

#else

void push_range(const char*) {}
void pop_range() {}
bool has_ranges() { return false; }

#endif

}  // namespace profiler
