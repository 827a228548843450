// The ranks of a MIMO model become one output (official repository, modules/mamba3.py):
//   o[h,p] = sum_r mimo_o[h,r,p] values[r,h,p], ranks in rising order.
// T is the type of activations: float on the device and in the CPU backend, double in the reference.
#pragma once

#include "kernels/intervention/intervention.h"

namespace kernels {

template <class T>
struct MimoMixArgs {
  int batch = 1;
  int heads = 0;                  // H
  int headdim = 0;                // P
  int rank = 1;                   // R
  const T* values = nullptr;      // (B, R, H, P): gated outputs of the readout
  const float* mimo_o = nullptr;  // (H, R, P)
  T* out = nullptr;               // (B, H, P)
  LayerChanges changes = {};      // of the heads' outputs
};

}  // namespace kernels
