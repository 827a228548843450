// What the chunked parallel form makes of a long text: the prefill of a text beside stepping it, believed only where both
// leave the same logits, coefficients and states.
#pragma once

#include "engine/backend/backend.h"
#include "engine/model/config.h"

#include <string>
#include <vector>

namespace engine {

struct PrefillCost {
  // Of any tensor, relative to its largest value. Products of activations in two bf16 parts, as in a step of a large batch, are
  // off by a few 1e-6 with a sign of their own, and what that does to the angles adds up over a text.
  static constexpr double rtol = 5e-3;
  int tokens = 0;        // of each sequence
  bool chunked = false;  // BackendInfo::chunked_prefill; otherwise both step
  double worst = 0;      // largest difference relative to the largest value of a tensor, of the first and last sequence
  std::string where;     // "logits", "ssm of layer 3"
  double logits = 0;     // the same of the logits alone
  bool same_bits_after = false;    // logits of the last timed prefill and of the first
  double stepping_ms = 0;          // the whole text, token by token, by the host's clock
  double first_ms = 0;             // the first prefill, which also takes its memory and opens the library
  std::vector<double> prefill_ms;  // each of the others, by the host's clock

  bool verified() const { return worst <= rtol && same_bits_after; }
};

// Resets the backend several times and leaves it after the text. Without a chunked form nothing is compared with itself.
Result<PrefillCost> measure_prefilling(Backend& backend, const ModelConfig& config, int tokens);

// What two backends, or one in two ways, left in a sequence.
struct TextOutcome {
  std::vector<float> logits;
  StepCoefficients coefficients;
  SequenceState state;  // all layers, with ssm
};
Result<TextOutcome> outcome_of_text(Backend& backend, const ModelConfig& config, int sequence);
// The largest difference relative to the largest value of the tensor, and which it is of; infinite where a value is not
// finite. Angles count modulo a full turn, and with their turns.
struct OutcomeDifference {
  double worst = 0, logits = 0;
  std::string where;
};
OutcomeDifference difference_of(const TextOutcome& found, const TextOutcome& expected);

}  // namespace engine
