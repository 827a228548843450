#include "app/viewmodel/answers.h"

#include "engine/tasks/label.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace app {

namespace {

constexpr double missing = std::numeric_limits<double>::quiet_NaN();

double probability_of(const engine::TokenRecord& record, std::int32_t id) {
  for (const engine::TopToken& top : record.top) {
    if (top.id == id) return static_cast<double>(top.probability);
  }
  return missing;
}

// The token that came, or comes, after `index`; -1 where nobody knows yet.
std::int32_t next_token(const engine::Snapshot& snapshot, std::int64_t index) {
  const auto next = static_cast<std::size_t>(index) + 1;
  if (next < snapshot.tokens.size()) return snapshot.tokens[next]->id;
  return snapshot.pending.empty() ? -1 : snapshot.pending.front();
}

}  // namespace

bool finite(const engine::TokenRecord& record) {
  return std::all_of(record.top.begin(), record.top.end(),
                     [](const engine::TopToken& top) { return std::isfinite(top.logit); });
}

AnswersView make_answers(const engine::Snapshot& snapshot, std::int64_t index, int max_tokens) {
  AnswersView view;
  if (snapshot.model == nullptr) return view;
  const engine::Model& model = *snapshot.model;
  view.labelling = model.card.labels_positions();
  view.kl_bits = missing;
  if (index < 0 || index >= static_cast<std::int64_t>(snapshot.tokens.size())) return view;
  const engine::TokenRecord& record = *snapshot.tokens[static_cast<std::size_t>(index)];
  view.not_finite = !finite(record);
  const engine::TokenRecord* previous =
      index > 0 ? snapshot.tokens[static_cast<std::size_t>(index) - 1].get() : nullptr;
  const std::int32_t truth = view.labelling ? record.truth : next_token(snapshot, index);
  view.truth_known = truth >= 0 && !record.skipped;
  if (view.truth_known) {
    view.right = record.predicted == truth;
    view.truth_text = model.label(truth);
  }
  for (const engine::TopToken& top : record.top) {
    if (view.not_finite) break;
    AnswerRow row;
    row.id = top.id;
    row.text = model.label(top.id);
    row.probability = static_cast<double>(top.probability);
    row.logit = static_cast<double>(top.logit);
    row.change = previous == nullptr ? missing : row.probability - probability_of(*previous, top.id);
    row.predicted = top.id == record.predicted;
    row.truth = view.truth_known && top.id == truth;
    view.rows.push_back(std::move(row));
  }
  view.entropy_bits = view.not_finite ? missing : static_cast<double>(record.entropy_bits);
  if (record.kl_bits >= 0 && !view.not_finite) view.kl_bits = static_cast<double>(record.kl_bits);

  const std::int64_t first = std::max<std::int64_t>(0, index + 1 - std::max(max_tokens, 1));
  for (std::int64_t t = 0; t <= index; ++t) {
    const engine::TokenRecord& at = *snapshot.tokens[static_cast<std::size_t>(t)];
    if (at.truth == engine::not_known && view.broken_at < 0) view.broken_at = t;
    if (view.labelling && at.truth >= 0 && finite(at)) {
      ++view.judged_so_far;
      view.right_so_far += at.predicted == at.truth ? 1 : 0;
    }
    if (t < first) continue;
    double p = missing;
    if (view.labelling && at.truth >= 0 && !at.top.empty() && finite(at)) {
      p = probability_of(at, at.truth);
      if (std::isnan(p)) p = 0;
    } else if (!view.labelling && at.probability >= 0 &&
               (t == 0 || finite(*snapshot.tokens[static_cast<std::size_t>(t) - 1]))) {
      p = static_cast<double>(at.probability);
    }
    view.token.push_back(static_cast<double>(t));
    view.truth_probability.push_back(p);
  }
  return view;
}

}  // namespace app
