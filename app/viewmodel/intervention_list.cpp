#include "app/viewmodel/intervention_list.h"

#include <utility>

namespace app {

void InterventionList::edit(Interventions next, unsigned gesture) {
  if (next == now_) return;
  if (gesture == 0 || gesture != gesture_) before_.push_back(now_);
  gesture_ = gesture;
  after_.clear();
  now_ = std::move(next);
}

void InterventionList::add(const engine::Intervention& intervention) {
  Interventions next = now_;
  next.push_back(intervention);
  edit(std::move(next));
}

void InterventionList::duplicate(std::size_t index) {
  if (index >= now_.size()) return;
  Interventions next = now_;
  next.insert(next.begin() + static_cast<std::ptrdiff_t>(index) + 1, now_[index]);
  edit(std::move(next));
}

void InterventionList::remove(std::size_t index) {
  if (index >= now_.size()) return;
  Interventions next = now_;
  next.erase(next.begin() + static_cast<std::ptrdiff_t>(index));
  edit(std::move(next));
}

void InterventionList::undo() {
  if (before_.empty()) return;
  after_.push_back(std::exchange(now_, before_.back()));
  before_.pop_back();
  gesture_ = 0;
}

void InterventionList::redo() {
  if (after_.empty()) return;
  before_.push_back(std::exchange(now_, after_.back()));
  after_.pop_back();
  gesture_ = 0;
}

ValueSpan span_of(engine::Quantity quantity, engine::Operation operation) {
  using engine::Operation;
  using engine::Quantity;
  switch (operation) {
    case Operation::scale:
      // Below 0 these would be kept at 0 at every token.
      if (quantity == Quantity::lambda || quantity == Quantity::dt || quantity == Quantity::a) return {0, 2, 1};
      return {-2, 2, 1};
    case Operation::add:
      return {-1, 1, 0};
    case Operation::shuffle:
      return {0, 31, 0};
    case Operation::set:
      break;
  }
  if (quantity == Quantity::lambda) return {0, 1, 1};
  if (quantity == Quantity::dt) return {0, 1, 0.1};
  if (quantity == Quantity::a) return {-4, 0, -1};
  return {-3.2, 3.2, 0};
}

engine::Intervention neutral_intervention(engine::Quantity quantity, engine::Operation operation) {
  engine::Intervention out;
  out.quantity = quantity;
  out.operation = operation;
  out.value = span_of(quantity, operation).neutral;
  return out;
}

}  // namespace app
