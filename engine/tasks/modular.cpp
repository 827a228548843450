#include "engine/tasks/modular.h"

namespace engine {

namespace {

bool is_digit(std::int32_t id) { return id >= 0 && id < Modular::modulus; }
bool is_operator(std::int32_t id) { return id == Modular::plus || id == Modular::minus || id == Modular::times; }

}  // namespace

std::int32_t Modular::draw(Random& random) const {
  if (operand_due_) {
    if (depth_ < most_open_ && random.below(4) == 0) return opening;
    return static_cast<std::int32_t>(random.below(modulus));
  }
  if (depth_ > 0 && random.below(3) == 0) return closing;
  return plus + static_cast<std::int32_t>(random.below(3));
}

void Modular::take_operand(int value) {
  Level& level = levels_[depth_];
  if (level.pending == times) {
    level.term = static_cast<std::uint8_t>(level.term * value % modulus);
  } else {
    level.sum = static_cast<std::uint8_t>(level.value());
    level.term = static_cast<std::uint8_t>(level.pending == plus ? value : (modulus - value) % modulus);
  }
  operand_due_ = false;
}

std::int32_t Modular::read(std::int32_t id) {
  if (operand_due_ && is_digit(id)) {
    take_operand(id);
  } else if (operand_due_ && id == opening && depth_ < most_open_) {
    levels_[++depth_] = {};
    return not_asked;
  } else if (!operand_due_ && is_operator(id)) {
    levels_[depth_].pending = static_cast<std::uint8_t>(id);
    operand_due_ = true;
    return not_asked;
  } else if (!operand_due_ && id == closing && depth_ > 0) {
    const int value = levels_[depth_--].value();
    take_operand(value);
  } else {
    return not_known;
  }
  return depth_ == 0 ? levels_[0].value() : not_asked;
}

}  // namespace engine
