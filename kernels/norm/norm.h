// RMSNorm before a mixer, before an MLP and before the head: out = in / sqrt(mean(in^2) + 1e-5) * weight.
// T is the type of activations: float on the device and in the CPU backend, double in the reference.
#pragma once

namespace kernels {

// Of every RMSNorm in the model; the official package offers no way to change it.
inline constexpr double norm_epsilon = 1e-5;

template <class T>
struct NormArgs {
  int batch = 1;
  int width = 0;                  // d
  const T* in = nullptr;          // (B, d)
  const float* weight = nullptr;  // (d)
  T* out = nullptr;               // (B, d)
};

}  // namespace kernels
