// Choosing the next token from logits: a pure function of the logits, the sampler's settings and a counter, so that
// stepping back and forward again, or on another machine, draws the same ids. No thread, no state. A GPU draws the same by
// itself; the definition that both keep to, with the order of ids and all edge cases, is in kernels/sample/sample.h.
#pragma once

#include "kernels/sample/draw.h"

#include <cstdint>
#include <span>

namespace engine {

struct Sampler {
  enum class Kind : std::uint8_t { greedy, temperature, top_k, top_p } kind = Kind::greedy;
  float temperature = 1.0F;
  int top_k = 40;
  float top_p = 0.95F;
  std::uint64_t seed = 0;
};

// The next id from logits (vocab_size, without the padding; not empty). One number decides: the first of the generator
// of random.h with the sampler's seed and the counter, which is the position that the token will take, as the stream. Every
// kind but greedy divides the logits by the temperature first; a temperature of 0 or below is greedy.
//   greedy       the largest logit, the lower id among equals; also where the largest is infinite
//   temperature  from all ids
//   top_k        from the k best (at least one)
//   top_p        from the fewest best ids whose probabilities reach p (at least one)
std::int32_t sample(std::span<const float> logits, const Sampler& sampler, std::uint64_t counter);

// The same settings as the kernels take them.
kernels::DrawRule draw_rule(const Sampler& sampler);

}  // namespace engine
