#include "engine/session/track.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace engine {

Track::Track(const Track& other, std::int64_t count) : ledger_(other.ledger_), tokens_(other.tokens_) {
  tokens_.truncate(static_cast<std::size_t>(count));
  for (const auto& record : tokens_) ledger_->hold(*record);
  for (const auto& [position, keyframe] : other.keyframes_) {
    if (position <= size()) keep(position, keyframe);
  }
}

Track::~Track() { truncate(0); }

void Track::push(std::shared_ptr<const TokenRecord> record) {
  ledger_->hold(*record);
  tokens_.push_back(std::move(record));
}

void Track::replace(std::int64_t i, std::shared_ptr<const TokenRecord> record) {
  const auto at = static_cast<std::size_t>(i);
  ledger_->hold(*record);
  ledger_->release(*tokens_[at]);
  tokens_.replace(at, std::move(record));
  look_for_state = std::min(look_for_state, at);
  look_for_details = std::min(look_for_details, at);
}

void Track::truncate(std::int64_t count) {
  for (auto at = keyframes_.upper_bound(count); at != keyframes_.end();) at = drop(at);
  for (std::int64_t i = count; i < size(); ++i) ledger_->release(*tokens_[static_cast<std::size_t>(i)]);
  tokens_.truncate(static_cast<std::size_t>(count));
  look_for_state = std::min(look_for_state, tokens_.size());
  look_for_details = std::min(look_for_details, tokens_.size());
}

void Track::keep(std::int64_t position, std::shared_ptr<const SequenceState> keyframe) {
  ledger_->hold_keyframe(*keyframe);
  const auto at = keyframes_.find(position);
  if (at == keyframes_.end()) {
    keyframes_.emplace(position, std::move(keyframe));
    return;
  }
  ledger_->release_keyframe(*at->second);
  at->second = std::move(keyframe);
}

std::shared_ptr<const SequenceState> Track::keyframe_before(std::int64_t position) const {
  const auto after = keyframes_.upper_bound(position);
  return after == keyframes_.begin() ? nullptr : std::prev(after)->second;
}

void Track::thin(std::int64_t interval) {
  for (auto at = keyframes_.begin(); at != keyframes_.end();) at = at->first % interval == 0 ? std::next(at) : drop(at);
}

Track::Keyframes::iterator Track::drop(Keyframes::iterator at) {
  ledger_->release_keyframe(*at->second);
  return keyframes_.erase(at);
}

}  // namespace engine
