// The memory behind kernels/fused/last_keys.h for all layers: what the last token's keys are made from, in place of the
// cache of keys, which is brought up to date only for those who read the state. For steps in products (ProductStep).
#pragma once

#include "engine/backend/cuda_buffers.h"
#include "engine/backend/cuda_weights.h"
#include "kernels/device/buffer.h"
#include "kernels/device/stream.h"
#include "kernels/fused/last_keys.h"

#include <cstddef>

namespace engine {

class LastKeysMemory {
 public:
  LastKeysMemory() = default;
  // Nothing is known in it yet. Waits for the stream.
  static kernels::DeviceResult<LastKeysMemory> allocate(const ModelConfig& config, int batch,
                                                        const kernels::Stream& stream);

  kernels::LastKeys layer(int l) const;

  // Queues: the cache of keys in `buffers` becomes that of the state's token. What is known stays known.
  kernels::DeviceResult<void> write_cache(const CudaWeights& weights, const CudaBuffers& buffers,
                                          const kernels::Stream& stream) const;
  // Queues: nothing is known, and the next step reads the cache.
  kernels::DeviceResult<void> forget(const kernels::Stream& stream) const;

 private:
  int batch_ = 1;
  std::size_t count_ = 0;         // values of one layer, (B, R, G, N)
  kernels::DeviceBuffer values_;  // (L, 2, count)
  kernels::DeviceBuffer known_;   // (L, 2) int32
};

}  // namespace engine
