// Whether numbers are the same bits. Stricter than ==, for which 0 equals -0, and it holds for NaN.
#pragma once

#include <cstddef>
#include <cstring>
#include <type_traits>
#include <vector>

namespace tests {

inline bool same_bytes(const void* a, const void* b, std::size_t bytes) {
  return bytes == 0 || std::memcmp(a, b, bytes) == 0;
}

inline bool same_bits(float a, float b) { return same_bytes(&a, &b, sizeof a); }

template <class T>
bool same_bits(const std::vector<T>& a, const std::vector<T>& b) {
  static_assert(std::is_trivially_copyable_v<T>);
  return a.size() == b.size() && same_bytes(a.data(), b.data(), a.size() * sizeof(T));
}

}  // namespace tests
