// What interventions cost that change something: steps under them and steps of the model as it is, taking turns on one
// backend, so that a drift of the clock meets both. The changed step is held against another backend's first, changed alike.
#pragma once

#include "engine/backend/backend.h"
#include "engine/intervention/intervention.h"
#include "engine/verify/twin.h"

#include <span>
#include <vector>

namespace engine {

struct ChangedCost {
  std::vector<Intervention> list;
  TwinReport report;                        // of the changed steps beside the twin's
  bool differs = false;                     // the last logits are not those of the model as it is
  std::vector<double> without_ms, with_ms;  // of each timed step
  bool verified(double rtol) const { return report.pass(rtol) && differs; }
};

// Whether steps that follow no text can be timed under this list: the model can have it, and it names no tokens (input
// error else).
Result<void> check_timed(std::span<const Intervention> list, const ModelConfig& config);

// Compares both backends under the list over `tokens` tokens (compare_with_twin); `plain` is the report of the model as it
// is over as many. Afterwards nothing is changed any more in either. Errors: those of the backends.
Result<ChangedCost> compare_changed(Backend& measured, Backend& twin, const ModelConfig& config,
                                    std::span<const Intervention> list, int tokens, const TwinReport& plain);

// Changes the steps of every sequence from now on; nothing ends that. Errors: those of the backend.
Result<void> change_all(Backend& backend, const SequenceChanges& changes);

// Steps every sequence by turns without changes and with these, at least `steps` times each; what each step took. Ends
// without changes. Errors: those of the backend, also one that cannot change its steps.
Result<void> time_changed(Backend& backend, const SequenceChanges& changes, std::span<const std::int32_t> ids,
                          int steps, std::vector<double>& without_ms, std::vector<double>& with_ms);

}  // namespace engine
