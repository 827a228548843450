// A model's weights on the device: matrices in the file's dtype, small tensors in fp32, one allocation. A tied head is
// uploaded once. Used by the thread that owns the backend.
#pragma once

#include "engine/model/open_progress.h"
#include "engine/model/weights.h"
#include "kernels/device/buffer.h"
#include "kernels/device/stream.h"

#include <span>
#include <vector>

namespace engine {

// Device memory; empty where the model has no such tensor. Names and shapes as in LayerWeights.
struct CudaLayerWeights {
  std::span<const float> norm, norm2;
  std::span<const float> dt_bias, b_norm, c_norm, b_bias, c_bias, d;
  std::span<const float> mimo_x, mimo_z, mimo_o, outproj_norm;
  kernels::Matrix in_proj, out_proj, fc1, fc2;
};

class CudaWeights {
 public:
  CudaWeights() = default;
  // Uploads, or draws on the device what is only planned (Weights::seed_to_draw), and waits. Errors: no memory, device
  // failure; cancelled (opening_cancelled). `progress` may be null.
  static kernels::DeviceResult<CudaWeights> upload(const Weights& weights, const kernels::Stream& stream,
                                                   OpenProgress* progress);
  // On the device.
  static std::size_t bytes_needed(const Weights& weights);

  std::size_t bytes() const { return memory_.bytes(); }

  ModelConfig config;
  kernels::Matrix embedding, head;
  std::span<const float> norm_f;
  std::vector<CudaLayerWeights> layers;

 private:
  kernels::DeviceBuffer memory_;
};

}  // namespace engine
