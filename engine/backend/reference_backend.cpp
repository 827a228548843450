#include "engine/backend/reference_backend.h"

#include "engine/backend/reference_prefill.h"
#include "kernels/reference/reference.h"

namespace engine {

ReferenceBackend::ReferenceBackend(const Weights& weights, int batch, bool errors)
    : HostBackend(weights, batch, errors), weights_(weights) {
  info_.name = "reference";
  info_.device = "CPU, double precision, 1 thread";
  info_.state = "fp64";
  info_.chunked_prefill = true;
  // The plan counts values of four bytes. What grows with the batch is activations and state, of eight here; but an
  // embedding reads its table's rows as they are stored.
  const StepPlan more = make_staged_plan(weights, batch + 1, errors);
  for (Stage& stage : plan_.stages) {
    const std::uint64_t each = more.stages[static_cast<std::size_t>(stage.id)].cost.bytes_read - stage.cost.bytes_read;
    if (stage.kind != StageKind::embed) stage.cost.bytes_read += static_cast<std::uint64_t>(batch) * each;
    stage.cost.bytes_written *= 2;
  }
  info_.detail = "Scalar loops in the paper's order; slow, for verification.";
}

void ReferenceBackend::run(const Stage& stage) {
  namespace reference = kernels::reference;
  switch (stage.kind) {
    case StageKind::embed:
      return reference::embedding(arguments_.embedding());
    case StageKind::norm:
    case StageKind::mlp_norm:
    case StageKind::final_norm:
      return reference::norm(arguments_.norm(stage));
    case StageKind::in_proj:
    case StageKind::out_proj:
    case StageKind::mlp_up:
    case StageKind::mlp_down:
    case StageKind::head:
      return reference::projection(arguments_.projection(stage));
    case StageKind::coefficients:
      return reference::coefficients(arguments_.coefficients(stage));
    case StageKind::rotate:
      return reference::rotate(arguments_.rotate(stage));
    case StageKind::state_update:
      return reference::state_update(arguments_.state_update(stage));
    case StageKind::readout:
      return reference::readout(arguments_.readout(stage));
    case StageKind::errors:
      for (std::size_t l = 0; l < buffers_.layers.size(); ++l) reference::discretisation_errors(arguments_.errors(l));
      return;
    case StageKind::mixer:  // in no plan of this backend
    case StageKind::sample:
      break;
    case StageKind::mimo_mix:
      return reference::mimo_mix(arguments_.mimo_mix(stage));
  }
}

void ReferenceBackend::run_piece(int sequence, std::span<const std::int32_t> ids) {
  reference_prefill(weights_, plan_.batch, sequence, ids, buffers_);
}

}  // namespace engine
