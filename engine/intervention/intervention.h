// Changing a quantity of the step, to see what it does: which one, how, and where. Plain values; what they mean for a
// model's step is compiled into tables that the kernels read (changes.h).
#pragma once

#include "engine/base/result.h"
#include "engine/intervention/changes.h"
#include "engine/model/config.h"

#include <cstdint>
#include <span>
#include <string>

namespace engine {

enum class Quantity : std::uint8_t {
  rotation,    // the advance of a pair's angle, radians per token
  lambda,      // weight of the trapezoidal rule, clamped to [0, 1]
  dt,          // clamped to at least 0
  a,           // clamped to at most 0
  b_bias,      // of keys, every channel
  c_bias,      // of queries, every channel
  d,           // of the skip
  rank_write,  // what a rank writes into the state
  rank_read,   // what a rank reads from it, with the skip
  head,        // what a head hands to the output projection
  state,       // one cell of the state that the step finds, stored frame
};
const char* name_of(Quantity quantity);

enum class Operation : std::uint8_t { scale, add, set, shuffle };  // shuffle: rotation only, by pairs, seeded
const char* name_of(Operation operation);

struct IndexRange {
  std::int64_t first = 0, end = -1;  // end exclusive; -1: to the last one
  bool contains(std::int64_t i) const { return i >= first && (end < 0 || i < end); }
  bool operator==(const IndexRange&) const = default;
};

struct Intervention {
  Quantity quantity = Quantity::rotation;
  Operation operation = Operation::scale;
  double value = 1;          // of scale, add, set; the seed of shuffle
  IndexRange layers, heads;  // all
  IndexRange ranks;          // of b_bias, c_bias, rank_write, rank_read
  IndexRange pairs;          // of rotation
  int row = 0, channel = 0;  // of state
  IndexRange tokens;         // positions of the tokens whose steps it changes

  bool operator==(const Intervention&) const = default;
};

// "rotation x 0, layers 0-1, head 3, from token 20": for lists and messages.
std::string describe(const Intervention& intervention);

// Whether it can be done to this model: indices and values, with what is wrong (input error).
Result<void> check(const Intervention& intervention, const ModelConfig& config);

// What the step of the token at `position` is changed by; of several on one quantity a later one takes the result of the
// earlier. Nothing (SequenceChanges::none()) where none is in its range or all are neutral.
SequenceChanges changes_at(std::span<const Intervention> interventions, const ModelConfig& config,
                           std::int64_t position);

}  // namespace engine
