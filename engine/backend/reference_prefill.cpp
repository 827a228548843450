#include "engine/backend/reference_prefill.h"

#include "kernels/reference/reference.h"

#include <vector>

namespace engine {

namespace {

using kernels::ProjectionMode;
namespace reference = kernels::reference;

// What the tokens of a piece leave between two families; T tokens.
struct Rows {
  std::vector<double> residual, normed;                         // (T, d)
  std::vector<double> projected;                                // (T, rows of the input projection)
  std::vector<double> dt, a, lambda, rest, alpha, beta, gamma;  // (T, H)
  std::vector<double> turn;                                     // (T, S)
  std::vector<double> out, hidden;                              // (T, H P), (T, MLP width)

  Rows(const ModelConfig& config, std::size_t tokens) {
    const auto size = [&](int of_token) { return tokens * static_cast<std::size_t>(of_token); };
    residual.resize(size(config.d_model));
    normed.resize(size(config.d_model));
    projected.resize(size(config.in_proj().rows));
    for (auto* of_heads : {&dt, &a, &lambda, &rest, &alpha, &beta, &gamma}) of_heads->resize(size(config.heads()));
    turn.resize(size(config.angles()));
    out.resize(size(config.d_inner()));
    if (config.has_mlp()) hidden.resize(size(config.mlp_width()));
  }
};

void find_coefficients(const ModelConfig& config, const LayerWeights& w, int tokens, Rows& rows) {
  const InProjLayout at = config.in_proj();
  kernels::CoefficientsArgs<double> args;
  args.batch = tokens;
  args.heads = config.heads();
  args.angles = config.angles();
  args.softplus_a = config.a_activation == AActivation::softplus;
  args.a_floor = config.a_floor;
  args.lambda_override = config.lambda_override;
  args.stride = at.rows;
  args.dd_dt = rows.projected.data() + at.dd_dt;
  args.dd_a = rows.projected.data() + at.dd_a;
  args.trap = rows.projected.data() + at.trap;
  args.angle = rows.projected.data() + at.angle;
  args.dt_bias = w.dt_bias.data();
  args.dt = rows.dt.data();
  args.a = rows.a.data();
  args.lambda = rows.lambda.data();
  args.alpha = rows.alpha.data();
  args.beta = rows.beta.data();
  args.gamma = rows.gamma.data();
  args.turn = rows.turn.data();
  reference::coefficients(args);
  for (std::size_t i = 0; i < rows.rest.size(); ++i) rows.rest[i] = 1 - rows.lambda[i];
}

kernels::PrefillArgs<double> mixer(const ModelConfig& config, const LayerWeights& w, int tokens, Rows& rows) {
  const InProjLayout at = config.in_proj();
  kernels::PrefillArgs<double> args;
  args.tokens = tokens;
  args.heads = config.heads();
  args.headdim = config.headdim;
  args.d_state = config.d_state;
  args.rank = config.rank();
  args.groups = config.ngroups;
  args.angles = config.angles();
  args.half_pairs = config.is_mimo;
  args.stride = at.rows;
  args.z = rows.projected.data() + at.z;
  args.x = rows.projected.data() + at.x;
  args.b = rows.projected.data() + at.b;
  args.c = rows.projected.data() + at.c;
  args.b_norm = w.b_norm.data();
  args.c_norm = w.c_norm.data();
  args.b_bias = w.b_bias.data();
  args.c_bias = w.c_bias.data();
  args.d = w.d.data();
  args.mimo_x = config.is_mimo ? w.mimo_x.data() : nullptr;
  args.mimo_z = config.is_mimo ? w.mimo_z.data() : nullptr;
  args.mimo_o = config.is_mimo ? w.mimo_o.data() : nullptr;
  args.norm = config.is_outproj_norm ? w.outproj_norm.data() : nullptr;
  args.dt = rows.dt.data();
  args.a = rows.a.data();
  args.lambda = rows.lambda.data();
  args.rest = rows.rest.data();
  args.turn = rows.turn.data();
  args.out = rows.out.data();
  return args;
}

}  // namespace

void reference_prefill(const Weights& weights, int batch, int sequence, std::span<const std::int32_t> ids,
                       HostBuffers<double>& buffers) {
  const ModelConfig& config = weights.config;
  const int tokens = static_cast<int>(ids.size());
  Rows rows(config, ids.size());
  const auto project = [&](const kernels::Matrix& matrix, ProjectionMode mode, std::vector<double>& in,
                           std::vector<double>& out) {
    reference::projection({tokens, mode, matrix, in.data(), out.data()});
  };
  const auto norm = [&](const std::vector<float>& weight) {
    reference::norm({tokens, config.d_model, rows.residual.data(), weight.data(), rows.normed.data()});
  };
  const auto own = [&](auto& values) {  // the sequence's part of a state
    return values.data() + static_cast<std::size_t>(sequence) * (values.size() / static_cast<std::size_t>(batch));
  };
  reference::embedding({tokens, weights.embedding, ids.data(), rows.residual.data()});
  for (std::size_t l = 0; l < weights.layers.size(); ++l) {
    const LayerWeights& w = weights.layers[l];
    auto& state = buffers.layers[l];
    norm(w.norm);
    project(w.in_proj, ProjectionMode::store, rows.normed, rows.projected);
    find_coefficients(config, w, tokens, rows);
    auto args = mixer(config, w, tokens, rows);
    args.angle = own(state.angle);
    args.turns = own(state.turns);
    args.k_prev = own(state.k_prev);
    args.x_prev = own(state.x_prev);
    args.h = own(state.h);
    reference::prefill(args);
    if (l + 1 == weights.layers.size()) return;  // nobody reads what it would hand on
    project(w.out_proj, ProjectionMode::accumulate, rows.out, rows.residual);
    if (!config.has_mlp()) continue;
    norm(w.norm2);
    project(w.fc1, ProjectionMode::gated, rows.normed, rows.hidden);
    project(w.fc2, ProjectionMode::accumulate, rows.hidden, rows.residual);
  }
}

}  // namespace engine
