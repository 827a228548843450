// Sequences of one batch that read the same tokens side by side, and how each differs from the first, the model as it is:
// predictions, divergence, states. What makes them differ is the caller's. Steps a backend; one thread, the caller's.
#pragma once

#include "engine/analysis/statistics.h"
#include "engine/backend/backend.h"
#include "engine/model/model.h"

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

namespace engine {

// One sequence after a token.
struct EffectOnToken {
  std::vector<double> p;       // of EffectToken::ids
  std::int32_t predicted = 0;  // argmax
  double entropy_bits = 0;
  double kl_bits = 0;                 // KL(as the model is || this one)
  double next_bits = -1;              // -log2 of what it gave the token that follows in the text; -1: none, or labels
  double logit_difference = 0;        // logit of EffectToken::answer less that of EffectToken::other
  std::vector<double> distance;       // (L): |z - z of the model as it is| / |the latter|, un-rotated states; or empty
  std::vector<double> head_distance;  // (L, H): the same by head; empty where it was not asked for
};

struct EffectToken {
  std::int32_t id = 0;
  std::int32_t answer = 0, other = 0;    // the two likeliest of the model as it is: what its prediction is between
  std::vector<std::int32_t> ids;         // the best of every sequence, the likeliest of the model as it is first
  std::vector<EffectOnToken> sequences;  // [0]: the model as it is
};

// Returning false ends the run.
using EffectProgress = std::function<bool(double done)>;

// |z_a - z_b|^2 and |z_b|^2 of one head, both in the frame that the queries read: what differs there reaches the output.
struct Apart {
  double squared = 0, size_squared = 0;
  double relative() const;  // infinite where only the second is zero
};
Apart apart(const ModelConfig& config, const LayerState& a, const LayerState& b, int head);

struct SideBySideOptions {
  int best = 5;  // ids of each sequence that are kept a token
  bool distance = true, head_distance = false;
};

class SideBySide {
 public:
  // As many sequences as the backend's batch.
  SideBySide(Backend& backend, const Model& model, const SideBySideOptions& options);

  // Steps every sequence by `id`. `next`: the token that follows it in the text, -1: none. Errors: as the backend's;
  // logits that are not finite (input).
  Result<EffectToken> step(std::int32_t id, std::int32_t next);
  // Complete, of now; read once a step. It stays until the next call of step() or forget().
  Result<const SequenceState*> state(int sequence);
  // The caller has changed sequences itself, or one: states that were read are no longer theirs.
  void forget();
  void forget(int sequence) { read_[static_cast<std::size_t>(sequence)] = false; }

  int sequences() const { return static_cast<int>(ids_.size()); }

 private:
  std::span<const float> candidates() const;
  Result<void> look(std::size_t s, std::int32_t next, EffectToken& token);
  Result<void> measure_distance(std::size_t s, EffectOnToken& out);

  Backend& backend_;
  const Model& model_;
  const SideBySideOptions options_;
  std::vector<int> layers_;
  std::vector<float> logits_;
  std::vector<SequenceState> states_;
  std::vector<bool> read_;  // whether a state is of now
  std::vector<std::int32_t> ids_;
  std::vector<Distribution> distributions_;
};

// Sums over the tokens of one sequence.
struct EffectSummary {
  double mean_kl_bits = 0, largest_kl_bits = 0;
  double mean_logit_difference = 0;
  std::int64_t tokens = 0, same_prediction = 0;  // argmax as the model's own
  double bits_per_token = -1;                    // of the text; -1 where nothing follows or the model labels
  std::vector<double> mean_distance;             // (L)
};
EffectSummary summarise(std::span<const EffectToken> tokens, std::size_t sequence);
// Whether neither a state nor a prediction of the sequence differs from the first's at any token.
bool same_as_first(const EffectToken& token, std::size_t sequence);
bool no_difference(std::span<const EffectToken> tokens, std::size_t sequence);

}  // namespace engine
