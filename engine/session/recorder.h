// Turns what a backend has just done into a token's record: logits into probabilities, caches and coefficients into
// errors, a copy of the state. One thread: the one that owns the backend.
#pragma once

#include "engine/analysis/statistics.h"
#include "engine/session/snapshot.h"

#include <cstdint>
#include <memory>
#include <span>
#include <utility>
#include <vector>

namespace engine {

class Recorder {
 public:
  // Backend and model outlive the recorder. Matrix states of all layers are copied where one sequence's state is at most
  // `record_state_bytes`, otherwise only the watched layer's.
  Recorder(Backend& backend, const Model& model, std::uint64_t record_state_bytes);

  bool copies_all() const { return copies_all_; }
  int watched_layer() const { return watched_layer_; }
  void watch(int layer) { watched_layer_ = layer; }

  // What the advance of angles is changed by in the steps from now on, for their records; null: nothing.
  void turn_by(std::shared_ptr<const std::vector<kernels::PairChange>> pairs) { pairs_ = std::move(pairs); }

  // Nothing has been consumed.
  void forget() { after_ = {}; }
  // Takes the logits of the step that the backend has done last, without making a record (after a restored state).
  Result<void> read_logits();
  // Makes the record of the step that the backend has done last. `previous` is the state after the token before; null for
  // the first token.
  Result<std::shared_ptr<TokenRecord>> record(std::int32_t id, TokenOrigin origin, const SequenceState* previous);
  // The same for a token that was recorded before and has lost its state and more: the rest is taken from that record.
  Result<std::shared_ptr<TokenRecord>> refresh(const TokenRecord& record, const SequenceState* previous);
  // The state as records hold it, now.
  Result<std::shared_ptr<const SequenceState>> copy_state();
  // Every layer with its matrix state, or the caches only.
  Result<std::shared_ptr<const SequenceState>> read_all_layers(bool with_ssm);

  // The logits over vocab_size entries after the newest token; empty before the first.
  std::span<const float> next_logits() const;

 private:
  Result<void> fill(TokenRecord& record, const SequenceState* previous);
  // Ids that the model gives probabilities to: the vocabulary, or the classes of a model that labels positions.
  std::span<const float> candidates() const;

  Backend& backend_;
  const Model& model_;
  bool copies_all_;
  int watched_layer_ = 0;
  std::vector<int> all_layers_;
  std::vector<float> logits_;  // (V) with padding, of the newest token
  Distribution after_;         // of the newest token; empty before the first
  Distribution before_;        // of the one before it, while a record is made
  std::shared_ptr<const std::vector<kernels::PairChange>> pairs_;
};

}  // namespace engine
