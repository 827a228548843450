// What interventions do to a model: the same tokens as sequences of one batch, the model as it is first, then for each list
// of interventions the counterfactual and its matched random controls. None of the others is the truth: effects, not errors.
// What the model is compared as may itself be changed (`base`): then every sequence is, and the lists come on top.
// Steps a backend; one thread, the caller's.
//
// What it costs beside the steps: controls need the states of all layers on the host after every token and are set anew
// there. That is nothing for small models; a control of a model of 1.5B parameters moves 2 x 51 MB a token. Controls of a
// step or of the rotation step every token twice, the first time to see what the interventions do in it.
#pragma once

#include "engine/effect/matched_control.h"
#include "engine/effect/side_by_side.h"
#include "engine/intervention/intervention.h"

#include <cstdint>
#include <span>
#include <vector>

namespace engine {

struct EffectPlan {
  std::vector<std::vector<Intervention>> lists;  // each its own counterfactual
  int controls = 0;                              // of each
  ControlKind kind = ControlKind::state;
  std::uint64_t seed = 0;               // of the controls
  std::vector<Intervention> base = {};  // in force in every sequence, before the lists

  int per_list() const { return 1 + controls; }
  int sequences() const { return 1 + static_cast<int>(lists.size()) * per_list(); }
  int counterfactual(int list) const { return 1 + list * per_list(); }
  int control(int list, int i) const { return counterfactual(list) + 1 + i; }
};

// Token by token, so that a text that grows can be followed. Gives the backend's sequences back to the model at its end.
class InterventionRun {
 public:
  // From reset. Errors (input): an intervention that this model cannot have; a batch that is not plan.sequences(); a
  // backend that cannot.
  static Result<InterventionRun> start(Backend& backend, const Model& model, EffectPlan plan,
                                       const SideBySideOptions& options);
  InterventionRun(InterventionRun&& other) noexcept;
  InterventionRun(const InterventionRun&) = delete;
  InterventionRun& operator=(const InterventionRun&) = delete;
  InterventionRun& operator=(InterventionRun&&) = delete;
  ~InterventionRun();

  // Back to before the first token.
  Result<void> reset();
  // As SideBySide::step(). Distances of a control are those of the state that its next step finds.
  Result<EffectToken> step(std::int32_t id, std::int32_t next);
  const EffectPlan& plan() const { return plan_; }

 private:
  InterventionRun(Backend& backend, const Model& model, EffectPlan plan, const SideBySideOptions& options);
  Result<void> change(int sequence, const SequenceChanges& changes);
  Result<void> change_base(std::int64_t position);
  Result<void> change_counterfactuals(std::int64_t position);
  Result<void> look_ahead(std::int64_t position, std::int32_t id);
  Result<void> set_controls(std::int64_t position, EffectToken& token);

  Backend* backend_;  // null: moved from
  const Model& model_;
  EffectPlan plan_;
  SideBySideOptions options_;
  SideBySide side_;
  std::vector<bool> changed_;              // by sequence: whether its steps are changed now
  SequenceChanges base_;                   // of the last step, where a base is
  std::vector<bool> base_active_;          // which of the base the last step was in range of
  std::vector<SequenceState> one_step_;    // by list, of ControlKind::step: the original after one changed step
  std::vector<std::vector<bool>> active_;  // by list: which of its interventions the last step was in range of
};

// Steps `ids` from reset. A run that `progress` ended has fewer tokens. Errors: as above, and an id outside the vocabulary.
Result<std::vector<EffectToken>> intervention_effect(Backend& backend, const Model& model,
                                                     std::span<const std::int32_t> ids, const EffectPlan& plan,
                                                     const SideBySideOptions& options, const EffectProgress& progress);

// Tokens with the classes that a task asks (-1 where it does not; may be empty).
struct EffectText {
  std::vector<std::int32_t> ids, truth;
};

// Of one sequence of the batch, over all tokens of some texts.
struct EffectTally {
  std::int64_t tokens = 0, same_prediction = 0, labelled = 0, right = 0;
  double kl_bits = 0, logit_difference = 0;  // sums

  void add(const EffectToken& token, std::size_t sequence, std::int32_t truth);
  double mean_kl_bits() const { return tokens > 0 ? kl_bits / static_cast<double>(tokens) : 0; }
  double mean_logit_difference() const { return tokens > 0 ? logit_difference / static_cast<double>(tokens) : 0; }
  double accuracy() const { return labelled > 0 ? static_cast<double>(right) / static_cast<double>(labelled) : -1; }
};
// (sequences) of the plan. Texts one after the other, each from reset; a run that `progress` ended has what it counted.
Result<std::vector<EffectTally>> tally_effects(Backend& backend, const Model& model, std::span<const EffectText> texts,
                                               const EffectPlan& plan, const EffectProgress& progress);

}  // namespace engine
