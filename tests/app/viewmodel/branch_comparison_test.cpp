// One branch beside another: how far tokens agree, the divergence of what is predicted, the distance of states.
#include "app/viewmodel/branch_comparison.h"

#include <doctest/doctest.h>

#include <cmath>

using namespace app;

namespace {

std::shared_ptr<engine::TokenRecord> record(std::int64_t position, std::int32_t id, std::vector<float> probabilities,
                                            float state) {
  auto made = std::make_shared<engine::TokenRecord>();
  made->position = position;
  made->id = id;
  for (std::size_t i = 0; i < probabilities.size(); ++i)
    made->top.push_back({static_cast<std::int32_t>(i), 0.0F, probabilities[i]});
  auto after = std::make_shared<engine::SequenceState>();
  after->layers.resize(1);
  after->layers[0].ssm = {state, 0, 0, 4};
  made->state = after;
  return made;
}

// Two branches with the same token 0, other tokens 1, and the second one longer.
engine::Snapshot two_branches(int vocab_size) {
  engine::Snapshot snapshot;
  auto model = std::make_shared<engine::Model>();
  model->weights.config.vocab_size = vocab_size;
  snapshot.model = model;
  const auto first = record(0, 1, {0.5F, 0.5F}, 3);
  engine::BranchView main, other;
  main.id = 0;
  main.tokens.push_back(first);
  main.tokens.push_back(record(1, 2, {0.75F, 0.25F}, 6));
  other.id = 1;
  other.parent = 0;
  other.tokens.push_back(first);
  other.tokens.push_back(record(1, 3, {0.5F, 0.5F}, 3));
  other.tokens.push_back(record(2, 1, {0.5F, 0.5F}, 3));
  snapshot.tokens = main.tokens;
  snapshot.branches = {main, other};
  return snapshot;
}

}  // namespace

TEST_CASE("a branch is compared where both hold records") {
  const engine::Snapshot snapshot = two_branches(2);
  const BranchComparison at1 = compare_branch(snapshot, snapshot.branches[1], 1, 0);
  CHECK(at1.both == 2);
  CHECK(at1.first_difference == 1);
  CHECK(at1.there);
  CHECK(at1.other_id == 3);
  CHECK(at1.kl_whole);
  CHECK(at1.kl_bits == doctest::Approx(0.75 * std::log2(1.5) - 0.25));
  CHECK(at1.state_distance == doctest::Approx(3.0 / 5.0));
  const BranchComparison at0 = compare_branch(snapshot, snapshot.branches[1], 0, 0);
  CHECK(at0.kl_bits == 0);
  CHECK(at0.state_distance == 0);
  CHECK_FALSE(differs_at(snapshot, snapshot.branches[1], 0));
  CHECK(differs_at(snapshot, snapshot.branches[1], 1));
}

TEST_CASE("of a large vocabulary the best tokens give a lower bound, and what was dropped gives nothing") {
  engine::Snapshot snapshot = two_branches(1000);
  const BranchComparison bound = compare_branch(snapshot, snapshot.branches[1], 1, 0);
  CHECK_FALSE(bound.kl_whole);
  CHECK(bound.kl_bits == doctest::Approx(0.75 * std::log2(1.5) - 0.25));
  engine::TokenRecord bare = *snapshot.tokens[1];
  bare.top.clear();
  bare.state = std::make_shared<engine::SequenceState>();
  snapshot.tokens.replace(1, std::make_shared<const engine::TokenRecord>(bare));
  const BranchComparison nothing = compare_branch(snapshot, snapshot.branches[1], 1, 0);
  CHECK(std::isnan(nothing.kl_bits));
  CHECK(std::isnan(nothing.state_distance));
}

TEST_CASE("compared is what was chosen, else the branch that it began on, else another") {
  engine::Snapshot snapshot = two_branches(2);
  snapshot.branch = 1;
  CHECK(branch_beside(snapshot, -1)->id == 0);
  CHECK(branch_beside(snapshot, 1)->id == 0);  // not with itself
  snapshot.branch = 0;
  CHECK(branch_beside(snapshot, -1)->id == 1);
  snapshot.branches.pop_back();
  CHECK(branch_beside(snapshot, -1) == nullptr);
}
