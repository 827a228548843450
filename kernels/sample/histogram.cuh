// Sums of 64-bit masses by bin, in the shared memory of a cluster's blocks: each block adds what it sees to its own copy,
// then each block adds up one slice of the bins over all copies. Integer sums: the same whatever the order. Device code only.
#pragma once

#include "kernels/sample/cluster.cuh"

namespace kernels::device {

constexpr int bins = 2048;

struct Histogram {
  // A 64-bit atomic addition in shared memory is a loop, two of 32 bits are not.
  unsigned low[bins], high[bins];
  unsigned members[bins];
  std::uint64_t slice;      // the sum of this block's slice
  std::uint64_t warps[32];  // scratch
  // The bin that find() found, the sum of the bins before it, and how many ids it has.
  int bin;
  unsigned count;
  std::uint64_t before;

  __device__ __forceinline__ void clear() {
    for (int i = static_cast<int>(threadIdx.x); i < bins; i += static_cast<int>(blockDim.x)) {
      low[i] = high[i] = members[i] = 0;
    }
    __syncthreads();
  }

  __device__ __forceinline__ void add(int to, std::uint64_t mass) {
    const auto piece = static_cast<unsigned>(mass);
    unsigned upper = static_cast<unsigned>(mass >> 32U);
    if (atomicAdd(&low[to], piece) + piece < piece) ++upper;
    if (upper != 0) atomicAdd(&high[to], upper);
    atomicAdd(&members[to], 1U);
  }

  __device__ __forceinline__ std::uint64_t mass(int of) const { return std::uint64_t{high[of]} << 32U | low[of]; }

  // Adds the blocks' copies up; returns the sum of all bins. The sums of slice s lie in block s.
  template <int blocks>
  __device__ std::uint64_t add_up(int block) {
    constexpr int width = bins / blocks;
    meet<blocks>();
    std::uint64_t mine = 0;
    for (int i = static_cast<int>(threadIdx.x); i < width; i += static_cast<int>(blockDim.x)) {
      const int at = block * width + i;
      std::uint64_t sum = 0;
      unsigned count = 0;
#pragma unroll
      for (int b = 0; b < blocks; ++b) {
        const Histogram& other = *seen_from<blocks>(this, b);
        sum += other.mass(at);
        count += other.members[at];
      }
      // No other block reads or writes this slice of this block's copy.
      low[at] = static_cast<unsigned>(sum);
      high[at] = static_cast<unsigned>(sum >> 32U);
      members[at] = count;
      mine += sum;
    }
    mine = running_sum_block(mine, warps);
    if (threadIdx.x == blockDim.x - 1) slice = mine;
    meet<blocks>();
    std::uint64_t total = 0;
    for (int b = 0; b < blocks; ++b) total += seen_from<blocks>(this, b)->slice;
    return total;
  }

  // The first bin at which the running sum reaches `goal`, which is 1 to the sum of all bins. Every block finds the same.
  template <int blocks>
  __device__ void find(std::uint64_t goal) {
    constexpr int width = bins / blocks;
    int owner = 0;
    std::uint64_t running = 0;
    for (; owner < blocks - 1; ++owner) {
      const std::uint64_t next = running + seen_from<blocks>(this, owner)->slice;
      if (next >= goal) break;
      running = next;
    }
    const Histogram& other = *seen_from<blocks>(this, owner);
    for (int first = 0; first < width; first += static_cast<int>(blockDim.x)) {
      const int i = first + static_cast<int>(threadIdx.x);
      const int at = owner * width + i;
      const std::uint64_t own = i < width ? other.mass(at) : 0;
      const std::uint64_t sum = running + running_sum_block(own, warps);
      if (sum >= goal && sum - own < goal) {
        bin = at;
        count = other.members[at];
        before = sum - own;
      }
      if (threadIdx.x == blockDim.x - 1) slice_end_ = sum;
      __syncthreads();
      running = slice_end_;
      __syncthreads();
    }
    meet<blocks>();  // the copies may be cleared
  }

 private:
  std::uint64_t slice_end_;
};

}  // namespace kernels::device
