// Choosing the next token from logits: a pure function of the logits, the sampler's settings and a counter, so that
// stepping back and forward again, or on another machine, draws the same numbers. No thread, no state.
#pragma once

#include "engine/session/snapshot.h"

#include <cstdint>
#include <span>

namespace engine {

// The next id from logits (vocab_size, without the padding; not empty). One number decides: the first of the generator
// of random.h with the sampler's seed and the counter, which is the position that the token will take, as the stream. Every kind but greedy divides the logits by the temperature first; a temperature of 0 or below is greedy.
//   greedy       the largest logit, the lower id among equals
//   temperature  from all ids
//   top_k        from the k best (at least one)
//   top_p        from the fewest best ids whose probabilities reach p (at least one)
std::int32_t sample(std::span<const float> logits, const Sampler& sampler, std::uint64_t counter);

}  // namespace engine
