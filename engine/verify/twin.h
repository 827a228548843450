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
  std::vector<float> logits;   // of the last token, of those sequences one after the other: its bits, to be met again

  bool pass(double rtol) const { return worst <= rtol; }
};

// The token of sequence b at position t: every sequence has another text.
std::int32_t twin_token(int vocab_size, std::int64_t position, int sequence);

// Resets both and steps `tokens` tokens; compares the first and the last sequence of the measured batch with the twin,
// whose batch is 1. Errors: those of the backends.
Result<TwinReport> compare_with_twin(Backend& measured, Backend& twin, const ModelConfig& config, int tokens);

// Resets the backend, steps the same tokens again and returns their last logits, as TwinReport::logits.
Result<std::vector<float>> logits_again(Backend& measured, const ModelConfig& config, const TwinReport& report);

}  // namespace engine
