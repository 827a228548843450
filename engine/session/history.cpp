#include "engine/session/history.h"

#include <algorithm>
#include <utility>

namespace engine {

bool holds_state(const TokenRecord& record) {
  return !record.state->layers.empty() && holds_caches(record.state->layers.front());
}

History::History(std::uint64_t budget_bytes, int keyframe_interval, int layers)
    : budget_bytes_(budget_bytes), first_interval_(std::max(1, keyframe_interval)), interval_(first_interval_) {
  auto none = std::make_shared<SequenceState>();
  none->layers.resize(static_cast<std::size_t>(layers));
  no_state_ = std::move(none);
}

std::shared_ptr<Track> History::make() {
  auto track = std::make_shared<Track>(ledger_);
  tracks_.push_back(track);
  return track;
}

std::shared_ptr<Track> History::copy(const Track& track, std::int64_t count) {
  auto made = std::make_shared<Track>(track, count);
  tracks_.push_back(made);
  return made;
}

void History::use(const std::shared_ptr<Track>& track) {
  if (track == used_) return;
  used_ = track;
  newest_ = track->size() - 1;
  const auto is_it = [&](const std::weak_ptr<Track>& other) { return other.lock() == track; };
  tracks_.erase(std::remove_if(tracks_.begin(), tracks_.end(), is_it), tracks_.end());
  tracks_.push_back(track);
  // What others share with it is another part of them now.
  for (const auto& other : alive()) other->look_for_state = other->look_for_details = 0;
}

std::vector<std::shared_ptr<Track>> History::alive() {
  std::vector<std::shared_ptr<Track>> tracks;
  for (auto at = tracks_.begin(); at != tracks_.end();) {
    tracks.push_back(at->lock());
    if (tracks.back() != nullptr) {
      ++at;
      continue;
    }
    tracks.pop_back();
    at = tracks_.erase(at);
  }
  return tracks;
}

std::uint64_t History::bytes() const {
  std::uint64_t pointers = 0;
  for (const auto& track : tracks_) {
    if (const auto held = track.lock()) pointers += held->tokens().size() * sizeof(TokenList::value_type);
  }
  return ledger_->record_bytes() + ledger_->keyframe_bytes() + pointers;
}

void History::set_budget(std::uint64_t bytes) {
  if (bytes > budget_bytes_) interval_ = first_interval_;  // for what comes; what was dropped stays dropped
  budget_bytes_ = bytes;
  enforce_budget();
}

void History::put(std::int64_t i, std::shared_ptr<const TokenRecord> record,
                  std::shared_ptr<const SequenceState> keyframe) {
  // The one that stayed whole until now may go.
  const auto was = static_cast<std::size_t>(std::max<std::int64_t>(0, newest_));
  used_->look_for_state = std::min(used_->look_for_state, was);
  used_->look_for_details = std::min(used_->look_for_details, was);
  newest_ = i;
  if (i < used_->size()) {
    used_->replace(i, std::move(record));
  } else {
    used_->push(std::move(record));
  }
  if (keyframe != nullptr) used_->keep(i + 1, std::move(keyframe));
  enforce_budget();
}

void History::thin_keyframes() {
  interval_ *= 2;
  for (const auto& track : alive()) track->thin(interval_);
}

bool History::strip_one_of(Track& track, bool details) {
  std::size_t& at = details ? track.look_for_details : track.look_for_state;
  const bool in_use = &track == used_.get();
  const auto shared_with_used = [&](std::size_t i) {
    return i < used_->tokens().size() && used_->tokens()[i] == track.tokens()[i];
  };
  for (; at < track.tokens().size(); ++at) {
    const auto old = track.tokens()[at];
    if (details ? detail_bytes(*old) == 0 : !holds_state(*old)) continue;
    if (in_use ? at == static_cast<std::size_t>(newest_) : used_ != nullptr && shared_with_used(at)) continue;
    TokenRecord bare = *old;
    bare.state = no_state_;
    if (details) {
      bare.coefficients = {};
      bare.error_stored = {};
      bare.error_unrotated = {};
      bare.top = {};
    }
    const auto stripped = std::make_shared<const TokenRecord>(std::move(bare));
    const std::size_t i = at;
    for (const auto& other : alive()) {
      if (i >= other->tokens().size() || other->tokens()[i] != old) continue;
      const std::size_t state = other->look_for_state, detail = other->look_for_details;
      other->replace(static_cast<std::int64_t>(i), stripped);
      other->look_for_state = state;
      other->look_for_details = detail;
    }
    ++(details ? details_dropped_ : states_dropped_);
    return true;
  }
  return false;
}

bool History::strip_one() {
  for (const bool details : {false, true}) {
    for (const auto& track : alive()) {
      if (track != used_ && strip_one_of(*track, details)) return true;
    }
    if (used_ != nullptr && strip_one_of(*used_, details)) return true;
  }
  return false;
}

void History::enforce_budget() {
  do {
    while (ledger_->keyframe_bytes() > budget_bytes_ / 2) thin_keyframes();
  } while (over_budget() && strip_one());
}

}  // namespace engine
