// What `mambascope step` does, apart from reading its arguments and printing: which tokens, and what came of each.
#pragma once

#include "app/commands/options.h"
#include "engine/sampling/sampler.h"
#include "engine/session/snapshot.h"

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace app {

struct StepOptions : CommonOptions {
  bool has_prompt = false;
  bool special = true;   // a prompt begins with the special tokens that the tokenizer puts before a text
  bool stream = false;   // print the text alone, as it comes
  bool prefill = false;  // given tokens at once; what each but the last predicts is not looked at
  std::string prompt, preset;
  std::vector<std::int32_t> tokens;
  int steps = 0;
  engine::Sampler sampler;
};

// Tokens that are known before the first step; a sampled one is not.
struct GivenTokens {
  std::vector<std::int32_t> ids;
  std::size_t from_task = 0;        // how many at the end were drawn from the task
  std::vector<std::int32_t> truth;  // the task's class of each, or not_asked or not_known; empty: no task
  int sampled = 0;                  // how many follow, each sampled
};

struct SteppedToken {
  std::int64_t position = 0;
  std::int32_t id = 0;
  engine::TokenOrigin origin = engine::TokenOrigin::given;
  double probability = -1;  // that the model gave this token before; -1: the first, or a model that labels positions
  std::int32_t truth = -1;
  double entropy_bits = 0;
  std::vector<engine::TopToken> top;  // best first, never empty
  std::vector<double> state_norms;    // (L) Frobenius norm of each layer's state
};

struct SteppedTokens {
  std::vector<std::int32_t> prefilled;  // ids that were given and not looked at, before `tokens`
  double prefill_ms = 0;                // of those and the first of `tokens`; 0: none
  std::vector<SteppedToken> tokens;
  std::int64_t asked = 0, right = 0;  // of a model that labels positions
  std::int64_t broken_at = -1;        // the token that breaks the task's grammar; -1: none does
  double first_token_ms = 0;          // from the start of the program to the end of the first step
  // Of a step, 0 where none was made: without reading back where its id was given, with drawing the id and handing over where it was sampled.
  double min_ms = 0, median_ms = 0, total_ms = 0;

  // Of those that were stepped.
  double tokens_per_s() const {
    const std::size_t stepped = tokens.size() - (prefill_ms > 0 ? 1 : 0);
    return total_ms > 0 ? 1e3 * static_cast<double>(stepped) / total_ms : 0;
  }
};

// Prompt or ids, else the model's example prompt; then --steps more. Errors (input): an id outside the vocabulary, a
// prompt that the model cannot write, nothing to step.
engine::Result<GivenTokens> tokens_to_step(const engine::Model& model, const StepOptions& options);

// Called with each token, in order; sampled ones come in small groups. May be empty.
using TokenSeen = std::function<void(const SteppedToken&)>;

engine::Result<SteppedTokens> step_tokens(const engine::Model& model, engine::Backend& backend,
                                          const StepOptions& options, const GivenTokens& given,
                                          const TokenSeen& seen = {});

}  // namespace app
