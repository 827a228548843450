// Arithmetic modulo 5 with digits, + - x and, where brackets may open, ( and ). x binds before + and -. The class is the
// value of all that was read so far, asked wherever that is a complete expression: after an operand, with every bracket
// closed. A value that holds where one sequence stands; draws the next symbol, labels each.
#pragma once

#include "engine/base/random.h"
#include "engine/tasks/label.h"

#include <array>

namespace engine {

class Modular {
 public:
  static constexpr int modulus = 5;
  static constexpr int deepest = 4;
  // Ids of the symbols: the digits are 0 to 4.
  enum Symbol : std::int32_t { plus = 5, minus = 6, times = 7, opening = 8, closing = 9 };

  // At most `most_open` brackets are open at a time, none with 0; up to `deepest`.
  explicit Modular(int most_open) : most_open_(static_cast<std::uint8_t>(most_open)) {}

  // Where an operand is due: a bracket opens with probability 1/4 while it may, else a digit. Where an operator is due:
  // an open bracket closes with probability 1/3, else an operator. Digits and operators are uniform.
  std::int32_t draw(Random& random) const;
  // The class after this symbol, or not_asked; not_known, and nothing changed, where the grammar does not allow it.
  std::int32_t read(std::int32_t id);

 private:
  // One open bracket: the value is sum + term, and `pending` waits for its right operand. All below the modulus.
  struct Level {
    std::uint8_t sum = 0, term = 0, pending = plus;
    int value() const { return (sum + term) % modulus; }
  };

  void take_operand(int value);

  std::array<Level, deepest + 1> levels_{};  // [0]: outside all brackets
  std::uint8_t depth_ = 0, most_open_;
  bool operand_due_ = true;
};

}  // namespace engine
