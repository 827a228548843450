// One stage of a token's way through the model. The list of them (step_plan.h) is what is executed, timed, costed and
// drawn.
#pragma once

#include "kernels/cost.h"

#include <cstdint>
#include <optional>
#include <string>

namespace engine {

enum class StageKind : std::uint8_t {
  embed,         // residual = E[id]
  norm,          // RMSNorm before the mixer
  in_proj,       // z, x, B, C, dt, A, trap, angle
  coefficients,  // dt, A, lambda -> alpha, beta, gamma per head
  rotate,        // angles advance; B and C: norm, bias, rotation
  state_update,  // h = alpha h + beta v' k' + gamma v k
  readout,       // y = h q + D v, output norm, gate; the caches take k and x
  mimo_mix,      // sum over ranks with mimo_o (MIMO only)
  out_proj,      // residual += W o
  mlp_norm,      // RMSNorm before the MLP
  mlp_up,        // value * silu(gate)
  mlp_down,      // residual += W hidden
  final_norm,    // RMSNorm before the head
  head,          // logits
  mixer,         // coefficients to mimo_mix in one kernel (fused variant)
  errors,        // of the whole step: Euler's, the trapezoid's and the learned rule's, per layer and head
  sample,        // the next id of every sequence from its logits
};
inline constexpr int stage_kind_count = 17;

// The name that the program and its files use, e.g. "state_update".
const char* name_of(StageKind kind);
// The kind of that name, or none.
std::optional<StageKind> stage_kind(const std::string& name);

struct Stage {
  int id = 0;      // index in the plan
  int layer = -1;  // -1: before the first or after the last layer
  StageKind kind = StageKind::embed;
  kernels::Cost cost;  // of the whole batch
};

}  // namespace engine
