// The scalar functions of the model on the host, for float and double. Device code has its own; both are held against
// each other by tests. Definitions follow the official package: softplus is the identity above 20, as in PyTorch.
#pragma once

#include <cmath>
#include <cstdint>

namespace kernels {

inline constexpr double pi = 3.141592653589793;
inline constexpr double two_pi = 6.283185307179586;

template <class T>
T sigmoid(T u) {  // neither branch overflows
  if (u >= 0) return T(1) / (T(1) + std::exp(-u));
  const T e = std::exp(u);
  return e / (T(1) + e);
}

template <class T>
T silu(T u) {
  return u * sigmoid(u);
}

template <class T>
T softplus(T u) {
  return u > T(20) ? u : std::log1p(std::exp(u));
}

// f of A = -f(dd_A): heavy tail.
template <class T>
T heavy_tail(T u) {
  return u >= 0 ? T(1) + u : T(1) / (T(1) - u);
}

// Wraps an angle into [0, 2 pi) as T represents it and adds the whole turns to `turns`. The reduction is done in
// double, so that it costs no more than the rounding of the result, however many turns. Beyond 2^30 turns at once,
// which no sensible model makes, the angle is still reduced but the turns are not counted; infinity and NaN become NaN.
template <class T>
T wrap_angle(double angle, std::int32_t& turns) {
  double whole = std::floor(angle / two_pi);
  double rest = angle - whole * two_pi;
  if (!(std::fabs(whole) < 0x1.0p30)) rest = std::fmod(angle, two_pi), whole = 0;
  if (rest < 0) rest += two_pi, whole -= 1;
  T wrapped = static_cast<T>(rest);
  if (wrapped >= static_cast<T>(two_pi)) wrapped = 0, whole += 1;
  turns = static_cast<std::int32_t>(static_cast<std::uint32_t>(turns) +
                                    static_cast<std::uint32_t>(static_cast<std::int32_t>(whole)));
  return wrapped;
}

}  // namespace kernels
