// The memory of a backend that computes on the host: the recurrent state, the coefficients and the activations of a
// step, for a batch of B sequences. T: float in the CPU backend, double in the reference.
#pragma once

#include "engine/model/config.h"
#include "kernels/discretisation_errors/discretisation_errors.h"
#include "kernels/intervention/intervention.h"

#include <cstddef>
#include <cstdint>
#include <vector>

namespace engine {

template <class T>
struct HostBuffers {
  struct Layer {
    // The state after the last step.
    std::vector<T> angle;             // (B, H, S)
    std::vector<std::int32_t> turns;  // (B, H, S)
    std::vector<T> h;                 // (B, H, P, N)
    std::vector<T> k_prev;            // (B, R, H, N)
    std::vector<T> x_prev;            // (B, H, P)
    // What the last step did.
    std::vector<T> dt, a, lambda, alpha, beta, gamma;  // (B, H)
    std::vector<T> turn;                               // (B, S)
    std::vector<T> state_norm, state_change;           // (B, H)
    // Only with keep_errors().
    std::vector<T> k_before, x_before;  // k_prev and x_prev, of the token before
    std::vector<T> errors;              // (B, H, kernels::errors_per_head)
    kernels::LayerChanges changes;      // of the steps to come, see Backend::intervene
  };
  std::vector<Layer> layers;

  std::vector<std::int32_t> ids;          // (B)
  std::vector<T> residual;                // (B, d)
  std::vector<T> normed;                  // (B, d)
  std::vector<T> projected;               // (B, rows of the input projection)
  std::vector<T> k, q;                    // (B, R, H, N)
  std::vector<T> row_norm2, row_change2;  // (B, H, P)
  std::vector<T> values;                  // (B, R, H, P)
  std::vector<T> mixed;                   // (B, H, P); MIMO only
  std::vector<T> hidden;                  // (B, MLP width)
  std::vector<T> logits;                  // (B, V)

  HostBuffers(const ModelConfig& config, int batch) {
    const auto size = [batch](std::ptrdiff_t per_sequence) {
      return static_cast<std::size_t>(batch) * static_cast<std::size_t>(per_sequence);
    };
    const std::ptrdiff_t heads = config.heads();
    const std::ptrdiff_t inner = config.d_inner();
    const std::ptrdiff_t keys = config.rank() * heads * config.d_state;
    layers.resize(static_cast<std::size_t>(config.n_layer));
    for (Layer& layer : layers) {
      layer.angle.resize(size(heads * config.angles()));
      layer.turns.resize(size(heads * config.angles()));
      layer.h.resize(size(inner * config.d_state));
      layer.k_prev.resize(size(keys));
      layer.x_prev.resize(size(inner));
      for (auto* per_head : {&layer.dt, &layer.a, &layer.lambda, &layer.alpha, &layer.beta, &layer.gamma,
                             &layer.state_norm, &layer.state_change}) {
        per_head->resize(size(heads));
      }
      layer.turn.resize(size(config.angles()));
    }
    ids.resize(size(1));
    residual.resize(size(config.d_model));
    normed.resize(size(config.d_model));
    projected.resize(size(config.in_proj().rows));
    k.resize(size(keys));
    q.resize(size(keys));
    row_norm2.resize(size(inner));
    row_change2.resize(size(inner));
    values.resize(size(config.rank() * inner));
    if (config.is_mimo) mixed.resize(size(inner));
    if (config.has_mlp()) hidden.resize(size(config.mlp_width()));
    logits.resize(size(config.padded_vocab()));
  }

  void keep_errors() {
    for (Layer& layer : layers) {
      layer.k_before.resize(layer.k_prev.size());
      layer.x_before.resize(layer.x_prev.size());
      layer.errors.resize(layer.dt.size() * kernels::errors_per_head);
    }
  }
};

}  // namespace engine
