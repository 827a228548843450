// The recurrent state of one sequence and the coefficients of its last step, as host values in fp32.
#pragma once

#include "kernels/intervention/intervention.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

namespace engine {

// Caches of one layer after a token, as the official module keeps them; angles are wrapped into [0, 2 pi) and whole
// turns counted.
struct LayerState {
  std::vector<float> angle;         // (H, S) radians in [0, 2 pi)
  std::vector<std::int32_t> turns;  // (H, S) whole turns; angle + 2 pi turns is the accumulated phase
  std::vector<float> ssm;           // (H, P, N); empty where it was not asked for
  std::vector<float> k;             // (R, H, N) normed, biased, rotated key of the last token
  std::vector<float> v;             // (H, P) x of the last token, before mimo_x

  std::size_t bytes() const { return 4 * (angle.size() + turns.size() + ssm.size() + k.size() + v.size()); }
};

struct SequenceState {
  std::int64_t position = 0;       // tokens consumed
  std::vector<LayerState> layers;  // (L); a layer that was not asked for is empty

  std::size_t bytes() const {
    std::size_t sum = 0;
    for (const LayerState& layer : layers) sum += layer.bytes();
    return sum;
  }
};

// What the last step did in every layer of one sequence. dt is dimensionless, A is per unit of dt.
struct StepCoefficients {
  std::vector<float> dt, a, lambda, alpha, beta, gamma;  // (L, H)
  std::vector<float> turn;                               // (L, S): pi tanh(angle), radians per unit of dt
  std::vector<float> state_norm;                         // (L, H): Frobenius norm of the state after the step
  std::vector<float> state_change;                       // (L, H): Frobenius norm of the state's change in the step
  // What the advance of angles was changed by, (L, H, S); null: nothing, an angle advanced by turn * dt. A session's and a
  // recording's tokens have it (read_coefficients() leaves it alone); tokens under the same interventions share one.
  std::shared_ptr<const std::vector<kernels::PairChange>> pairs;
};

}  // namespace engine
