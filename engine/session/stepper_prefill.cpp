// Long prompts: many tokens are consumed at once, and what is recorded of them is little until somebody goes there.
#include "engine/session/stepper.h"

#include <algorithm>
#include <limits>
#include <utility>

namespace engine {

namespace {

// Of one go, so that a pause takes effect soon; where less than the least can be prefilled a prompt is stepped whole, which
// is soon done and leaves a record of every token.
constexpr std::int64_t most_tokens = 512, least_tokens = 192;

}  // namespace

std::int64_t Stepper::to_prefill() const {
  if (step_last_ == 0 || !backend_.info().chunked_prefill || model_->card.labels_positions()) return 0;
  if (!now().interventions.empty() || !active_.empty() || position() != now().track->size()) return 0;
  const auto given = static_cast<std::int64_t>(now().pending.size());
  const std::int64_t wanted = running_ ? given : std::min(given, goal_ - position());
  const std::int64_t tokens = wanted - step_last_;
  if (tokens < least_tokens) return 0;
  const std::int64_t goes = (tokens + most_tokens - 1) / most_tokens;
  return (tokens + goes - 1) / goes;  // goes of equal length: none is too short
}

Result<void> Stepper::prefill_forward(std::int64_t count) {
  const std::int64_t first = position(), last = first + count - 1;
  std::vector<std::int32_t> ids;
  for (std::int64_t i = first; i < last; ++i) ids.push_back(Branches::token(now(), i).id);
  if (auto done = backend_.prefill(ids, nullptr); !done) {
    if (backend_.position() != first) return done;
    step_last_ = 0;  // nothing is lost: they are stepped
    notice_ = done.error().message + " The tokens are stepped one by one.";
    return {};
  }
  if (auto read = recorder_.read_logits(); !read) return read;
  auto complete = recorder_.read_all_layers(true);
  if (!complete) return tl::unexpected(complete.error());
  for (std::int64_t i = task_.known(); i < first; ++i)
    task_.read(i, now().track->tokens()[static_cast<std::size_t>(i)]->id);
  for (std::int64_t i = first; i < last; ++i) {
    const PendingToken token = now().pending.front();
    auto record = std::make_shared<TokenRecord>();
    record->position = i;
    record->id = token.id;
    record->origin = token.origin;
    record->truth = task_.read(i, token.id);
    record->entropy_bits = std::numeric_limits<float>::quiet_NaN();
    record->state = history_.no_state();
    record->prefill_first = first;
    record->prefill_end = last;
    record->skipped = true;
    history_.put(i, std::move(record), i + 1 == last ? *complete : nullptr);
    now().pending.pop_front();
  }
  now().position = last;
  before_step_ = std::move(*complete);
  return step_forward();  // so that the newest token is whole, wherever a pause comes
}

std::int64_t Stepper::prefilled_together() const {
  const std::int64_t at = backend_.position();
  const TokenList& tokens = now().track->tokens();
  std::int64_t end = at;
  while (end + 1 < position() && tokens[static_cast<std::size_t>(end)]->prefill_first == at) ++end;
  return end - at;
}

Result<void> Stepper::catch_up_at_once(std::int64_t count) {
  const std::int64_t at = backend_.position();
  std::vector<std::int32_t> ids;
  for (std::int64_t i = at; i < at + count; ++i) ids.push_back(now().track->tokens()[static_cast<std::size_t>(i)]->id);
  if (auto changed = intervene(); !changed) return changed;
  if (auto done = backend_.prefill(ids, nullptr); !done) return done;
  inside_prefill_ = at + count < now().track->tokens()[static_cast<std::size_t>(at)]->prefill_end;
  return recorder_.read_logits();
}

}  // namespace engine
