// What the model says after the shown token, and how right it has been so far. Pure, no ImGui.
#pragma once

#include "app/viewmodel/selection.h"
#include "engine/session/snapshot.h"

#include <cstdint>
#include <string>
#include <vector>

namespace app {

struct AnswerRow {
  std::int32_t id = 0;
  std::string text;
  double probability = 0, logit = 0;
  double change = 0;       // of the probability against the previous token; NaN where it was not among the kept ones
  bool predicted = false;  // the argmax
  bool truth = false;      // the task's label here, or the token that came next
};

struct AnswersView {
  bool labelling = false;  // the model labels each position; else it predicts the next token
  std::vector<AnswerRow> rows;
  bool not_finite = false;  // the logits hold infinity or NaN: nothing can be said, so there are no rows
  bool truth_known = false, right = false;
  std::string truth_text;
  std::int64_t broken_at = -1;  // the token, up to the shown one, that breaks the task's grammar; -1: none does
  double entropy_bits = 0, kl_bits = 0;  // kl NaN at the first token
  // Probability of the truth, per token of the window: of the label, or of the token itself before it was consumed.
  // NaN where it is not known; a label outside the kept ones counts as 0.
  std::vector<double> token, truth_probability;
  int right_so_far = 0, judged_so_far = 0;  // labelling models, up to the shown token
};

// Whether the token's prediction is one. NaN in one logit is NaN in all that follow from it; the kept ones are enough to
// see it.
bool finite(const engine::TokenRecord& record);

AnswersView make_answers(const engine::Snapshot& snapshot, std::int64_t index, int max_tokens);

}  // namespace app
