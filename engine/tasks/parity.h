// Parity: over 0 and 1, whether the number of ones so far is odd. A value; draws the next symbol, labels each.
#pragma once

#include "engine/base/random.h"
#include "engine/tasks/label.h"

namespace engine {

class Parity {
 public:
  std::int32_t draw(Random& random) const { return static_cast<std::int32_t>(random.below(2)); }

  // The class after this symbol; not_known, and nothing changed, where it is none.
  std::int32_t read(std::int32_t id) {
    if (id != 0 && id != 1) return not_known;
    return odd_ ^= id;
  }

 private:
  std::int32_t odd_ = 0;
};

}  // namespace engine
