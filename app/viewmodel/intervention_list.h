// The list of interventions that is being edited, with undo. Pure, no ImGui.
#pragma once

#include "engine/intervention/intervention.h"

#include <cstddef>
#include <vector>

namespace app {

using Interventions = std::vector<engine::Intervention>;

class InterventionList {
 public:
  const Interventions& now() const { return now_; }
  // Another list. What a slider does until it is let go is one edit: pass the same `gesture` (not 0) for all of it.
  void edit(Interventions next, unsigned gesture = 0);
  void add(const engine::Intervention& intervention);
  void duplicate(std::size_t index);
  void remove(std::size_t index);

  bool can_undo() const { return !before_.empty(); }
  bool can_redo() const { return !after_.empty(); }
  void undo();
  void redo();

 private:
  Interventions now_;
  std::vector<Interventions> before_, after_;
  unsigned gesture_ = 0;
};

// The values that a slider of this quantity and operation spans, and one that changes nothing.
struct ValueSpan {
  double low = 0, high = 1, neutral = 1;
};
ValueSpan span_of(engine::Quantity quantity, engine::Operation operation);
// What stands in a new row: something that the model has, and that changes nothing yet.
engine::Intervention neutral_intervention(engine::Quantity quantity, engine::Operation operation);

}  // namespace app
