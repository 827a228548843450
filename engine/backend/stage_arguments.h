// What a stage of the plan hands to its kernel family. One function a family; the only place that knows which buffer a
// stage reads and writes. Buffers and ModelWeights are the host's, or types with the same members whose data() is device
// memory (CudaBuffers, CudaWeights).
#pragma once

#include "engine/backend/host_buffers.h"
#include "engine/model/weights.h"
#include "engine/plan/stage.h"
#include "kernels/coefficients/coefficients.h"
#include "kernels/discretisation_errors/discretisation_errors.h"
#include "kernels/embedding/embedding.h"
#include "kernels/mimo_mix/mimo_mix.h"
#include "kernels/norm/norm.h"
#include "kernels/projection/projection.h"
#include "kernels/readout/readout.h"
#include "kernels/rotate/rotate.h"
#include "kernels/state_update/state_update.h"

namespace engine {

// Sizes of the stage `errors`; layers and addresses are each backend's own.
template <class T>
kernels::DiscretisationErrorsArgs<T> errors_sizes(const ModelConfig& config, int batch) {
  kernels::DiscretisationErrorsArgs<T> args;
  args.batch = batch;
  args.heads = config.heads();
  args.headdim = config.headdim;
  args.d_state = config.d_state;
  args.rank = config.rank();
  args.angles = config.angles();
  args.half_pairs = config.is_mimo;
  return args;
}

template <class T, class Buffers = HostBuffers<T>, class ModelWeights = Weights>
class StageArguments {
 public:
  StageArguments(const ModelWeights& weights, Buffers& buffers, int batch)
      : weights_(weights), config_(weights.config), at_(config_.in_proj()), buffers_(buffers), batch_(batch) {}

  kernels::EmbeddingArgs<T> embedding() const {
    return {batch_, weights_.embedding, buffers_.ids.data(), buffers_.residual.data()};
  }

  // norm, mlp_norm, final_norm
  kernels::NormArgs<T> norm(const Stage& stage) const {
    const float* weight = stage.kind == StageKind::final_norm ? weights_.norm_f.data()
                          : stage.kind == StageKind::mlp_norm ? layer_weights(stage).norm2.data()
                                                              : layer_weights(stage).norm.data();
    return {batch_, config_.d_model, buffers_.residual.data(), weight, buffers_.normed.data()};
  }

  // in_proj, out_proj, mlp_up, mlp_down, head
  kernels::ProjectionArgs<T> projection(const Stage& stage) const {
    using kernels::ProjectionMode;
    Buffers& b = buffers_;
    switch (stage.kind) {
      case StageKind::in_proj:
        return {batch_, ProjectionMode::store, layer_weights(stage).in_proj, b.normed.data(), b.projected.data()};
      case StageKind::out_proj: {
        const T* mixed = config_.is_mimo ? b.mixed.data() : b.values.data();
        return {batch_, ProjectionMode::accumulate, layer_weights(stage).out_proj, mixed, b.residual.data()};
      }
      case StageKind::mlp_up:
        return {batch_, ProjectionMode::gated, layer_weights(stage).fc1, b.normed.data(), b.hidden.data()};
      case StageKind::mlp_down:
        return {batch_, ProjectionMode::accumulate, layer_weights(stage).fc2, b.hidden.data(), b.residual.data()};
      default:
        return {batch_, ProjectionMode::store, weights_.head, b.normed.data(), b.logits.data()};
    }
  }

  kernels::CoefficientsArgs<T> coefficients(const Stage& stage) const {
    kernels::CoefficientsArgs<T> args;
    args.batch = batch_;
    args.heads = config_.heads();
    args.angles = config_.angles();
    args.softplus_a = config_.a_activation == AActivation::softplus;
    args.a_floor = config_.a_floor;
    args.lambda_override = config_.lambda_override;
    args.stride = at_.rows;
    args.dd_dt = buffers_.projected.data() + at_.dd_dt;
    args.dd_a = buffers_.projected.data() + at_.dd_a;
    args.trap = buffers_.projected.data() + at_.trap;
    args.angle = buffers_.projected.data() + at_.angle;
    args.dt_bias = layer_weights(stage).dt_bias.data();
    auto& layer = layer_buffers(stage);
    args.dt = layer.dt.data();
    args.a = layer.a.data();
    args.lambda = layer.lambda.data();
    args.alpha = layer.alpha.data();
    args.beta = layer.beta.data();
    args.gamma = layer.gamma.data();
    args.turn = layer.turn.data();
    args.changes = layer.changes;
    return args;
  }

