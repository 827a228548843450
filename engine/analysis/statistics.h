// What the logits of one token say: probabilities, entropy, divergence, the best ids. Pure functions in double; no
// device, no thread. Callers pass the vocabulary's logits without the padding (or the K classes of a labelling model).
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace engine {

// log p = logit - log sum exp(logits), natural logarithm, shifted by the largest logit so that nothing overflows. NaN
// counts as minus infinity.
struct Distribution {
  std::vector<double> p, log_p;

  bool empty() const { return p.empty(); }
};
Distribution softmax(std::span<const float> logits);
// The same into the memory of another one.
void softmax(std::span<const float> logits, Distribution& out);

// Whether no logit is infinite or NaN: where one is, a distribution would be made up.
bool all_finite(std::span<const float> logits);

// -sum p log2 p, in [0, log2(size)] bits.
double entropy_bits(const Distribution& d);
// KL(p || q) = sum p log2(p / q) in bits, never below 0; infinite where q misses what p has. Sizes must be equal.
double kl_bits(const Distribution& p, const Distribution& q);

// Ids of the `count` largest logits, best first; the lower id first among equals; NaN last.
std::vector<std::int32_t> top_ids(std::span<const float> logits, int count);

}  // namespace engine
