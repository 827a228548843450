// Changes cells of the matrix state before a step. The list lies on the device with its length, so that a recorded step
// takes up a new one. All pointers are device addresses; returns a CUDA error code: 0 when the launch was accepted.
#pragma once

#include "kernels/device/stream.h"
#include "kernels/intervention/intervention.h"

namespace kernels {

struct ChangeCellsArgs {
  int batch = 1;
  int heads = 0;    // H
  int headdim = 0;  // P
  int d_state = 0;  // N
  bool bf16_state = false;
  const int* count = nullptr;         // (1): of the cells
  const CellChange* cells = nullptr;  // each place at most once
  void* h = nullptr;                  // (L, B, H, P, N) in and out, fp32 or bf16: there the nearest value, ties to even
};

namespace device {

int change_cells(const ChangeCellsArgs& args, StreamHandle stream);

}  // namespace device

}  // namespace kernels
