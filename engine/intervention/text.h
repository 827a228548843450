// Interventions in one line of text, for the command line and for saving: read and written, nothing is lost.
//
//   QUANTITY OPERATION [@ SCOPE ...]
//   quantity   rotation, lambda, dt, a, b_bias, c_bias, d, rank_write, rank_read, head, state
//   operation  *V scale, +V or -V add, =V set, ~SEED shuffle the pairs (rotation only)
//   scope      layers, heads, ranks, pairs, tokens, each with 3, or 0-4 (both included), or 20- (to the last); what is not
//              named is all of it. cell P,N: row and channel of a state, which needs one
//
// "rotation*0", "lambda=1", "dt+0.1 @ layers 0-1 heads 3 tokens 10-20", "state*0 @ layers 0 heads 2 cell 3,7".
#pragma once

#include "engine/intervention/intervention.h"

#include <string>
#include <string_view>
#include <vector>

namespace engine {

// Errors (input) say what is wrong and where. Whether a model has what is named is check()'s.
Result<Intervention> parse_intervention(std::string_view text);
// Each of them, and whether the model can be changed so (check()). Errors (input): the first that is wrong.
Result<std::vector<Intervention>> parse_interventions(const std::vector<std::string>& texts, const ModelConfig& config);
// What parse_intervention() reads back as the same.
std::string format_intervention(const Intervention& intervention);

}  // namespace engine
