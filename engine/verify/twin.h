// Two backends with the same weights: whether one computes what the other does. For models without a golden file, such
// as random ones that are only timed.
#pragma once

#include "engine/backend/backend.h"
#include "engine/verify/difference.h"

#include <cstdint>
#include <string>
#include <vector>

namespace engine {

struct TwinReport {
  int tokens = 0;
  std::vector<int> sequences;  // of the measured batch that were compared
  double worst = 0;            // largest max_rel over logits of every token and every state tensor after the last
  std::string where;           // "logits of token 2", "ssm of layer 3"
  bool step_by_step = false;   // every step by itself, see compare_with_twin
  std::vector<float> logits;   // of the last token, of those sequences one after the other: its bits, to be met again

  bool pass(double rtol) const { return worst <= rtol; }
};

// The token of sequence b at position t: every sequence has another text.
std::int32_t twin_token(int vocab_size, std::int64_t position, int sequence);

// Resets both and steps `tokens` tokens; compares the first and the last sequence of the measured batch with the twin,
// whose batch is 1. Errors: those of the backends.
//
// A bf16 state is compared step by step: before each step the twin, which keeps its own in fp32, takes over the measured
// state, and a value of the matrix state counts for what it is off beyond half a unit in the last place of bf16. So the
// rounding is allowed exactly once a step and everything else is held to the same tolerance as ever. Side by side over
// many tokens no tolerance would do, not even with a twin that rounds: two values on different sides of a tie come out a
// whole unit apart, and the next layer makes more of them.
Result<TwinReport> compare_with_twin(Backend& measured, Backend& twin, const ModelConfig& config, int tokens);

// What a narrower state makes of the logits, beside the twin's fp32 state over the same text. Not an error: a cost.
struct StateEffect {
  int tokens = 0;
  Difference logits;          // over all tokens
  double top1_agreement = 0;  // share of tokens whose likeliest next token, padding left out, is the twin's
};

// Resets both and steps the first sequence's text, each from its own state. The twin's batch is 1.
Result<StateEffect> measure_state_effect(Backend& measured, Backend& twin, const ModelConfig& config, int tokens);

// Resets the backend, steps the same tokens again and returns their last logits, as TwinReport::logits.
Result<std::vector<float>> logits_again(Backend& measured, const ModelConfig& config, const TwinReport& report);

}  // namespace engine
