// Functions of the driver that the runtime does not have. The program is not linked to the driver, so that it starts where
// there is none.
#pragma once

namespace kernels {

// The function of this name as CUDA 12.0 has it, to be cast to its type; null where there is none. Any thread; ask once.
void* driver_function(const char* name);

}  // namespace kernels
