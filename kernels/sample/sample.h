// The last thing of a token that draws its successor: one id for each sequence, from its logits.
//
// Definition, for V logits of which the best is finite (else the best is drawn; the lower id among equals, and NaN counts
// as minus infinity). Each id has a mass, 2^40 exp((logit - best) / temperature) rounded to a whole number. Ids of mass 0,
// whose probability is less than 2^-41 of the best's, are never drawn. Candidates are the others:
//   all         every one of them
//   top_count   the `count` best
//   top_share   the fewest best whose masses reach `share` of the total, at least one
// r, a whole number below 2^64, is the generator's first number for the seed and the position that the id takes. Drawn is
// the first candidate, in the order of ids, at which the running sum of masses exceeds r / 2^64 of the candidates' sum.
#pragma once

#include "kernels/fused/fused.h"
#include "kernels/sample/draw.h"

#include <cstddef>
#include <cstdint>

namespace kernels {

// On the host; count is at least 1 and below 2^23.
std::int32_t sample(const float* logits, std::int32_t count, const DrawRule& rule, std::uint64_t position);

// Where a sequence stands that draws its own ids. On the device, so that a recorded step can be launched again as it is.
struct SampleCursor {
  std::uint64_t position = 0;  // that the next id takes; advances with each draw
  std::uint64_t draw = 0;      // of the ids drawn so far, in `drawn`; advances
};

struct SampleArgs {
  int batch = 1;
  int vocab = 0;                    // V: ids to choose from, below 2^23
  std::size_t stride = 0;           // logits from one sequence to the next, at least V
  const float* logits = nullptr;    // (B, stride)
  const float* rest = nullptr;      // (B, stride) to be added to them; may be null
  DrawRule rule;                    // sequence b's seed is b more
  SampleCursor* cursors = nullptr;  // (B)
  std::int32_t* ids = nullptr;      // (B) out
  std::int32_t* drawn = nullptr;    // (draws, B) out: the same, one row after the other
};

namespace device {

// The bits of the host's sample(), whatever the batch. Queued, not waited for. Returns a CUDA error code.
int sample(const SampleArgs& args, const Placement& placement);

}  // namespace device

}  // namespace kernels
