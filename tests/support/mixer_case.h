// The arrays of one mixer for kernel tests: random inputs of every family from a seed, in float or in double with the
// same values, so that a kernel can be held against its twin one family at a time.
#pragma once

#include "kernels/coefficients/coefficients.h"
#include "kernels/mimo_mix/mimo_mix.h"
#include "kernels/readout/readout.h"
#include "kernels/rotate/rotate.h"
#include "kernels/state_update/state_update.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace tests {

struct MixerShape {
  int batch = 1, heads = 1, headdim = 8, d_state = 8, rank = 1, groups = 1;
  double rope_fraction = 0.5;
  bool mimo = false, output_norm = false, softplus_a = false;
  double lambda_override = -1;
  float scale = 1;  // of the projected inputs: 1 ordinary, 30 far outside (dt above 20, hundreds of turns, A from -30)

  int angles() const {
    const int channels = static_cast<int>(d_state * rope_fraction);
    return (channels - channels % 2) / 2;
  }
  std::string text() const {
    return "B" + std::to_string(batch) + " H" + std::to_string(heads) + " P" + std::to_string(headdim) + " N" +
           std::to_string(d_state) + " R" + std::to_string(rank) + " G" + std::to_string(groups) + " rope " +
           std::to_string(rope_fraction) + (mimo ? " MIMO" : " SISO") + (output_norm ? " norm" : "") + " scale " +
           std::to_string(scale);
  }
};

// Odd ones: one head, the smallest and largest P, N and R, P that is no power of two, a group for every head.
inline std::vector<MixerShape> mixer_shapes() {
  return {
      {1, 1, 8, 8, 1, 1, 0.5, false, false},
      {5, 3, 64, 128, 1, 1, 0.5, false, false},
      {2, 4, 24, 40, 1, 4, 1.0, false, true, true},
      {1, 2, 256, 256, 1, 2, 0.5, false, true},
      {3, 2, 64, 128, 4, 1, 0.5, true, false},
      {1, 1, 8, 8, 8, 1, 1.0, true, true},
      {2, 6, 20, 72, 3, 2, 0.5, true, true, false, 1.0},
      {1, 4, 256, 256, 8, 4, 1.0, true, false, true, 0.5},
      {2, 2, 16, 24, 1, 1, 0.5, true, true},
      {1, 2, 9, 16, 5, 1, 0.5, true, false},
      {1, 2, 33, 56, 6, 2, 1.0, true, true},
      {1, 2, 17, 88, 7, 1, 0.5, true, false},
      {2, 3, 40, 64, 2, 3, 0.5, true, true, false, -1, 30},
      {2, 3, 40, 64, 1, 3, 1.0, false, true, false, -1, 30},
      {1, 2, 16, 32, 1, 1, 0.5, false, false, true, -1, 100},
  };
}

class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}
  float uniform(float low, float high) {
    state_ += 0x9E3779B97F4A7C15U;
    std::uint64_t z = state_;
    z = (z ^ (z >> 30U)) * 0xBF58476D1CE4E5B9U;
    z = (z ^ (z >> 27U)) * 0x94D049BB133111EBU;
    z ^= z >> 31U;
    return low + (high - low) * static_cast<float>(static_cast<double>(z >> 11U) * 0x1.0p-53);
  }
  template <class T>
  std::vector<T> values(int count, float low, float high) {
    std::vector<T> out(static_cast<std::size_t>(count));
    for (T& value : out) value = static_cast<T>(uniform(low, high));
    return out;
  }

 private:
  std::uint64_t state_;
};

template <class T>
struct MixerCase {
  MixerShape shape;
  int stride = 0;  // of the pieces: longer than any of them, as in a projection's output
  std::vector<T> x, z, b, c, dd_dt, dd_a, trap, raw_angle;
  std::vector<float> dt_bias, b_norm, c_norm, b_bias, c_bias, d, mimo_x, mimo_z, mimo_o, norm;
  std::vector<T> dt, a, lambda, alpha, beta, gamma, turn;
  std::vector<T> angle, k, q, h, k_prev, x_prev, row_norm2, row_change2, values, mixed, state_norm, state_change;
  std::vector<std::int32_t> turns;

