// Named ranges for another profiler (nsys, ncu) when this process leaves CUPTI to it. They cost next to nothing while no
// tool listens, and nothing where the program is built without NVTX's headers. Ranges nest, per thread.
#pragma once

namespace profiler {

void push_range(const char* name);
void pop_range();
// Whether the program was built with NVTX.
bool has_ranges();

}  // namespace profiler
