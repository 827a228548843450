// How well a next-token model predicts a text, measured by stepping a backend.
#pragma once

#include "engine/backend/backend.h"
#include "engine/model/config.h"

#include <cstdint>
#include <functional>
#include <span>

namespace engine {

struct TextScore {
  std::int64_t tokens = 0;  // that were predicted
  double bits = 0;          // -log2 of what the model gave them, summed

  double bits_per_token() const { return tokens == 0 ? 0 : bits / static_cast<double>(tokens); }
};

// Cuts the ids into windows of `length` tokens that are predicted from a fresh state: a window is stepped from the token
// before its first one, so that every token but the text's first is predicted once. As many windows at a time as the
// backend's batch, which does not change the result. `progress` (may be empty) is called after every step with the share
// that is done. Errors: input where there are fewer than two ids or a logit is not finite; else as the backend's.
Result<TextScore> score_text(Backend& backend, const ModelConfig& config, std::span<const std::int32_t> ids, int length,
                             const std::function<void(double)>& progress);

}  // namespace engine
