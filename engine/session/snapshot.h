// What the stepping thread publishes and every view draws: immutable once made, shared by pointer.
// Bulk data sits in one record per token, so that publishing costs a list of pointers.
#pragma once

#include "engine/analysis/discretisation.h"
#include "engine/backend/backend.h"
#include "engine/base/result.h"
#include "engine/intervention/intervention.h"
#include "engine/model/model.h"
#include "engine/sampling/sampler.h"
#include "engine/session/token_list.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace engine {

struct TopToken {
  std::int32_t id = 0;
  float logit = 0;
  float probability = 0;  // over vocab_size entries, or over the K classes of a labelling model
};

enum class TokenOrigin : std::uint8_t { given, sampled, task };

// Everything about one consumed token. Immutable.
struct TokenRecord {
  std::int64_t position = 0;
  std::int32_t id = 0;
  TokenOrigin origin = TokenOrigin::given;
  float probability =
      -1;  // that the model gave this token before it was consumed; -1 for the first and for labelling models
  std::int32_t predicted = 0;  // argmax after the token
  std::int32_t truth = -1;     // the task's class at this position, or not_asked or not_known (engine/tasks/label.h)
  float entropy_bits = 0;
  float kl_bits = -1;         // KL(now || previous token's distribution); -1 at the first
  std::vector<TopToken> top;  // best first, at most 16
  StepCoefficients coefficients;
  std::vector<RuleErrors> error_stored, error_unrotated;  // (L, H)
  // Caches of all layers, with ssm for the layers that fit the record budget or are watched; never null. A long run
  // outgrows the history budget: then the oldest records lose first the contents of their state (state->layers has L
  // layers whose vectors are empty), and when that is not enough their coefficients, errors and top tokens (empty too).
  // Seeking to a token fills its record again.
  std::shared_ptr<const SequenceState> state;
  // Of a token that was prefilled: it was consumed at once with those of [prefill_first, prefill_end), without a look at
  // each. Then only id, origin and truth are known, until somebody seeks to it; `skipped` says whether nobody did yet.
  std::int64_t prefill_first = -1, prefill_end = -1;
  bool skipped = false;
};

// A branch as it was when the snapshot was made.
struct BranchView {
  int id = 0;
  std::string name;
  int parent = -1;            // the branch that it began on; -1: none, or not there any more
  std::int64_t fork = 0;      // tokens that it took from there
  TokenList tokens;           // all that were stepped, also those that were stepped back over
  std::int64_t position = 0;  // of them consumed
  std::int64_t pending = 0;   // given and never stepped
  std::vector<Intervention> interventions;
};

enum class SessionMode : std::uint8_t { idle, running, failed };

struct Snapshot {
  std::uint64_t version = 0;
  std::shared_ptr<const Model> model;
  BackendInfo backend;
  std::shared_ptr<const StepPlan> plan;

  SessionMode mode = SessionMode::idle;
  std::optional<Error> error;         // why it failed
  std::string notice;                 // why the last command was refused; empty when it was not
  TokenList tokens;                   // consumed, oldest first; tokens[i]->position == i
  std::vector<std::int32_t> pending;  // given and not yet consumed
  std::int64_t furthest =
      0;  // tokens that were stepped before stepping back; those beyond tokens.size() are in pending
  std::vector<BranchView> branches;         // in the order in which they were made; never empty
  int branch = 0;                           // id of the current one, whose tokens are `tokens`
  std::vector<Intervention> interventions;  // of the current branch
  std::string undo, redo;                   // what these would take back or do again, in words; empty: nothing
  std::int64_t replay_to = 0;               // tokens that will be consumed again by themselves, after an edit; 0: none
  Sampler sampler;
  int step_last = 0;             // of a long prompt, all but that many tokens are prefilled; 0: all are stepped
  double speed = 8;              // tokens/s asked for while running; 0: as fast as it goes
  double tokens_per_second = 0;  // measured over the last second or so of stepping; 0 when idle
  double step_ms = 0;            // wall time of the last step, with reading back what the views show
  std::uint64_t history_bytes = 0, history_budget_bytes = 0;
  // Records that have lost their states, or more than them, for want of budget, since the session began.
  std::int64_t states_dropped = 0, details_dropped = 0;
  int watched_layer = 0;
  // As the last command::Tiles asked for them, after token tiles->position - 1; null: nobody asked, or that token was
  // stepped back over.
  std::shared_ptr<const StateTiles> tiles;

  bool empty() const { return tokens.empty(); }
  const BranchView* find_branch(int id) const {
    for (const BranchView& view : branches)
      if (view.id == id) return &view;
    return nullptr;
  }
};

}  // namespace engine