  MixerCase(const MixerShape& of, std::uint64_t seed) : shape(of) {
    Random random(seed);
    const int batch = of.batch, heads = of.heads, angles = of.angles();
    const int inner = heads * of.headdim, keys = of.rank * heads * of.d_state;
    const int raw = of.rank * of.groups * of.d_state, ranked = of.rank * inner;
    stride = 3 + (inner > raw ? inner : raw);
    if (stride < angles + 3) stride = angles + 3;
    for (auto* piece : {&x, &z, &b, &c}) *piece = random.values<T>(batch * stride, -2, 2);
    for (auto* piece : {&dd_dt, &dd_a, &trap, &raw_angle}) {
      *piece = random.values<T>(batch * stride, -of.scale, of.scale);
    }
    if (of.scale > 1) dd_dt[0] = static_cast<T>(of.scale);  // at least one head with a dt above softplus's threshold
    dt_bias = random.values<float>(heads, -3, 1);
    for (auto* weight : {&b_norm, &c_norm}) *weight = random.values<float>(of.d_state, 0.5F, 1.5F);
    for (auto* weight : {&b_bias, &c_bias}) *weight = random.values<float>(keys, 0.5F, 1.5F);
    d = random.values<float>(heads, 0.5F, 1.5F);
    if (of.mimo) {
      for (auto* weight : {&mimo_x, &mimo_z, &mimo_o}) *weight = random.values<float>(ranked, -1, 1);
    }
    if (of.output_norm) norm = random.values<float>(inner, 0.5F, 1.5F);
    for (auto* coefficient : {&dt, &a, &lambda, &alpha, &beta, &gamma, &state_norm, &state_change}) {
      *coefficient = random.values<T>(batch * heads, 0, 1);
    }
    turn = random.values<T>(batch * angles, -3, 3);
    angle = random.values<T>(batch * heads * angles, 0, 6.28F);
    turns.assign(angle.size(), 7);
    for (auto* key : {&k, &q, &k_prev}) *key = random.values<T>(batch * keys, -2, 2);
    for (auto* value : {&x_prev, &row_norm2, &row_change2, &mixed}) *value = random.values<T>(batch * inner, 0, 2);
    h = random.values<T>(batch * inner * of.d_state, -1, 1);
    values = random.values<T>(batch * ranked, -1, 1);
  }

  static const float* data_or_null(const std::vector<float>& weights) {
    return weights.empty() ? nullptr : weights.data();
  }

  kernels::CoefficientsArgs<T> coefficients() {
    kernels::CoefficientsArgs<T> args;
    args.batch = shape.batch, args.heads = shape.heads, args.angles = shape.angles();
    args.softplus_a = shape.softplus_a, args.lambda_override = shape.lambda_override;
    args.stride = stride;
    args.dd_dt = dd_dt.data(), args.dd_a = dd_a.data(), args.trap = trap.data(), args.angle = raw_angle.data();
    args.dt_bias = dt_bias.data();
    args.dt = dt.data(), args.a = a.data(), args.lambda = lambda.data();
    args.alpha = alpha.data(), args.beta = beta.data(), args.gamma = gamma.data(), args.turn = turn.data();
    return args;
  }

  kernels::RotateArgs<T> rotate() {
    kernels::RotateArgs<T> args;
    args.batch = shape.batch, args.heads = shape.heads, args.rank = shape.rank, args.groups = shape.groups;
    args.d_state = shape.d_state, args.angles = shape.angles(), args.half_pairs = shape.mimo;
    args.stride = stride;
    args.b = b.data(), args.c = c.data();
    args.b_norm = b_norm.data(), args.c_norm = c_norm.data(), args.b_bias = b_bias.data(), args.c_bias = c_bias.data();
    args.dt = dt.data(), args.turn = turn.data();
    args.angle = angle.data(), args.turns = turns.data(), args.k = k.data(), args.q = q.data();
    return args;
  }

  kernels::StateUpdateArgs<T> state_update() {
    kernels::StateUpdateArgs<T> args;
    args.batch = shape.batch, args.heads = shape.heads, args.headdim = shape.headdim, args.d_state = shape.d_state;
    args.rank = shape.rank;
    args.alpha = alpha.data(), args.beta = beta.data(), args.gamma = gamma.data();
    args.stride = stride;
    args.x = x.data(), args.x_prev = x_prev.data(), args.k = k.data(), args.k_prev = k_prev.data();
    args.mimo_x = data_or_null(mimo_x);
    args.h = h.data(), args.row_norm2 = row_norm2.data(), args.row_change2 = row_change2.data();
    return args;
  }

  kernels::ReadoutArgs<T> readout() {
    kernels::ReadoutArgs<T> args;
    args.batch = shape.batch, args.heads = shape.heads, args.headdim = shape.headdim, args.d_state = shape.d_state;
    args.rank = shape.rank;
    args.h = h.data(), args.q = q.data(), args.k = k.data();
    args.stride = stride;
    args.x = x.data(), args.z = z.data();
    args.d = d.data(), args.mimo_x = data_or_null(mimo_x), args.mimo_z = data_or_null(mimo_z);
    args.norm = data_or_null(norm);
    args.row_norm2 = row_norm2.data(), args.row_change2 = row_change2.data();
    args.out = values.data(), args.k_prev = k_prev.data(), args.x_prev = x_prev.data();
    args.state_norm = state_norm.data(), args.state_change = state_change.data();
    return args;
  }

  kernels::MimoMixArgs<T> mimo_mix() {
    return {shape.batch, shape.heads, shape.headdim, shape.rank, values.data(), mimo_o.data(), mixed.data()};
  }
};

}  // namespace tests
