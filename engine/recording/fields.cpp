#include "engine/recording/fields.h"

namespace engine {

namespace {

// Adds fields one behind the other.
class List {
 public:
  void add(FieldKind kind, const char* name, TensorType type, std::vector<std::int64_t> row, const char* axes,
           const char* unit, const char* about, std::int64_t every = 1) {
    Field field{kind, name, type, std::move(row), axes, unit, about, every};
    field.row_bytes = size_of(type);
    for (const std::int64_t size : field.row) field.row_bytes *= static_cast<std::size_t>(size);
    field.offset = at_;
    at_ += field.row_bytes;
    out.push_back(std::move(field));
  }
  std::vector<Field> out;

 private:
  std::size_t at_ = 0;
};

void add_token(List& list, std::int64_t top) {
  using Kind = FieldKind;
  constexpr TensorType i32 = TensorType::i32, f32 = TensorType::f32;
  list.add(Kind::holds, "token.holds", i32, {}, "token", "bits",
           "1: coefficients, errors and top, 2: angle, turns, k and v, 4: ssm; rows of what is not held are zeros");
  list.add(Kind::id, "token.id", i32, {}, "token", "id", "the token that was consumed");
  list.add(Kind::origin, "token.origin", i32, {}, "token", "code", "0 given, 1 sampled, 2 drawn from the task");
  list.add(Kind::truth, "token.truth", i32, {}, "token", "class",
           "the task's class at this position; -1 none belongs to it, -2 not known");
  list.add(Kind::predicted, "token.predicted", i32, {}, "token", "id", "the likeliest id or class after the token");
  list.add(
      Kind::probability, "token.probability", f32, {}, "token", "1",
      "that the model gave the token before it was consumed; -1 for the first and for models that label positions");
  list.add(Kind::entropy, "token.entropy", f32, {}, "token", "bits", "of the distribution after the token");
  list.add(Kind::kl, "token.kl", f32, {}, "token", "bits",
           "KL of that distribution from the one before the token; -1 at the first");
  list.add(Kind::top_id, "top.id", i32, {top}, "token,choice", "id", "likeliest ids or classes, best first; -1: none");
  list.add(Kind::top_logit, "top.logit", f32, {top}, "token,choice", "1", "their logits");
  list.add(Kind::top_probability, "top.probability", f32, {top}, "token,choice", "1", "their probabilities");
}

void add_coefficients(List& list, std::int64_t layers, std::int64_t heads, std::int64_t pairs) {
  using Kind = FieldKind;
  const auto per_head = [&](Kind kind, const char* name, const char* unit, const char* about) {
    list.add(kind, name, TensorType::f32, {layers, heads}, "token,layer,head", unit, about);
  };
  per_head(Kind::dt, "coefficients.dt", "1", "step size");
  per_head(Kind::a, "coefficients.a", "1 per dt", "decay rate A, negative");
  per_head(Kind::lambda, "coefficients.lambda", "1", "weight of the trapezoidal rule: 1 Euler, 0.5 trapezoid");
  per_head(Kind::alpha, "coefficients.alpha", "1", "exp(A dt)");
  per_head(Kind::beta, "coefficients.beta", "1", "(1 - lambda) dt alpha");
  per_head(Kind::gamma, "coefficients.gamma", "1", "lambda dt");
  per_head(Kind::state_norm, "coefficients.state_norm", "1", "Frobenius norm of the state after the token");
  per_head(Kind::state_change, "coefficients.state_change", "1", "Frobenius norm of the state's change");
  list.add(Kind::turn, "coefficients.turn", TensorType::f32, {layers, pairs}, "token,layer,pair", "radians per dt",
           "pi tanh(a): a head's pair turns by turn * dt in the step");
  for (const auto& [kind, name, about] :
       {std::tuple{Kind::errors_stored, "errors.stored",
                   "relative local error of each rule, stored frame; rules: euler, "
                   "trapezoid, model; NaN where the exact term is zero"},
        std::tuple{Kind::errors_unrotated, "errors.unrotated", "the same, un-rotated frame"}}) {
    list.add(kind, name, TensorType::f32, {layers, heads, 3}, "token,layer,head,rule", "1", about);
  }
}

void add_state(List& list, const RecordingInfo& info) {
  using Kind = FieldKind;
  const ModelConfig& c = info.config;
  const std::int64_t heads = c.heads(), pairs = c.angles(), rows = c.headdim, channels = c.d_state, rank = c.rank();
  if (const auto layers = static_cast<std::int64_t>(info.cache_layers.size()); layers > 0) {
    list.add(Kind::angle, "state.angle", TensorType::f32, {layers, heads, pairs}, "token,cache_layer,head,pair",
             "radians", "accumulated rotation, wrapped into [0, 2 pi)");
    list.add(Kind::turns, "state.turns", TensorType::i32, {layers, heads, pairs}, "token,cache_layer,head,pair",
             "turns", "whole turns; angle + 2 pi turns is the accumulated rotation");
    list.add(Kind::k, "state.k", TensorType::f32, {layers, rank, heads, channels},
             "token,cache_layer,rank,head,channel", "1", "the token's key, normed, biased, rotated");
    list.add(Kind::v, "state.v", TensorType::f32, {layers, heads, rows}, "token,cache_layer,head,row", "1",
             "the token's x, before mimo_x");
  }
  if (info.keeps_ssm()) {
    list.add(Kind::ssm, "state.ssm", TensorType::f32,
             {static_cast<std::int64_t>(info.ssm_layers.size()), heads, rows, channels},
             info.ssm_every == 1 ? "token,ssm_layer,head,row,channel" : "keyframe,ssm_layer,head,row,channel", "1",
             "the matrix state, stored frame", info.ssm_every);
  }
}

}  // namespace

std::vector<Field> fields_of(const RecordingInfo& info) {
  List list;
  if (!info.timing_source.empty()) {
    const auto stages = static_cast<std::int64_t>(info.plan.stages.size());
    list.add(FieldKind::start_ns, "timing.start", TensorType::i64, {stages}, "token,stage", "ns",
             "from the step's begin to the stage's first work; -1: not measured");
    list.add(FieldKind::duration_ns, "timing.duration", TensorType::i64, {stages}, "token,stage", "ns",
             "sum of the stage's pieces of work; -1: not measured");
    list.add(FieldKind::wall_ns, "timing.wall", TensorType::i64, {}, "token", "ns",
             "wall time of the step; -1: not measured");
  }
  add_token(list, info.top);
  add_coefficients(list, info.config.n_layer, info.config.heads(), info.config.angles());
  add_state(list, info);
  return std::move(list.out);
}

std::vector<std::int64_t> mimo_shape(const RecordingInfo& info) {
  const ModelConfig& c = info.config;
  return {c.is_mimo ? c.n_layer : 0, c.heads(), c.rank(), c.headdim};
}

std::size_t block_bytes(const std::vector<Field>& fields, std::int64_t token) {
  const Field& last = fields.back();
  return last.offset + (last.has(token) ? last.row_bytes : 0);
}

std::uint64_t blocks_bytes(const std::vector<Field>& fields, std::int64_t tokens) {
  const Field& last = fields.back();
  return static_cast<std::uint64_t>(tokens) * last.offset +
         static_cast<std::uint64_t>(last.rows(tokens)) * last.row_bytes;
}

}  // namespace engine
