// The grid of the parity bench: what one token's step leaves in every layer, tensor by tensor in the order in which a step
// makes them, and how far a backend's are from the reference's. Pure functions on host values.
#pragma once

#include "engine/backend/state.h"
#include "engine/model/config.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <vector>

namespace engine {

// In the order of the data: what is wrong in one makes those behind it wrong.
enum class ParityTensor : std::uint8_t {
  embedding,  // (d) the residual before the first layer; of no layer
  dt,         // (H), as the next five
  a,
  lambda,
  alpha,
  beta,
  gamma,
  turn,    // (S) radians per unit of dt
  angle,   // (H, S) modulo a full turn
  turns,   // (H, S) whole turns, of the whole phase: an angle on the other side of zero is no turn
  k,       // (R, H, N)
  v,       // (H, P)
  ssm,     // (H, P, N)
  mixer,   // (d) what the mixer adds to the residual
  mlp,     // (d) what the MLP adds to it
  logits,  // (V, padding included); of no layer
};
inline constexpr int parity_tensor_count = 16;
// Those of a layer.
inline constexpr std::array layer_tensors = {
    ParityTensor::dt,    ParityTensor::a,    ParityTensor::lambda, ParityTensor::alpha, ParityTensor::beta,
    ParityTensor::gamma, ParityTensor::turn, ParityTensor::angle,  ParityTensor::turns, ParityTensor::k,
    ParityTensor::v,     ParityTensor::ssm,  ParityTensor::mixer,  ParityTensor::mlp};

const char* name_of(ParityTensor tensor);

// What a step left in one sequence. The residual and what was added to it are known only of a step that was watched; rows of
// theirs are points: behind the embedding, then behind the mixer and the MLP of each layer.
struct ParityValues {
  StepCoefficients coefficients;
  SequenceState state;
  std::vector<float> logits;
  std::vector<float> residual, added;  // (1 + 2 L, d) or empty

  static std::size_t points(const ModelConfig& config) { return 1 + 2 * static_cast<std::size_t>(config.n_layer); }
};

struct ParityCell {
  int layer = -1;  // -1: of no layer
  ParityTensor tensor = ParityTensor::embedding;
  std::size_t values = 0;      // that were compared; 0: the model or the run does not have this tensor
  std::size_t not_finite = 0;  // of the backend's
  // Largest absolute difference over the largest absolute reference value of the tensor, as everywhere in engine/verify;
  // infinite where a value is not finite. Of `turns`: whole turns.
  double difference = 0;
  double of_limit = 0;            // times the limit; of `turns` infinite for any
  std::size_t index = 0;          // of the worst value, or the first that is not finite
  float found = 0, expected = 0;  // there

  bool over() const { return values > 0 && !(of_limit <= 1); }
};

// Cells in the order of the data: embedding, every tensor of layer 0, of layer 1, ..., logits.
std::size_t parity_cell_count(const ModelConfig& config);
std::size_t parity_cell_index(const ModelConfig& config, int layer, ParityTensor tensor);

struct ParityLimits {
  double rtol = 2e-4;
  bool bf16_state = false;  // ssm may be off by one rounding to bf16 in addition
};

// Both of the same model and token. What an fp32 residual's own rounding may add is not counted against `mixer` and `mlp`.
std::vector<ParityCell> compare_cells(const ParityValues& found, const ParityValues& expected,
                                      const ModelConfig& config, const ParityLimits& limits);

// The first cell whose bits differ, or parity_cell_count().
std::size_t first_unequal(const ParityValues& a, const ParityValues& b, const ModelConfig& config);

// "layer 3 ssm", "logits"; and "head 2, row 5, column 7" of a value in it.
std::string describe(const ParityCell& cell);
// The head that a value of a tensor belongs to; -1: to none.
int head_of(const ModelConfig& config, ParityTensor tensor, std::size_t index);
std::string place_in(const ModelConfig& config, ParityTensor tensor, std::size_t index);

}  // namespace engine
