// How many numbers an array of a shape holds, and where one of them is. Counted in std::size_t from the first factor on.
#pragma once

#include <cstddef>

namespace tests {

template <class... Sizes>
constexpr std::size_t elements(Sizes... sizes) {
  return (static_cast<std::size_t>(sizes) * ...);
}

// The place of (row, column) in an array of rows.
constexpr std::size_t element(int row, int columns, int column) {
  return elements(row, columns) + static_cast<std::size_t>(column);
}

}  // namespace tests
