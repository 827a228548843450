// The consumed tokens and the complete states from which any of them can be reached again with the same bits. Bounded
// by a budget of bytes; one thread.
//
// Keyframes are complete states at positions that are multiples of an interval. They get at most half of the budget:
// when they need more, the interval doubles and every other one goes. When tokens and keyframes together pass the
// budget, the oldest records lose first their state copies, then their coefficients, errors and top tokens; id,
// probability and the other numbers stay (about 350 bytes a token).
#pragma once

#include "engine/session/snapshot.h"

#include <cstdint>
#include <map>
#include <memory>

namespace engine {

class History {
 public:
  History(std::uint64_t budget_bytes, int keyframe_interval, int layers);

  const TokenList& tokens() const { return tokens_; }
  std::int64_t size() const { return static_cast<std::int64_t>(tokens_.size()); }
  std::uint64_t bytes() const { return record_bytes_ + keyframe_bytes_; }

  // Whether the state after `position` tokens should be kept.
  bool wants_keyframe(std::int64_t position) const { return position % interval_ == 0; }
  // Appends the record of the next token; the keyframe is the complete state after it, or null.
  void push(std::shared_ptr<const TokenRecord> record, std::shared_ptr<const SequenceState> keyframe);
  // Another record for the same token.
  void replace(std::int64_t i, std::shared_ptr<const TokenRecord> record);
  // Forgets the tokens from `count` on, with their keyframes.
  void truncate(std::int64_t count);
  // The newest keyframe at or before `position` tokens; null: none, start from the beginning.
  std::shared_ptr<const SequenceState> keyframe_before(std::int64_t position) const;

 private:
  bool shared_with_record(std::int64_t position, const SequenceState* keyframe) const;
  void drop_keyframe(std::map<std::int64_t, std::shared_ptr<const SequenceState>>::iterator at);
  void thin_keyframes();
  bool strip_oldest();  // false: nothing is left to take
  void enforce_budget();

  std::uint64_t budget_bytes_;
  std::int64_t interval_;
  std::shared_ptr<const SequenceState> no_state_;  // what a record holds that lost its own
  TokenList tokens_;
  std::map<std::int64_t, std::shared_ptr<const SequenceState>> keyframes_;  // by tokens consumed
  std::uint64_t record_bytes_ = 0;                                          // records with their states
  std::uint64_t keyframe_bytes_ = 0;                                        // keyframes that no record holds
  std::size_t states_stripped_ = 0;   // records before this have no state of their own
  std::size_t details_stripped_ = 0;  // records before this have no details either
};

// Whether a record still holds the caches of all layers.
bool holds_state(const TokenRecord& record);

}  // namespace engine
