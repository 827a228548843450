#include "app/viewmodel/branch_comparison.h"

#include <algorithm>
#include <cmath>

namespace app {
namespace {

bool all_finite(const engine::TokenRecord& record) {
  return !record.top.empty() && std::all_of(record.top.begin(), record.top.end(),
                                            [](const engine::TopToken& top) { return std::isfinite(top.probability); });
}

double term(double p, double q) { return p > 0 ? p * std::log2(p / q) : 0; }

// From the best tokens of both. What only one of them has among its best is put together with all others: the divergence
// of such sums is never larger than that of the whole.
void compare_predictions(const engine::Model& model, const engine::TokenRecord& mine, const engine::TokenRecord& other,
                         BranchComparison& out) {
  if (!all_finite(mine) || !all_finite(other)) return;
  double kl = 0, rest = 1, other_rest = 1;
  std::size_t common = 0;
  for (const engine::TopToken& a : mine.top) {
    const auto b = std::find_if(other.top.begin(), other.top.end(),
                                [&](const engine::TopToken& candidate) { return candidate.id == a.id; });
    if (b == other.top.end()) continue;
    const double p = static_cast<double>(a.probability), q = static_cast<double>(b->probability);
    kl += term(p, q);
    rest -= p;
    other_rest -= q;
    ++common;
  }
  const std::size_t classes =
      model.card.labels_positions() ? model.card.labels.size() : static_cast<std::size_t>(model.config().vocab_size);
  out.kl_whole = common >= classes;
  // Below what the probabilities' digits say there is no rest.
  if (!out.kl_whole && rest > 1e-6 && other_rest > 1e-6) kl += term(rest, other_rest);
  out.kl_bits = std::max(0.0, kl);
}

double distance(const engine::TokenRecord& mine, const engine::TokenRecord& other, int layer) {
  const auto at = static_cast<std::size_t>(layer);
  if (at >= mine.state->layers.size() || at >= other.state->layers.size()) return BranchComparison::nan;
  const std::vector<float>&a = mine.state->layers[at].ssm, &b = other.state->layers[at].ssm;
  if (a.empty() || a.size() != b.size()) return BranchComparison::nan;
  double difference = 0, size = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    const double x = static_cast<double>(a[i]), y = static_cast<double>(b[i]);
    difference += (x - y) * (x - y);
    size += y * y;
  }
  return size > 0 ? std::sqrt(difference / size) : BranchComparison::nan;
}

}  // namespace

bool differs_at(const engine::Snapshot& snapshot, const engine::BranchView& other, std::int64_t position) {
  const auto at = static_cast<std::size_t>(position);
  return at >= other.tokens.size() || other.tokens[at]->id != snapshot.tokens[at]->id;
}

BranchComparison compare_branch(const engine::Snapshot& snapshot, const engine::BranchView& other, std::int64_t index,
                                int layer) {
  BranchComparison out;
  out.both = static_cast<std::int64_t>(std::min(snapshot.tokens.size(), other.tokens.size()));
  for (std::int64_t i = 0; i < out.both && out.first_difference < 0; ++i) {
    const auto at = static_cast<std::size_t>(i);
    // Shared records are the same token without a look at them.
    if (snapshot.tokens[at] != other.tokens[at] && snapshot.tokens[at]->id != other.tokens[at]->id)
      out.first_difference = i;
  }
  out.there = index < static_cast<std::int64_t>(other.tokens.size());
  if (!out.there) return out;
  const engine::TokenRecord& mine = *snapshot.tokens[static_cast<std::size_t>(index)];
  const engine::TokenRecord& theirs = *other.tokens[static_cast<std::size_t>(index)];
  out.other_id = theirs.id;
  if (all_finite(mine)) out.predicted = snapshot.model->label(mine.predicted);
  if (all_finite(theirs)) out.other_predicted = snapshot.model->label(theirs.predicted);
  compare_predictions(*snapshot.model, mine, theirs, out);
  out.state_distance = distance(mine, theirs, layer);
  return out;
}

const engine::BranchView* branch_beside(const engine::Snapshot& snapshot, int chosen) {
  const engine::BranchView* current = snapshot.find_branch(snapshot.branch);
  if (const auto* asked = snapshot.find_branch(chosen); asked != nullptr && asked != current) return asked;
  if (current != nullptr)
    if (const auto* parent = snapshot.find_branch(current->parent)) return parent;
  for (const engine::BranchView& view : snapshot.branches)
    if (&view != current) return &view;
  return nullptr;
}

}  // namespace app
