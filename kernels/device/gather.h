// Pieces of device memory that lie apart, copied to one place by one kernel: a copy engine would take a call and a few
// microseconds for each.
#pragma once

#include "kernels/device/stream.h"

#include <array>
#include <cstddef>

namespace kernels::device {

// `rows` times `width` bytes, `pitch` bytes apart, that become dense at byte `to` of the destination. All addresses and
// sizes are multiples of 4; where they are multiples of 16 it is faster.
struct GatherPiece {
  const void* from = nullptr;
  std::size_t pitch = 0, width = 0, rows = 0;
  std::size_t to = 0;
};

struct GatherArgs {
  std::array<GatherPiece, 9> pieces;
  int count = 0;
};

// Queued, not waited for. Returns a CUDA error code: 0 when the launch was accepted.
int gather(const GatherArgs& args, void* destination, int multiprocessors, StreamHandle stream);

}  // namespace kernels::device
