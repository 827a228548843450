#include "engine/backend/fused_arguments.h"

#include <algorithm>

namespace engine {

namespace {

// How much of the next matrix is brought into L2 while the mixer and the short projection behind it leave the memory idle.
constexpr std::size_t most_prefetched = std::size_t{4} << 20;

void prefetch(const kernels::Matrix& matrix, const void*& next, std::size_t& bytes) {
  next = matrix.data;
  bytes = std::min(matrix.bytes(), most_prefetched) / 16 * 16;
}

}  // namespace

kernels::CoefficientRows FusedArguments::coefficient_rows(const Stage& stage) const {
  const CudaBuffers::Layer& layer = buffers_.layers[static_cast<std::size_t>(stage.layer)];
  kernels::CoefficientRows rows;
  rows.first = at_.dd_dt;
  rows.heads = config_.heads();
  rows.angles = config_.angles();
  rows.softplus_a = config_.a_activation == AActivation::softplus;
  rows.a_floor = config_.a_floor;
  rows.lambda_override = config_.lambda_override;
  rows.changes = layer.changes.heads;
  rows.dt_bias = layer_weights(stage).dt_bias.data();
  rows.dt = layer.dt.data();
  rows.a = layer.a.data();
  rows.lambda = layer.lambda.data();
  rows.rest = buffers_.rest.data();
  rows.turn = layer.turn.data();
  return rows;
}

kernels::FusedProjectionArgs FusedArguments::projection(const Stage& stage) const {
  using kernels::ProjectionMode;
  const CudaBuffers& b = buffers_;
  kernels::FusedProjectionArgs args;
  switch (stage.kind) {
    case StageKind::in_proj:
      args.projection = {batch_, ProjectionMode::store, layer_weights(stage).in_proj, b.residual.data(),
                         b.projected.data()};
      args.norm = layer_weights(stage).norm.data();
      args.coefficients = coefficient_rows(stage);
      break;
    case StageKind::out_proj:
      args.projection = {batch_, ProjectionMode::accumulate, layer_weights(stage).out_proj, b.values.data(),
                         b.residual.data()};
      if (config_.has_mlp()) prefetch(layer_weights(stage).fc1, args.next, args.next_bytes);
      break;
    case StageKind::mlp_up:
      args.projection = {batch_, ProjectionMode::gated, layer_weights(stage).fc1, b.residual.data(), b.hidden.data()};
      args.norm = layer_weights(stage).norm2.data();
      break;
    case StageKind::mlp_down:
      args.projection = {batch_, ProjectionMode::accumulate, layer_weights(stage).fc2, b.hidden.data(),
                         b.residual.data()};
      break;
    default:
      args.projection = {batch_, ProjectionMode::store, weights_.head, b.residual.data(), b.logits.data()};
      args.norm = weights_.norm_f.data();
      break;
  }
  return args;
}

kernels::MixerArgs FusedArguments::mixer(const Stage& stage) const {
  const CudaBuffers::Layer& layer = buffers_.layers[static_cast<std::size_t>(stage.layer)];
  const CudaLayerWeights& w = layer_weights(stage);
  kernels::MixerArgs args;
  args.batch = batch_;
  args.heads = config_.heads();
  args.headdim = config_.headdim;
  args.d_state = config_.d_state;
  args.rank = config_.rank();
  args.groups = config_.ngroups;
  args.angles = config_.angles();
  args.half_pairs = config_.is_mimo;
  args.stride = at_.rows;
  args.z = buffers_.projected.data() + at_.z;
  args.x = buffers_.projected.data() + at_.x;
  args.b = buffers_.projected.data() + at_.b;
  args.c = buffers_.projected.data() + at_.c;
  args.dt = layer.dt.data();
  args.a = layer.a.data();
  args.lambda = layer.lambda.data();
  args.rest = buffers_.rest.data();
  args.turn = layer.turn.data();
  args.b_norm = w.b_norm.data();
  args.c_norm = w.c_norm.data();
  args.b_bias = w.b_bias.data();
  args.c_bias = w.c_bias.data();
  args.d = w.d.data();
  args.mimo_x = config_.is_mimo ? w.mimo_x.data() : nullptr;
  args.mimo_z = config_.is_mimo ? w.mimo_z.data() : nullptr;
  args.mimo_o = config_.is_mimo ? w.mimo_o.data() : nullptr;
  args.norm = config_.is_outproj_norm ? w.outproj_norm.data() : nullptr;
  args.angle = layer.angle.data();
  args.turns = layer.turns.data();
  args.k_prev = layer.k_prev.data();
  args.x_prev = layer.x_prev.data();
  args.h = layer.matrix;
  args.bf16_state = buffers_.state_dtype() == kernels::DType::bf16;
  args.alpha = layer.alpha.data();
  args.beta = layer.beta.data();
  args.gamma = layer.gamma.data();
  args.state_norm = layer.state_norm.data();
  args.state_change = layer.state_change.data();
  args.half_squares = buffers_.half_squares.data();
  args.out = buffers_.values.data();
  args.changes = layer.changes;
  prefetch(w.out_proj, args.next, args.next_bytes);
  return args;
}

}  // namespace engine
