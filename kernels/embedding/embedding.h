// The first stage of a step: residual = E[id], for each sequence of the batch.
// T is the type of activations: float on the device and in the CPU backend, double in the reference.
#pragma once

#include "kernels/matrix.h"

#include <cstdint>

namespace kernels {

template <class T>
struct EmbeddingArgs {
  int batch = 1;
  Matrix table;                       // (V, d)
  const std::int32_t* ids = nullptr;  // (B), each in [0, V)
  T* out = nullptr;                   // (B, d)
};

}  // namespace kernels
