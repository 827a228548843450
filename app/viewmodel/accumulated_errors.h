// The rules' errors carried over the tokens of a context (engine/analysis/accumulated_error.h), for all heads of the model
// or, where their states would be large, of the shown layer. Works on in slices of time, as tokens come, and keeps what
// it has found by token. Pure but for the clock that ends a slice; one thread; no ImGui.
#pragma once

#include "app/viewmodel/rule_errors.h"
#include "app/viewmodel/selection.h"
#include "engine/analysis/accumulated_error.h"
#include "engine/session/snapshot.h"

#include <cstdint>
#include <memory>
#include <vector>

namespace app {

class AccumulatedErrors {
 public:
  // Works towards token `index`, for about `budget_ms`. True: it is there.
  bool advance(const engine::Snapshot& snapshot, const Selection& selection, std::int64_t index, double budget_ms);

  // The token from which on errors are carried: 0, or the first whose record still holds its caches. There the exact
  // state begins as the model's own, and errors as zero.
  std::int64_t first() const { return first_; }
  std::int64_t reached() const { return first_ + static_cast<std::int64_t>(found_.size()) - 1; }
  bool whole_model() const { return whole_model_; }
  // Changes whenever something was found or forgotten.
  std::uint64_t version() const { return version_; }

  // Of a head of the layers that are followed; nothing is known of tokens that were not reached.
  engine::AccumulatedError at(std::int64_t token, int layer, int head) const;
  ErrorSeries series(int layer, int head, std::int64_t index, int max_tokens) const;
  ErrorSpread spread(std::int64_t index, int bins = 24) const;

 private:
  // In fp32, since there is one for each token and head.
  struct Found {
    float half, cross, slope, model;
  };

  std::size_t place(int layer, int head) const;  // in head_ and in each token of found_
  bool same_story(const engine::Snapshot& snapshot, const Selection& selection, std::int64_t index) const;
  void begin(const engine::Snapshot& snapshot, const Selection& selection, std::int64_t index);
  void take(const engine::Snapshot& snapshot, std::int64_t token);

  std::shared_ptr<const engine::Model> model_;
  Frame frame_ = Frame::unrotated;
  int first_layer_ = 0, layers_ = 0, heads_ = 0;
  bool whole_model_ = true;
  std::int64_t first_ = 0;
  std::vector<std::int32_t> ids_;               // all up to the last one taken: the same ids have the same errors
  std::vector<engine::ErrorAccumulator> head_;  // (layers, heads)
  std::vector<std::vector<Found>> found_;       // by token from first_
  std::uint64_t version_ = 0;
};

}  // namespace app
