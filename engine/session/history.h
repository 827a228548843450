// The tracks of all branches, and of edits that can be undone, under one budget of bytes. One thread.
//
// Keyframes are complete states at positions that are multiples of an interval. They get at most half of the budget:
// when they need more, the interval doubles and every other one goes. When everything together passes the budget,
// records lose first their state copies, then their coefficients, errors and top tokens; id, probability and the other
// numbers stay (about 350 bytes a token). Of tracks that are not in use those go first that only they hold, then the
// oldest of the track in use.
#pragma once

#include "engine/session/track.h"

#include <cstdint>
#include <memory>
#include <vector>

namespace engine {

class History {
 public:
  History(std::uint64_t budget_bytes, int keyframe_interval, int layers);

  std::shared_ptr<Track> make();
  // The first `count` tokens of a track.
  std::shared_ptr<Track> copy(const Track& track, std::int64_t count);
  // The track in use from now on: what only it holds is kept longest.
  void use(const std::shared_ptr<Track>& track);

  std::uint64_t bytes() const;
  std::uint64_t budget_bytes() const { return budget_bytes_; }
  void set_budget(std::uint64_t bytes);
  // What a record holds that has no state.
  const std::shared_ptr<const SequenceState>& no_state() const { return no_state_; }
  bool over_budget() const { return bytes() > budget_bytes_; }
  // Records that have lost their state, and those that have lost more than that, since the beginning.
  std::int64_t states_dropped() const { return states_dropped_; }
  std::int64_t details_dropped() const { return details_dropped_; }

  // Whether the state after `position` tokens should be kept.
  bool wants_keyframe(std::int64_t position) const { return position % interval_ == 0; }
  // The record of token i <= size() of the track in use, appended or in place of the one it had; the keyframe is the
  // complete state after it, or null.
  void put(std::int64_t i, std::shared_ptr<const TokenRecord> record, std::shared_ptr<const SequenceState> keyframe);

 private:
  std::vector<std::shared_ptr<Track>> alive();
  void thin_keyframes();
  bool strip_one();  // false: nothing is left to take
  bool strip_one_of(Track& track, bool details);
  void enforce_budget();

  std::uint64_t budget_bytes_;
  std::int64_t first_interval_, interval_;
  std::shared_ptr<Ledger> ledger_ = std::make_shared<Ledger>();
  std::shared_ptr<const SequenceState> no_state_;  // what a record holds that lost its own
  std::vector<std::weak_ptr<Track>> tracks_;       // least recently used first
  std::shared_ptr<Track> used_;
  std::int64_t newest_ = 0;  // record that stays whole: it is what the views show
  std::int64_t states_dropped_ = 0, details_dropped_ = 0;
};

// Whether a record still holds the caches of all layers.
bool holds_state(const TokenRecord& record);

}  // namespace engine
