// The records of the tokens that were stepped on one branch, and the complete states from which any of them can be
// reached again. Tracks share records and states with the tracks that they were copied from; a ledger counts what all of
// them hold. One thread.
#pragma once

#include "engine/session/ledger.h"
#include "engine/session/snapshot.h"

#include <cstdint>
#include <map>
#include <memory>

namespace engine {

class Track {
 public:
  explicit Track(std::shared_ptr<Ledger> ledger) : ledger_(std::move(ledger)) {}
  // The first `count` tokens of another one, with their keyframes.
  Track(const Track& other, std::int64_t count);
  ~Track();
  Track(const Track&) = delete;
  Track& operator=(const Track&) = delete;

  const TokenList& tokens() const { return tokens_; }
  std::int64_t size() const { return static_cast<std::int64_t>(tokens_.size()); }

  void push(std::shared_ptr<const TokenRecord> record);
  void replace(std::int64_t i, std::shared_ptr<const TokenRecord> record);
  // Forgets the tokens from `count` on, with their keyframes.
  void truncate(std::int64_t count);

  // The complete state after `position` tokens, 1 to size(), in place of another one.
  void keep(std::int64_t position, std::shared_ptr<const SequenceState> keyframe);
  // The newest keyframe at or before `position` tokens; null: none, start from the beginning.
  std::shared_ptr<const SequenceState> keyframe_before(std::int64_t position) const;
  // Drops the keyframes at positions that are no multiples of the interval.
  void thin(std::int64_t interval);

  // Records before these have no state, no details of their own, or were passed over: where to look for more to drop.
  std::size_t look_for_state = 0, look_for_details = 0;

 private:
  using Keyframes = std::map<std::int64_t, std::shared_ptr<const SequenceState>>;  // by tokens consumed
  Keyframes::iterator drop(Keyframes::iterator at);

  std::shared_ptr<Ledger> ledger_;
  TokenList tokens_;
  Keyframes keyframes_;
};

}  // namespace engine
