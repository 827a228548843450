// The complex state that a stored one stands for, and how its phasors turn. Pure functions in double; no device.
//
// An implementation stores a state h whose keys were rotated by +theta when they were written, so stored phasors never
// turn. The complex state of the Mamba-3 paper is the un-rotated one: for row p and channel pair (a, b) along N,
//   z[p, pair] = exp(-i theta[pair]) (h[p, a] + i h[p, b]),
//   z_t = alpha e^(-i dtheta) z_(t-1) + beta e^(-i dtheta) u_(t-1) + gamma u_t,   dtheta = pi tanh(angle) dt,
// with the biased, un-rotated keys in u: its phasors turn by -dtheta at each token. Pairs at and beyond angles() have
// theta = 0. A pair's channels are ModelConfig::pair_first and pair_second, and there are N / 2 of them.
#pragma once

#include "engine/backend/state.h"
#include "engine/model/config.h"

#include <complex>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace engine {

enum class StateFrame : std::uint8_t { unrotated, stored };

using Complex = std::complex<double>;

// exp(-i theta) (a + i b): one stored pair in the un-rotated frame.
inline Complex turned_back(Complex stored, double theta) { return std::polar(1.0, -theta) * stored; }

// Whether the layer's matrix state, or its caches, are held (records of long runs and other layers may lack them).
bool holds_state(const LayerState& layer);
bool holds_caches(const LayerState& layer);

// Row p of one head's complex state, (N / 2); empty where the matrix state is not held.
std::vector<Complex> complex_row(const ModelConfig& config, const LayerState& layer, int head, int row,
                                 StateFrame frame);
// The whole head, (P, N / 2), row-major; empty where the matrix state is not held.
std::vector<Complex> complex_state(const ModelConfig& config, const LayerState& layer, int head, StateFrame frame);
// The last token's biased key of one rank, (N / 2); empty where the caches are not held.
std::vector<Complex> complex_key(const ModelConfig& config, const LayerState& layer, int head, int rank,
                                 StateFrame frame);

// The phase theta that a pair has gathered, radians, whole turns included; 0 for a pair that never turns, NaN where the
// caches are not held. The phasor stands at -theta in the un-rotated frame.
double accumulated_phase(const ModelConfig& config, const LayerState& layer, int head, int pair);
// The same in turns.
double winding(const ModelConfig& config, const LayerState& layer, int head, int pair);
// dtheta of the last token, radians: turn * dt, or what an intervention made of it (coefficients.pairs). 0 for a pair that
// never turns, NaN where the coefficients are not held.
double phase_increment(const ModelConfig& config, const StepCoefficients& coefficients, int layer, int head, int pair);

// What a turn looks like: the nearest simple fraction of a turn.
struct TurnClass {
  int numerator = 0;    // signed; whole turns included; 0 with denominator 1: still
  int denominator = 1;  // 1 to 8; 0: no simple fraction lies within the tolerance
  double turns = 0;     // the turn itself
  double residual = 0;  // turns - numerator / denominator, 0 where there is none
  bool still() const { return denominator == 1 && numerator == 0; }
};
// Tolerance in turns. The smallest denominator that fits is taken.
TurnClass classify_turn(double radians, double tolerance_turns = 0.01);
// "still", "half turn", "1/5 turn", "-2/3 turn", "full turn", "2 turns", "0.137 turn".
std::string name_of(const TurnClass& turn);

// Length of the mean of e^(i angle), in [0, 1]: 1 where all angles agree, near 0 where they spread; NaN without angles.
double circular_concentration(std::span<const double> radians);
// Direction of that mean in (-pi, pi]; NaN without angles.
double circular_mean(std::span<const double> radians);

// Tokens until a state decayed by alpha each token is halved: ln(1/2) / ln(alpha); infinite for alpha >= 1, 0 for
// alpha <= 0.
double half_life_tokens(double alpha);

}  // namespace engine
