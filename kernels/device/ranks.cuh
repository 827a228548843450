// From run-time shapes to template arguments: the rank, and how many lanes share a row of the state.
#pragma once

#include <type_traits>

namespace kernels::device {

inline constexpr int max_rank = 8;

// Calls `body` with std::integral_constant<int, rank>; false for a rank outside 1..8.
template <class Body>
bool with_rank(int rank, const Body& body) {
  switch (rank) {
    case 1:
      body(std::integral_constant<int, 1>{});
      return true;
    case 2:
      body(std::integral_constant<int, 2>{});
      return true;
    case 3:
      body(std::integral_constant<int, 3>{});
      return true;
    case 4:
      body(std::integral_constant<int, 4>{});
      return true;
    case 5:
      body(std::integral_constant<int, 5>{});
      return true;
    case 6:
      body(std::integral_constant<int, 6>{});
      return true;
    case 7:
      body(std::integral_constant<int, 7>{});
      return true;
    case 8:
      body(std::integral_constant<int, 8>{});
      return true;
    default:
      return false;
  }
}

// Lanes that share a row of d_state values, four at a time: the power of two that covers it, between 2 and a warp.
template <class Body>
void with_lanes(int d_state, const Body& body) {
  const int quads = d_state / 4;
  if (quads <= 2) return body(std::integral_constant<int, 2>{});
  if (quads <= 4) return body(std::integral_constant<int, 4>{});
  if (quads <= 8) return body(std::integral_constant<int, 8>{});
  if (quads <= 16) return body(std::integral_constant<int, 16>{});
  return body(std::integral_constant<int, 32>{});
}

}  // namespace kernels::device
