// Choosing the next token from logits: a pure function of the logits, the sampler's settings and a counter, so that
// stepping back and forward again, or on another machine, draws the same numbers. No thread, no state.
#pragma once

#include "engine/session/snapshot.h"

#include <cstdint>
#include <span>

namespace engine {

// A number in [0, 1) with 53 random bits: SplitMix64's finaliser (Steele, Lea, Flood 2014) over the seed and then over
// the counter. Integer arithmetic only: the same on every machine.
double uniform(std::uint64_t seed, std::uint64_t counter);
// The 64 bits behind it.
std::uint64_t random_bits(std::uint64_t seed, std::uint64_t counter);

// The next id from logits (vocab_size, without the padding; not empty). The counter is the position that the token will
// take. Every kind but greedy divides the logits by the temperature first; a temperature of 0 or below is greedy.
//   greedy       the largest logit, the lower id among equals
//   temperature  from all ids
//   top_k        from the k best (at least one)
//   top_p        from the fewest best ids whose probabilities reach p (at least one)
std::int32_t sample(std::span<const float> logits, const Sampler& sampler, std::uint64_t counter);

}  // namespace engine
