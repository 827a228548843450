// A head's recurrence in double on random inputs, as the official module stores it (rotated keys, real decay), and the
// same state as the paper's complex recurrence, for tests of what the analysis makes of stored values.
#pragma once

#include "engine/analysis/rotation.h"
#include "engine/backend/state.h"
#include "engine/model/weights.h"

#include <cmath>
#include <numbers>
#include <random>
#include <vector>

namespace engine {

inline ModelConfig synthetic_config(bool is_mimo, double rope_fraction = 0.5) {
  ModelConfig config;
  config.d_model = 8;
  config.n_layer = 1;
  config.d_state = 16;
  config.headdim = 8;
  config.expand = 2;
  config.rope_fraction = rope_fraction;
  config.is_mimo = is_mimo;
  config.mimo_rank = 3;
  return config;
}

// Inputs of one token in one layer, all in double: scalars per head, keys before rotation, x.
struct SyntheticToken {
  std::vector<double> dt, a, lambda;  // (H)
  std::vector<double> turn;           // (S), radians per unit of dt
  std::vector<double> key;            // (R, H, N)
  std::vector<double> x;              // (H, P)
};

class SyntheticHead {
 public:
  SyntheticHead(const ModelConfig& shape, unsigned seed) : config(shape), random_(seed) {
    const auto h = static_cast<std::size_t>(config.heads());
    mimo_x.resize(h * config.rank() * config.headdim, 1.0);
    if (config.is_mimo) fill(mimo_x, -1, 1);
    theta.resize(h * config.angles());
    state.resize(h * config.headdim * config.d_state);
    rotated.resize(h * config.rank() * config.d_state);
    z.resize(state.size() / 2);
    previous_rotated = rotated;
    now.x.resize(h * config.headdim);
    now.key.resize(rotated.size());
    previous = now;
  }

  void step() {
    const int heads = config.heads();
    previous = now;
    previous_rotated = rotated;
    now.dt.resize(heads);
    now.a.resize(heads);
    now.lambda.resize(heads);
    now.turn.resize(config.angles());
    fill(now.dt, 0.001, 1.0);
    fill(now.a, -1.5, -0.001);
    fill(now.lambda, 0.05, 0.95);
    fill(now.turn, -std::numbers::pi, std::numbers::pi);
    fill(now.key, -2, 2);
    fill(now.x, -2, 2);
    for (int h = 0; h < heads; ++h) step_head(h);
  }

  // v of rank r of a token, before or at the newest.
  double value(const SyntheticToken& token, int h, int r, int p) const {
    return mimo_x[(static_cast<std::size_t>(h) * config.rank() + r) * config.headdim + p] *
           token.x[static_cast<std::size_t>(h) * config.headdim + p];
  }
  Complex key_pair(const std::vector<double>& keys, int h, int r, int pair) const {
    const std::size_t at = (static_cast<std::size_t>(r) * config.heads() + h) * config.d_state;
    return {keys[at + config.pair_first(pair)], keys[at + config.pair_second(pair)]};
  }

  ModelConfig config;
  std::vector<double> mimo_x;                     // (H, R, P)
  std::vector<double> theta;                      // (H, S), never wrapped
  std::vector<double> state;                      // (H, P, N), stored frame
  std::vector<double> rotated, previous_rotated;  // (R, H, N)
  std::vector<Complex> z;                         // (H, P, N / 2), the complex recurrence
  SyntheticToken now, previous;

 private:
  void fill(std::vector<double>& values, double low, double high) {
    std::uniform_real_distribution<double> draw(low, high);
    for (double& value : values) value = draw(random_);
  }

  void step_head(int h) {
    const auto at = static_cast<std::size_t>(h);
    const double dt = now.dt[at], alpha = std::exp(now.a[at] * dt), lambda = now.lambda[at];
    const double beta = (1 - lambda) * dt * alpha, gamma = lambda * dt;
    for (int i = 0; i < config.angles(); ++i) theta[at * config.angles() + i] += now.turn[i] * dt;
    for (int r = 0; r < config.rank(); ++r) {
      for (int i = 0; i < config.d_state / 2; ++i) {
        const double angle = i < config.angles() ? theta[at * config.angles() + i] : 0;
        const Complex turned = std::polar(1.0, angle) * key_pair(now.key, h, r, i);
        const std::size_t k = (static_cast<std::size_t>(r) * config.heads() + h) * config.d_state;
        rotated[k + config.pair_first(i)] = turned.real();
        rotated[k + config.pair_second(i)] = turned.imag();
      }
    }
    for (int p = 0; p < config.headdim; ++p) {
      for (int n = 0; n < config.d_state; ++n) {
        double& s = state[(at * config.headdim + p) * config.d_state + n];
        s *= alpha;
        for (int r = 0; r < config.rank(); ++r) {
          const std::size_t k = (static_cast<std::size_t>(r) * config.heads() + h) * config.d_state + n;
          s += beta * value(previous, h, r, p) * previous_rotated[k] + gamma * value(now, h, r, p) * rotated[k];
        }
      }
      for (int i = 0; i < config.d_state / 2; ++i) {
        const double increment = i < config.angles() ? now.turn[i] * dt : 0;
        const Complex back = std::polar(1.0, -increment);
        Complex& phasor = z[(at * config.headdim + p) * (config.d_state / 2) + i];
        phasor *= alpha * back;
        for (int r = 0; r < config.rank(); ++r) {
          phasor += beta * back * value(previous, h, r, p) * key_pair(previous.key, h, r, i) +
                    gamma * value(now, h, r, p) * key_pair(now.key, h, r, i);
        }
      }
    }
  }

  std::mt19937 random_;
};

}  // namespace engine
