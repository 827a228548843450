#include "engine/session/stepper.h"

#include <fmt/core.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <utility>

namespace engine {

namespace {

// Complete states of large models cost a transfer each: one in so many tokens, and the others are replayed.
constexpr int sparse_keyframes = 16;

double milliseconds_since(Stepper::Clock::time_point start) {
  return std::chrono::duration<double, std::milli>(Stepper::Clock::now() - start).count();
}

}  // namespace

Stepper::Stepper(Backend& backend, std::shared_ptr<const Model> model, const SessionOptions& options)
    : backend_(backend),
      model_(std::move(model)),
      plan_(std::make_shared<const StepPlan>(backend.plan())),
      options_(options),
      task_(*model_, options.seed),
      recorder_(backend, *model_, options.record_state_bytes),
      history_(options.history_budget_bytes, recorder_.copies_all() ? 1 : sparse_keyframes, model_->config().n_layer) {
  sampler_.seed = options.seed;
}

void Stepper::apply(const Command& command) {
  const bool failed = !error_.empty();
  if (failed && !std::holds_alternative<command::Prompt>(command)) return;
  // A refusal stays readable while stepping goes on.
  const bool steps = std::holds_alternative<command::Step>(command) || std::holds_alternative<command::Run>(command);
  if (!steps) notice_.clear();
  std::visit([this](const auto& c) { take(c); }, command);
}

bool Stepper::valid(const std::vector<std::int32_t>& ids, const char* what) {
  const int vocab = model_->config().vocab_size;
  for (const std::int32_t id : ids) {
    if (id >= 0 && id < vocab) continue;
    notice_ = fmt::format("{}: token id {} is outside the vocabulary; give ids from 0 to {}.", what, id, vocab - 1);
    return false;
  }
  return true;
}

void Stepper::stop() {
  running_ = false;
  goal_ = history_.size();
  pacer_.rest();
}

void Stepper::take(const command::Step& step) {
  running_ = false;
  goal_ = std::max(goal_, history_.size()) + std::max(0, step.count);
}

void Stepper::take(const command::Run&) {
  if (!running_) pacer_.start(speed_, Clock::now());
  running_ = true;
}

void Stepper::take(const command::Pause&) { stop(); }

void Stepper::take(const command::Seek& seek) {
  if (seek.position < 0) {
    notice_ = fmt::format("Seek: position {} lies before the first token; give 0 or more.", seek.position);
    return;
  }
  stop();
  goal_ = seek.position;
  if (seek.position >= history_.size()) return;
  for (std::int64_t i = history_.size() - 1; i >= seek.position; --i) {
    const TokenRecord& record = *history_.tokens()[static_cast<std::size_t>(i)];
    pending_.push_front({record.id, record.origin});
  }
  history_.truncate(seek.position);
  stale_ = true;
}

void Stepper::take(const command::Prompt& prompt) {
  if (!valid(prompt.ids, "Prompt")) return;
  if (!error_.empty()) {
    if (auto reset = backend_.reset(); !reset) return fail(reset.error());
    error_.clear();
  }
  history_.truncate(0);
  pending_.clear();
  for (const std::int32_t id : prompt.ids) pending_.push_back({id, TokenOrigin::given});
  furthest_ = 0;
  stale_ = true;
  stop();
}

void Stepper::take(const command::Append& append) {
  if (!valid(append.ids, "Append")) return;
  for (const std::int32_t id : append.ids) pending_.push_back({id, TokenOrigin::given});
}

void Stepper::take(const command::Branch&) {
  stop();
  pending_.clear();
  furthest_ = history_.size();
}

void Stepper::take(const command::Watch& watch) {
  if (watch.layer < 0 || watch.layer >= model_->config().n_layer) {
    notice_ = fmt::format("Watch: the model has no layer {}; give 0 to {}.", watch.layer, model_->config().n_layer - 1);
    return;
  }
  if (watch.layer == recorder_.watched_layer()) return;
  recorder_.watch(watch.layer);
  watch_changed_ = !recorder_.copies_all() && history_.size() > 0;
}

void Stepper::take(const command::Speed& speed) {
  if (!std::isfinite(speed.tokens_per_second) || speed.tokens_per_second < 0) {
    notice_ = "Speed: give tokens per second, 0 or more; 0 means as fast as it goes.";
    return;
  }
  speed_ = speed.tokens_per_second;
  if (running_) pacer_.start(speed_, Clock::now());
}

void Stepper::take(const Sampler& sampler) { sampler_ = sampler; }

bool Stepper::has_work() const {
  if (!error_.empty()) return false;
  return stale_ || behind() || watch_changed_ || running_ || history_.size() < goal_;
}

std::optional<Stepper::Clock::time_point> Stepper::due() const {
  if (stale_ || behind() || watch_changed_ || !running_) return std::nullopt;
  return pacer_.due();
}

void Stepper::work() {
  Result<void> done;
  if (stale_) {
    done = start_over_or_restore();
  } else if (behind()) {
    done = catch_up();
  } else if (watch_changed_) {
    done = copy_watched_layer();
  } else {
    done = step_forward();
  }
  if (!done) fail(done.error());
}

void Stepper::fail(const Error& error) {
  stop();
  error_ = error.message.empty() ? "The backend failed without a message." : error.message;
}

Result<void> Stepper::start_over_or_restore() {
  stale_ = false;
  recorder_.forget();
  // The state before the last token, so that stepping it again brings back its logits too.
  const auto keyframe = history_.keyframe_before(history_.size() - 1);
  if (keyframe == nullptr) return backend_.reset();
  auto restored = backend_.restore(0, *keyframe);
  // A backend whose state a saved one cannot hold (the reference computes in double) replays from the first token.
  if (!restored && restored.error().kind == ErrorKind::input) return backend_.reset();
  return restored;
}

Result<void> Stepper::catch_up() {
  const std::int64_t at = backend_.position();
  const TokenRecord& record = *history_.tokens()[static_cast<std::size_t>(at)];
  const bool last = at + 1 == history_.size();
  const bool refresh = last && !holds_state(record);
  std::shared_ptr<const SequenceState> previous;
  if (refresh && at > 0) {
    auto caches = recorder_.read_all_layers(false);
    if (!caches) return tl::unexpected(caches.error());
    previous = *caches;
  }
  const std::int32_t ids[] = {record.id};
  // Not observed: the token was timed when it was stepped first.
  if (auto stepped = backend_.step(ids, nullptr); !stepped || !last) return stepped;
  if (!refresh) return recorder_.read_logits();
  auto whole = recorder_.refresh(record, previous.get());
  if (!whole) return tl::unexpected(whole.error());
  history_.replace(at, std::move(*whole));
  return {};
}

Stepper::PendingToken Stepper::next_token() const {
  if (!pending_.empty()) return pending_.front();
  const std::span<const float> logits = recorder_.next_logits();
  if (!model_->card.labels_positions() && !logits.empty()) {
    return {sample(logits, sampler_, static_cast<std::uint64_t>(history_.size())), TokenOrigin::sampled};
  }
  // A model that labels positions takes inputs from its task; a next-token model starts anywhere.
  return {task_.draw(history_.size()), model_->card.labels_positions() ? TokenOrigin::task : TokenOrigin::sampled};
}

const SequenceState* Stepper::newest_state() const {
  return history_.tokens().empty() ? nullptr : history_.tokens().back()->state.get();
}

Result<void> Stepper::step_forward() {
  const auto start = Clock::now();
  const PendingToken token = next_token();
  const std::int32_t ids[] = {token.id};
  if (auto stepped = backend_.step(ids, options_.observer); !stepped) return stepped;
  auto record = recorder_.record(token.id, token.origin, newest_state());
  if (!record) return tl::unexpected(record.error());
  (*record)->truth = task_.read(history_.size(), token.id);
  std::shared_ptr<const SequenceState> keyframe;
  if (history_.wants_keyframe(history_.size() + 1)) {
    if (recorder_.copies_all()) {
      keyframe = (*record)->state;
    } else {
      auto complete = recorder_.read_all_layers(true);
      if (!complete) return tl::unexpected(complete.error());
      keyframe = *complete;
    }
  }
  history_.push(std::move(*record), std::move(keyframe));
  if (!pending_.empty()) pending_.pop_front();
  furthest_ = std::max(furthest_, history_.size());
  step_ms_ = milliseconds_since(start);
  pacer_.stepped(Clock::now());
  return {};
}

Result<void> Stepper::copy_watched_layer() {
  watch_changed_ = false;
  if (history_.size() == 0) return {};
  auto state = recorder_.copy_state();
  if (!state) return tl::unexpected(state.error());
  TokenRecord record = *history_.tokens().back();
  record.state = *state;
  history_.replace(history_.size() - 1, std::make_shared<const TokenRecord>(std::move(record)));
  return {};
}

void Stepper::fill(Snapshot& snapshot) const {
  snapshot.model = model_;
  snapshot.backend = backend_.info();
  snapshot.plan = plan_;
  const bool failed = !error_.empty();
  snapshot.mode = failed ? SessionMode::failed : has_work() ? SessionMode::running : SessionMode::idle;
  snapshot.error = error_;
  snapshot.notice = notice_;
  snapshot.tokens = history_.tokens();
  snapshot.pending.clear();
  for (const PendingToken& token : pending_) snapshot.pending.push_back(token.id);
  snapshot.furthest = furthest_;
  snapshot.sampler = sampler_;
  snapshot.speed = speed_;
  snapshot.tokens_per_second = snapshot.mode == SessionMode::running ? pacer_.rate(Clock::now()) : 0;
  snapshot.step_ms = step_ms_;
  snapshot.history_bytes = history_.bytes();
  snapshot.history_budget_bytes = options_.history_budget_bytes;
  snapshot.watched_layer = recorder_.watched_layer();
}

}  // namespace engine