  kernels::RotateArgs<T> rotate(const Stage& stage) const {
    kernels::RotateArgs<T> args;
    args.batch = batch_;
    args.heads = config_.heads();
    args.rank = config_.rank();
    args.groups = config_.ngroups;
    args.d_state = config_.d_state;
    args.angles = config_.angles();
    args.half_pairs = config_.is_mimo;
    args.stride = at_.rows;
    args.b = buffers_.projected.data() + at_.b;
    args.c = buffers_.projected.data() + at_.c;
    const auto& w = layer_weights(stage);
    args.b_norm = w.b_norm.data();
    args.c_norm = w.c_norm.data();
    args.b_bias = w.b_bias.data();
    args.c_bias = w.c_bias.data();
    auto& layer = layer_buffers(stage);
    args.dt = layer.dt.data();
    args.turn = layer.turn.data();
    args.angle = layer.angle.data();
    args.turns = layer.turns.data();
    args.k = buffers_.k.data();
    args.q = buffers_.q.data();
    args.changes = layer.changes;
    return args;
  }

  kernels::StateUpdateArgs<T> state_update(const Stage& stage) const {
    kernels::StateUpdateArgs<T> args;
    args.batch = batch_;
    args.heads = config_.heads();
    args.headdim = config_.headdim;
    args.d_state = config_.d_state;
    args.rank = config_.rank();
    auto& layer = layer_buffers(stage);
    args.alpha = layer.alpha.data();
    args.beta = layer.beta.data();
    args.gamma = layer.gamma.data();
    args.stride = at_.rows;
    args.x = buffers_.projected.data() + at_.x;
    args.x_prev = layer.x_prev.data();
    args.k = buffers_.k.data();
    args.k_prev = layer.k_prev.data();
    args.mimo_x = config_.is_mimo ? layer_weights(stage).mimo_x.data() : nullptr;
    args.h = layer.h.data();
    args.row_norm2 = buffers_.row_norm2.data();
    args.row_change2 = buffers_.row_change2.data();
    args.changes = layer.changes;
    return args;
  }

  kernels::ReadoutArgs<T> readout(const Stage& stage) const {
    kernels::ReadoutArgs<T> args;
    args.batch = batch_;
    args.heads = config_.heads();
    args.headdim = config_.headdim;
    args.d_state = config_.d_state;
    args.rank = config_.rank();
    auto& layer = layer_buffers(stage);
    args.h = layer.h.data();
    args.q = buffers_.q.data();
    args.k = buffers_.k.data();
    args.stride = at_.rows;
    args.x = buffers_.projected.data() + at_.x;
    args.z = buffers_.projected.data() + at_.z;
    const auto& w = layer_weights(stage);
    args.d = w.d.data();
    args.mimo_x = config_.is_mimo ? w.mimo_x.data() : nullptr;
    args.mimo_z = config_.is_mimo ? w.mimo_z.data() : nullptr;
    args.norm = config_.is_outproj_norm ? w.outproj_norm.data() : nullptr;
    args.row_norm2 = buffers_.row_norm2.data();
    args.row_change2 = buffers_.row_change2.data();
    args.out = buffers_.values.data();
    args.k_prev = layer.k_prev.data();
    args.x_prev = layer.x_prev.data();
    args.state_norm = layer.state_norm.data();
    args.state_change = layer.state_change.data();
    args.changes = layer.changes;
    return args;
  }

  kernels::MimoMixArgs<T> mimo_mix(const Stage& stage) const {
    return {batch_,
            config_.heads(),
            config_.headdim,
            config_.rank(),
            buffers_.values.data(),
            layer_weights(stage).mimo_o.data(),
            buffers_.mixed.data(),
            layer_buffers(stage).changes};
  }

  // Of one layer of the stage `errors`; a host's.
  kernels::DiscretisationErrorsArgs<T> errors(std::size_t index) const {
    auto args = errors_sizes<T>(config_, batch_);
    auto& layer = buffers_.layers[index];
    args.dt = layer.dt.data();
    args.a = layer.a.data();
    args.lambda = layer.lambda.data();
    args.turn = layer.turn.data();
    args.mimo_x = config_.is_mimo ? weights_.layers[index].mimo_x.data() : nullptr;
    args.k = layer.k_prev.data();
    args.x = layer.x_prev.data();
    args.k_before = layer.k_before.data();
    args.x_before = layer.x_before.data();
    args.errors = layer.errors.data();
    args.changes = layer.changes;
    return args;
  }

 private:
  const auto& layer_weights(const Stage& stage) const { return weights_.layers[static_cast<std::size_t>(stage.layer)]; }
  typename Buffers::Layer& layer_buffers(const Stage& stage) const {
    return buffers_.layers[static_cast<std::size_t>(stage.layer)];
  }

  const ModelWeights& weights_;
  const ModelConfig& config_;
  InProjLayout at_;
  Buffers& buffers_;
  int batch_;
};

}  // namespace engine
