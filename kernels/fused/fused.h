// The device kernels of the fused step: few kernels, each doing what several stages do, each letting the next one begin its
// loads early. All pointers of the arguments are device addresses, matrices and state start at multiples of 16 bytes, and a
// matrix row is a whole number of 16-byte pieces. The work is queued and not waited for. Each function returns a CUDA error
// code: 0 when the launch was accepted.
//
// A sequence's bits depend on its own values and the shapes alone: not on the batch, its place in it, or the run.
#pragma once

#include "kernels/device/stream.h"
#include "kernels/fused/fused_projection.h"
#include "kernels/fused/mixer.h"

#include <cstddef>

namespace kernels::device {

// How a kernel is queued behind another.
struct Placement {
  StreamHandle stream = nullptr;
  bool overlap = false;     // may begin before the previous kernel ends; compute capability 9.0
  bool clusters = false;    // blocks may run in clusters; compute capability 9.0
  int multiprocessors = 1;  // of the device, to divide the rows
};

int fused_projection(const FusedProjectionArgs& args, const Placement& placement);
int mixer(const MixerArgs& args, const Placement& placement);

// Whether fused_projection takes this matrix: its rows must be 16-byte pieces and not longer than a block can hold.
bool fused_projection_takes(const Matrix& matrix);
// Whether the mixer of this shape, without changes, can make the last keys again (MixerArgs::last_keys), in a step whose
// projections are products.
bool mixer_makes_keys(const MixerArgs& args);
// Shared memory that a block of the mixer needs, in bytes.
std::size_t mixer_shared_bytes(const MixerArgs& args);

}  // namespace kernels::device
