// Which kernel a stage of the staged plan is, on the device.
#pragma once

#include "engine/backend/cuda_buffers.h"
#include "engine/backend/cuda_weights.h"
#include "engine/backend/stage_arguments.h"
#include "kernels/device/launch.h"

namespace engine {

using CudaArguments = StageArguments<float, CudaBuffers, CudaWeights>;

// Queues it; every stage but `embed`, `mixer`, `errors` and `sample`, of which nothing is queued.
inline kernels::DeviceResult<void> launch_staged(const Stage& stage, const CudaArguments& arguments,
                                                 kernels::StreamHandle stream) {
  namespace device = kernels::device;
  const auto accepted = [](int code) { return kernels::check_cuda(code, "launch"); };
  switch (stage.kind) {
    case StageKind::norm:
    case StageKind::mlp_norm:
    case StageKind::final_norm:
      return accepted(device::norm(arguments.norm(stage), stream));
    case StageKind::in_proj:
    case StageKind::out_proj:
    case StageKind::mlp_up:
    case StageKind::mlp_down:
    case StageKind::head:
      return accepted(device::projection(arguments.projection(stage), stream));
    case StageKind::coefficients:
      return accepted(device::coefficients(arguments.coefficients(stage), stream));
    case StageKind::rotate:
      return accepted(device::rotate(arguments.rotate(stage), stream));
    case StageKind::state_update:
      return accepted(device::state_update(arguments.state_update(stage), stream));
    case StageKind::readout:
      return accepted(device::readout(arguments.readout(stage), stream));
    case StageKind::mimo_mix:
      return accepted(device::mimo_mix(arguments.mimo_mix(stage), stream));
    case StageKind::embed:
    case StageKind::mixer:
    case StageKind::errors:
    case StageKind::sample:
      break;
  }
  return {};
}

}  // namespace engine
