// The state of all heads at a coarser grain: each head's P x N cells are divided into rows x columns blocks, and of a
// block are kept the value of largest magnitude, with its sign, and the root of the mean square. Block i of n over c
// cells is [i c / n, (i + 1) c / n), so that any P and N can be divided. Exact: the value does not depend on an order
// (between +x and -x the positive one wins; what is not finite wins over all), and the sum of squares runs over the block
// row by row in double, where squares of fp32 are exact. So host and device give the same bits. Not a stage: it looks at
// what a step left.
#pragma once

#include "kernels/device/stream.h"

#include <cstddef>
#include <cstdint>

namespace kernels {

struct StateTile {
  float largest = 0;  // NaN where a cell is
  float rms = 0;
};

// Over all blocks that were made with the same one, which begins as zeros.
struct StateTilesSummary {
  std::uint32_t largest = 0;     // bits of the largest |value| of a block that is finite
  std::uint32_t not_finite = 0;  // 1: a block holds what is not
};

// T: float, double (rounded to float first), or the bits of bf16 as std::uint16_t (device only).
template <class T>
struct StateTilesArgs {
  int layers = 1;             // L
  int heads = 0;              // H
  int headdim = 0;            // P
  int d_state = 0;            // N
  int rows = 1, columns = 1;  // of blocks in a head: 1 to P, 1 to N

  const T* h = nullptr;                  // (L, H, P, N)
  std::size_t layer_stride = 0;          // elements from one layer to the next
  StateTile* tiles = nullptr;            // (L, H, rows, columns)
  StateTilesSummary* summary = nullptr;  // where the tiles are; may be null
};

constexpr int block_begin(int block, int blocks, int cells) {
  return static_cast<int>(static_cast<std::int64_t>(block) * cells / blocks);
}
// The block that a cell is in.
constexpr int block_of(int cell, int blocks, int cells) {
  return static_cast<int>((static_cast<std::int64_t>(cell + 1) * blocks - 1) / cells);
}

// Orders values by magnitude through their bits: infinity above all numbers, NaN above that, +x above -x.
constexpr std::uint32_t magnitude_key(std::uint32_t bits) { return (bits << 1U) | (bits >> 31U ^ 1U); }
constexpr std::uint32_t bits_of_key(std::uint32_t key) { return (key >> 1U) | ((key & 1U) ^ 1U) << 31U; }
inline constexpr std::uint32_t not_a_number = 0x7FC00000U;  // the same on every machine
constexpr bool is_finite(std::uint32_t bits) { return (bits & 0x7FFFFFFFU) < 0x7F800000U; }
constexpr bool is_not_a_number(std::uint32_t bits) { return (bits & 0x7FFFFFFFU) > 0x7F800000U; }

// On the host.
void state_tiles(const StateTilesArgs<float>& args);
void state_tiles(const StateTilesArgs<double>& args);

namespace device {
// Queued, not waited for. Returns a CUDA error code: 0 when the launch was accepted. L and H at most 65,535.
int state_tiles(const StateTilesArgs<float>& args, StreamHandle stream);
int state_tiles(const StateTilesArgs<std::uint16_t>& args, StreamHandle stream);
}  // namespace device

}  // namespace kernels
