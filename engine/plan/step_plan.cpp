#include "engine/plan/step_plan.h"

#include "kernels/coefficients/coefficients_cost.h"
#include "kernels/discretisation_errors/discretisation_errors_cost.h"
#include "kernels/embedding/embedding_cost.h"
#include "kernels/fused/mixer_cost.h"
#include "kernels/mimo_mix/mimo_mix_cost.h"
#include "kernels/norm/norm_cost.h"
#include "kernels/projection/projection_cost.h"
#include "kernels/readout/readout_cost.h"
#include "kernels/rotate/rotate_cost.h"
#include "kernels/state_update/state_update_cost.h"

namespace engine {

namespace {

void add(StepPlan& plan, int layer, StageKind kind, const kernels::Cost& cost) {
  plan.stages.push_back({static_cast<int>(plan.stages.size()), layer, kind, cost});
}

// A projection that norms its input itself: the weight is read, the normed input is not written.
kernels::Cost normed_projection_cost(int batch, kernels::ProjectionMode mode, const kernels::Matrix& weight) {
  kernels::Cost cost = kernels::projection_cost(batch, mode, weight);
  cost.bytes_read += 4 * std::uint64_t(weight.cols);
  cost.flops += kernels::norm_cost(batch, weight.cols).flops;
  return cost;
}

void add_errors(StepPlan& plan, const ModelConfig& c) {
  add(plan, -1, StageKind::errors,
      kernels::discretisation_errors_cost(c.n_layer, plan.batch, c.heads(), c.headdim, c.d_state, c.rank(), c.angles(),
                                          c.is_mimo));
}

}  // namespace

kernels::Cost StepPlan::total() const {
  kernels::Cost sum;
  for (const Stage& stage : stages) {
    sum.bytes_read += stage.cost.bytes_read;
    sum.bytes_written += stage.cost.bytes_written;
    sum.flops += stage.cost.flops;
  }
  return sum;
}

StepPlan make_staged_plan(const Weights& weights, int batch, bool errors) {
  using kernels::ProjectionMode;
  const ModelConfig& c = weights.config;
  const int heads = c.heads();
  const int rank = c.rank();
  StepPlan plan;
  plan.batch = batch;
  add(plan, -1, StageKind::embed, kernels::embedding_cost(batch, weights.embedding));
  for (int l = 0; l < c.n_layer; ++l) {
    const LayerWeights& w = weights.layers[static_cast<std::size_t>(l)];
    add(plan, l, StageKind::norm, kernels::norm_cost(batch, c.d_model));
    add(plan, l, StageKind::in_proj, kernels::projection_cost(batch, ProjectionMode::store, w.in_proj));
    add(plan, l, StageKind::coefficients, kernels::coefficients_cost(batch, heads, c.angles()));
    add(plan, l, StageKind::rotate, kernels::rotate_cost(batch, heads, rank, c.ngroups, c.d_state, c.angles()));
    add(plan, l, StageKind::state_update,
        kernels::state_update_cost(batch, heads, c.headdim, c.d_state, rank, c.is_mimo));
    add(plan, l, StageKind::readout,
        kernels::readout_cost(batch, heads, c.headdim, c.d_state, rank, c.is_mimo, c.is_outproj_norm));
    if (c.is_mimo) add(plan, l, StageKind::mimo_mix, kernels::mimo_mix_cost(batch, heads, c.headdim, rank));
    add(plan, l, StageKind::out_proj, kernels::projection_cost(batch, ProjectionMode::accumulate, w.out_proj));
    if (!c.has_mlp()) continue;
    add(plan, l, StageKind::mlp_norm, kernels::norm_cost(batch, c.d_model));
    add(plan, l, StageKind::mlp_up, kernels::projection_cost(batch, ProjectionMode::gated, w.fc1));
    add(plan, l, StageKind::mlp_down, kernels::projection_cost(batch, ProjectionMode::accumulate, w.fc2));
  }
  if (errors) add_errors(plan, c);
  add(plan, -1, StageKind::final_norm, kernels::norm_cost(batch, c.d_model));
  add(plan, -1, StageKind::head, kernels::projection_cost(batch, ProjectionMode::store, weights.head));
  return plan;
}

StepPlan make_fused_plan(const Weights& weights, int batch, int state_value_bytes, bool errors, bool keys_again) {
  using kernels::ProjectionMode;
  const ModelConfig& c = weights.config;
  StepPlan plan;
  plan.variant = "fused";
  plan.batch = batch;
  add(plan, -1, StageKind::embed, kernels::embedding_cost(batch, weights.embedding));
  for (int l = 0; l < c.n_layer; ++l) {
    const LayerWeights& w = weights.layers[static_cast<std::size_t>(l)];
    add(plan, l, StageKind::in_proj, normed_projection_cost(batch, ProjectionMode::store, w.in_proj));
    add(plan, l, StageKind::mixer,
        kernels::mixer_cost(batch, c.heads(), c.headdim, c.d_state, c.rank(), c.ngroups, c.angles(), c.is_mimo,
                            c.is_outproj_norm, state_value_bytes, keys_again));
    add(plan, l, StageKind::out_proj, kernels::projection_cost(batch, ProjectionMode::accumulate, w.out_proj));
    if (!c.has_mlp()) continue;
    add(plan, l, StageKind::mlp_up, normed_projection_cost(batch, ProjectionMode::gated, w.fc1));
    add(plan, l, StageKind::mlp_down, kernels::projection_cost(batch, ProjectionMode::accumulate, w.fc2));
  }
  if (errors) add_errors(plan, c);
  add(plan, -1, StageKind::head, normed_projection_cost(batch, ProjectionMode::store, weights.head));
  return plan;
}

}  // namespace engine
