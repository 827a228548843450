#include "engine/session/history.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace engine {

namespace {

std::uint64_t detail_bytes(const TokenRecord& record) {
  const StepCoefficients& c = record.coefficients;
  const std::size_t floats = c.dt.size() + c.a.size() + c.lambda.size() + c.alpha.size() + c.beta.size() +
                             c.gamma.size() + c.turn.size() + c.state_norm.size() + c.state_change.size();
  return floats * sizeof(float) + record.top.size() * sizeof(TopToken) +
         (record.error_stored.size() + record.error_unrotated.size()) * sizeof(RuleErrors);
}

std::uint64_t bytes_of(const TokenRecord& record) {
  return sizeof(TokenRecord) + detail_bytes(record) + record.state->bytes();
}

}  // namespace

bool holds_state(const TokenRecord& record) {
  return !record.state->layers.empty() && holds_caches(record.state->layers.front());
}

History::History(std::uint64_t budget_bytes, int keyframe_interval, int layers)
    : budget_bytes_(budget_bytes), interval_(std::max(1, keyframe_interval)) {
  auto none = std::make_shared<SequenceState>();
  none->layers.resize(static_cast<std::size_t>(layers));
  no_state_ = std::move(none);
}

void History::push(std::shared_ptr<const TokenRecord> record, std::shared_ptr<const SequenceState> keyframe) {
  record_bytes_ += bytes_of(*record);
  tokens_.push_back(std::move(record));
  if (keyframe != nullptr) {
    if (!shared_with_record(size(), keyframe.get())) keyframe_bytes_ += keyframe->bytes();
    keyframes_[size()] = std::move(keyframe);
  }
  enforce_budget();
}

void History::replace(std::int64_t i, std::shared_ptr<const TokenRecord> record) {
  const auto at = static_cast<std::size_t>(i);
  const auto keyframe = keyframes_.find(i + 1);
  const bool has_keyframe = keyframe != keyframes_.end();
  if (has_keyframe && !shared_with_record(i + 1, keyframe->second.get())) keyframe_bytes_ -= keyframe->second->bytes();
  record_bytes_ += bytes_of(*record);
  record_bytes_ -= bytes_of(*tokens_[at]);
  tokens_.replace(at, std::move(record));
  if (has_keyframe && !shared_with_record(i + 1, keyframe->second.get())) keyframe_bytes_ += keyframe->second->bytes();
  if (holds_state(*tokens_[at])) states_stripped_ = std::min(states_stripped_, at);
  if (detail_bytes(*tokens_[at]) > 0) details_stripped_ = std::min(details_stripped_, at);
}

void History::truncate(std::int64_t count) {
  for (auto at = keyframes_.upper_bound(count); at != keyframes_.end();) drop_keyframe(at++);
  for (std::int64_t i = count; i < size(); ++i) record_bytes_ -= bytes_of(*tokens_[static_cast<std::size_t>(i)]);
  tokens_.truncate(static_cast<std::size_t>(count));
  states_stripped_ = std::min(states_stripped_, tokens_.size());
  details_stripped_ = std::min(details_stripped_, tokens_.size());
}

std::shared_ptr<const SequenceState> History::keyframe_before(std::int64_t position) const {
  const auto after = keyframes_.upper_bound(position);
  return after == keyframes_.begin() ? nullptr : std::prev(after)->second;
}

bool History::shared_with_record(std::int64_t position, const SequenceState* keyframe) const {
  return tokens_[static_cast<std::size_t>(position - 1)]->state.get() == keyframe;
}

void History::drop_keyframe(std::map<std::int64_t, std::shared_ptr<const SequenceState>>::iterator at) {
  if (!shared_with_record(at->first, at->second.get())) keyframe_bytes_ -= at->second->bytes();
  keyframes_.erase(at);
}

void History::thin_keyframes() {
  interval_ *= 2;
  for (auto at = keyframes_.begin(); at != keyframes_.end();) {
    const auto next = std::next(at);
    if (!wants_keyframe(at->first)) drop_keyframe(at);
    at = next;
  }
}

bool History::strip_oldest() {
  const std::size_t newest = tokens_.empty() ? 0 : tokens_.size() - 1;  // stays whole: it is what the views show
  const auto strip = [this](std::size_t i, bool details) {
    TokenRecord bare = *tokens_[i];
    bare.state = no_state_;
    if (details) {
      bare.coefficients = {};
      bare.error_stored = {};
      bare.error_unrotated = {};
      bare.top = {};
    }
    replace(static_cast<std::int64_t>(i), std::make_shared<const TokenRecord>(std::move(bare)));
  };
  while (states_stripped_ < newest) {
    const std::size_t i = states_stripped_++;
    if (!holds_state(*tokens_[i])) continue;
    strip(i, false);
    return true;
  }
  while (details_stripped_ < newest) {
    const std::size_t i = details_stripped_++;
    if (detail_bytes(*tokens_[i]) == 0) continue;
    strip(i, true);
    return true;
  }
  return false;
}

void History::enforce_budget() {
  do {
    while (keyframe_bytes_ > budget_bytes_ / 2 && !keyframes_.empty()) thin_keyframes();
  } while (bytes() > budget_bytes_ && strip_oldest());
}

}  // namespace engine
