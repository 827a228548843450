// How one kernel of a step overlaps the next (programmatic dependent launch, compute capability 9.0 and newer; on older
// devices kernels follow each other as usual). A kernel loads what no kernel of the same step writes (weights, the state
// of its own layer), lets the next kernel start, then waits for the kernel before it, and only then touches anything else.
// Each kernel of a chain waits, so that the end of one is the end of all before it. Device code only.
#pragma once

#include <cuda_runtime.h>

#include <cstddef>

namespace kernels::device {

// Returns when the kernels before this one have ended and their writes can be seen.
__device__ __forceinline__ void wait_for_previous() {
#if __CUDA_ARCH__ >= 900
  asm volatile("griddepcontrol.wait;" ::: "memory");
#endif
}

// Once every block has called this or has ended, the blocks of the next kernel may take free places on the device.
__device__ __forceinline__ void let_next_start() {
#if __CUDA_ARCH__ >= 900
  asm volatile("griddepcontrol.launch_dependents;" ::: "memory");
#endif
}

// A barrier of the blocks of a cluster, in two steps: what a block did before it arrived can be seen by whoever waited.
__device__ __forceinline__ void cluster_arrive() {
#if __CUDA_ARCH__ >= 900
  asm volatile("barrier.cluster.arrive.release.aligned;" ::: "memory");
#endif
}
__device__ __forceinline__ void cluster_wait() {
#if __CUDA_ARCH__ >= 900
  asm volatile("barrier.cluster.wait.acquire.aligned;" ::: "memory");
#endif
}

// Memory that a later kernel will read, brought into the L2 cache while the memory would otherwise idle.
struct Prefetch {
  const void* data = nullptr;  // 16-byte aligned
  std::size_t bytes = 0;       // a multiple of 16
};

// Asks for this block's share of it; called by one thread of each block of a grid of `blocks`.
__device__ __forceinline__ void prefetch_share(const Prefetch& what, unsigned block, unsigned blocks) {
#if __CUDA_ARCH__ >= 900
  constexpr std::size_t piece = 16384;
  const char* data = static_cast<const char*>(what.data);
  for (std::size_t at = block * piece; at < what.bytes; at += blocks * piece) {
    const unsigned size = static_cast<unsigned>(what.bytes - at < piece ? what.bytes - at : piece);
    asm volatile("cp.async.bulk.prefetch.L2.global [%0], %1;" ::"l"(data + at), "r"(size));
  }
#endif
}

// Starts a copy of `count` floats into shared memory by all `threads` threads of a block; arrived() ends it. `whole`: it is
// known that count is a multiple of 4, at most 4 a thread, and that `from` is a multiple of 16 bytes.
template <bool whole>
__device__ __forceinline__ void fetch(float* shared, const float* from, int count, int threads) {
  if constexpr (whole) {
    const int i = static_cast<int>(threadIdx.x);
    if (i < count / 4) {
      const unsigned to = static_cast<unsigned>(__cvta_generic_to_shared(shared)) + 16U * i;
      asm volatile("cp.async.cg.shared.global [%0], [%1], 16;" ::"r"(to), "l"(from + 4 * i) : "memory");
    }
    return;
  }
  const bool quads = count % 4 == 0 && reinterpret_cast<unsigned long long>(from) % 16 == 0;
  const unsigned to = static_cast<unsigned>(__cvta_generic_to_shared(shared));
  if (quads) {
    for (int i = static_cast<int>(threadIdx.x); i < count / 4; i += threads) {
      asm volatile("cp.async.cg.shared.global [%0], [%1], 16;" ::"r"(to + 16U * i), "l"(from + 4 * i) : "memory");
    }
  } else {
    for (int i = static_cast<int>(threadIdx.x); i < count; i += threads) {
      asm volatile("cp.async.ca.shared.global [%0], [%1], 4;" ::"r"(to + 4U * i), "l"(from + i) : "memory");
    }
  }
}

// Starts the copy of one float into shared memory; arrived() ends it.
__device__ __forceinline__ void fetch_one(float* shared, const float* from) {
  const unsigned to = static_cast<unsigned>(__cvta_generic_to_shared(shared));
  asm volatile("cp.async.ca.shared.global [%0], [%1], 4;" ::"r"(to), "l"(from) : "memory");
}

// Waits for this thread's own copies; a barrier makes everybody's visible.
__device__ __forceinline__ void arrived() { asm volatile("cp.async.wait_all;" ::: "memory"); }

}  // namespace kernels::device
