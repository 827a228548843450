// What a stage of the fused plan hands to its kernel: the twin of stage_arguments.h for the CUDA backend's fused variant.
#pragma once

#include "engine/backend/cuda_buffers.h"
#include "engine/backend/cuda_weights.h"
#include "engine/plan/stage.h"
#include "kernels/fused/fused_projection.h"
#include "kernels/fused/mixer.h"

namespace engine {

class FusedArguments {
 public:
  FusedArguments(const CudaWeights& weights, const CudaBuffers& buffers, int batch)
      : weights_(weights), config_(weights.config), at_(config_.in_proj()), buffers_(buffers), batch_(batch) {}

  // in_proj, out_proj, mlp_up, mlp_down, head
  kernels::FusedProjectionArgs projection(const Stage& stage) const;
  kernels::MixerArgs mixer(const Stage& stage) const;

 private:
  const CudaLayerWeights& layer_weights(const Stage& stage) const {
    return weights_.layers[static_cast<std::size_t>(stage.layer)];
  }
  kernels::CoefficientRows coefficient_rows(const Stage& stage) const;

  const CudaWeights& weights_;
  const ModelConfig& config_;
  InProjLayout at_;
  const CudaBuffers& buffers_;
  int batch_;
};

}  // namespace engine
