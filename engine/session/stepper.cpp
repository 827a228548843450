#include "engine/session/stepper.h"

#include <fmt/core.h>

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <utility>

namespace engine {

namespace {

// Complete states of large models cost a transfer each: one in so many tokens, and the others are replayed.
constexpr int sparse_keyframes = 16;

// Half of it is for complete states: 40 of a large model leave 128 tokens between two of them after 5,000.
std::uint64_t history_budget(const SessionOptions& options, const BackendInfo& backend) {
  if (options.history_budget_bytes) return *options.history_budget_bytes;
  const auto memory =
      static_cast<std::uint64_t>(sysconf(_SC_PHYS_PAGES)) * static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
  const std::uint64_t states = 80 * static_cast<std::uint64_t>(backend.state_bytes);
  return std::max(std::uint64_t{512} << 20, std::min(states, memory / 4));
}

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
      history_(history_budget(options, backend.info()), recorder_.copies_all() ? 1 : sparse_keyframes,
               model_->config().n_layer),
      branches_(history_) {
  sampler_.seed = options.seed;
  step_last_ = std::max(0, options.step_last);
}

bool Stepper::steps() const {
  if (error_) return false;
  return stale_ || behind() || watch_changed_ || running_ || position() < goal_;
}

bool Stepper::has_work() const { return steps() || ((tiles_asked_ || tiles_coming_) && !error_); }

std::optional<Stepper::Clock::time_point> Stepper::due() const {
  if (stale_ || behind() || watch_changed_ || tiles_asked_ || tiles_coming_ || !running_ || replaying())
    return std::nullopt;
  return pacer_.due();
}

void Stepper::work() {
  Result<void> done;
  if (tiles_coming_ && (tiles_coming_->arrived() || !goes_on())) {
    done = take_tiles();
  } else if (stale_) {
    done = start_over_or_restore();
  } else if (behind()) {
    done = catch_up();
  } else if (watch_changed_) {
    done = copy_watched_layer();
  } else if (tiles_asked_) {
    done = queue_tiles();
  } else if (const std::int64_t count = to_prefill(); count > 0) {
    done = prefill_forward(count);
  } else {
    done = step_forward();
  }
  if (!done) fail(done.error());
}

void Stepper::fail(const Error& error) {
  stop();
  error_ = error;
  if (error_->message.empty()) error_->message = "The backend failed without a message.";
}

Result<void> Stepper::start_over_or_restore() {
  stale_ = inside_prefill_ = false;
  before_step_.reset();
  tiles_coming_.reset();
  tiles_.reset();
  recorder_.forget();
  // The state before the last token, so that stepping it again brings back its logits too.
  // One that was skipped wants the logits before it, too.
  const bool skipped = position() > 0 && now().track->tokens()[static_cast<std::size_t>(position() - 1)]->skipped;
  const auto keyframe = now().track->keyframe_before(position() - (skipped ? 2 : 1));
  if (keyframe == nullptr) return backend_.reset();
  auto restored = backend_.restore(0, *keyframe);
  // A backend whose state a saved one cannot hold (the reference computes in double) replays from the first token.
  if (!restored && restored.error().kind == ErrorKind::input) return backend_.reset();
  return restored;
}

Result<void> Stepper::intervene() {
  if (now().interventions.empty() && active_.empty()) return {};
  std::vector<Intervention> active;
  for (const Intervention& intervention : now().interventions)
    if (intervention.tokens.contains(backend_.position())) active.push_back(intervention);
  if (active == active_) return {};
  SequenceChanges changes = changes_at(active, model_->config(), backend_.position());
  auto changed = backend_.intervene(0, changes);
  if (changed) {
    active_ = std::move(active);
    recorder_.turn_by(shared_pairs(std::move(changes)));
  }
  if (changed || changed.error().kind != ErrorKind::input) return changed;
  // This backend cannot: said, and not tried again.
  notice_ = changed.error().message;
  now().interventions.clear();
  return {};
}

Result<void> Stepper::catch_up() {
  const std::int64_t at = backend_.position();
  if (const std::int64_t count = prefilled_together(); count > 0) return catch_up_at_once(count);
  const TokenRecord& record = *now().track->tokens()[static_cast<std::size_t>(at)];
  const bool last = at + 1 == position();
  const bool refresh = last && !holds_state(record);
  std::shared_ptr<const SequenceState> previous;
  if (refresh && at > 0) {
    auto caches = recorder_.read_all_layers(false);
    if (!caches) return tl::unexpected(caches.error());
    previous = *caches;
  }
  if (auto changed = intervene(); !changed) return changed;
  const std::int32_t ids[] = {record.id};
  // Not observed: the token was timed when it was stepped first.
  if (auto stepped = backend_.step(ids, nullptr); !stepped) return stepped;
  if (!last) {
    const bool skipped_next = now().track->tokens()[static_cast<std::size_t>(at + 1)]->skipped;
    return skipped_next ? recorder_.read_logits() : Result<void>();
  }
  if (!refresh) return recorder_.read_logits();
  auto whole = record.skipped ? recorder_.record(record.id, record.origin, previous.get())
                              : recorder_.refresh(record, previous.get());
  if (!whole) return tl::unexpected(whole.error());
  (*whole)->truth = record.truth;
  (*whole)->prefill_first = record.prefill_first;
  (*whole)->prefill_end = record.prefill_end;
  inside_prefill_ = at + 1 > record.prefill_first && at + 1 < record.prefill_end;
  history_.put(at, std::move(*whole), nullptr);
  return {};
}

PendingToken Stepper::next_token() {
  const std::int64_t at = position();
  if (at < Branches::tokens(now())) return Branches::token(now(), at);
  const std::span<const float> logits = recorder_.next_logits();
  if (!model_->card.labels_positions() && !logits.empty()) {
    return {sample(logits, sampler_, static_cast<std::uint64_t>(at)), TokenOrigin::sampled};
  }
  // A model that labels positions takes inputs from its task; a next-token model starts anywhere.
  return {task_.draw(at), model_->card.labels_positions() ? TokenOrigin::task : TokenOrigin::sampled};
}

const SequenceState* Stepper::newest_state() const {
  if (before_step_ != nullptr && before_step_->position == position()) return before_step_.get();
  return position() == 0 ? nullptr : now().track->tokens()[static_cast<std::size_t>(position() - 1)]->state.get();
}

Result<void> Stepper::step_forward() {
  const auto start = Clock::now();
  const std::int64_t at = position();
  for (std::int64_t i = task_.known(); i < at; ++i)
    task_.read(i, now().track->tokens()[static_cast<std::size_t>(i)]->id);
  const PendingToken token = next_token();
  const std::int32_t ids[] = {token.id};
  if (auto changed = intervene(); !changed) return changed;
  if (auto stepped = backend_.step(ids, replaying() ? nullptr : options_.observer); !stepped) return stepped;
  auto record = recorder_.record(token.id, token.origin, newest_state());
  if (!record) return tl::unexpected(record.error());
  (*record)->truth = task_.read(at, token.id);
  std::shared_ptr<const SequenceState> keyframe;
  if (history_.wants_keyframe(at + 1)) {
    if (recorder_.copies_all()) {
      keyframe = (*record)->state;
    } else {
      auto complete = recorder_.read_all_layers(true);
      if (!complete) return tl::unexpected(complete.error());
      keyframe = *complete;
    }
  }
  const bool given = at == now().track->size() && !now().pending.empty();
  history_.put(at, std::move(*record), std::move(keyframe));
  if (given) now().pending.pop_front();
  now().position = at + 1;
  before_step_.reset();
  keep_to_budget();
  step_ms_ = milliseconds_since(start);
  pacer_.stepped(Clock::now());
  return {};
}

Result<void> Stepper::copy_watched_layer() {
  watch_changed_ = false;
  if (position() == 0) return {};
  auto state = recorder_.copy_state();
  if (!state) return tl::unexpected(state.error());
  TokenRecord record = *now().track->tokens()[static_cast<std::size_t>(position() - 1)];
  record.state = *state;
  history_.put(position() - 1, std::make_shared<const TokenRecord>(std::move(record)), nullptr);
  return {};
}

void Stepper::keep_to_budget() {
  while (history_.over_budget() && branches_.forget_oldest_edit()) {
  }
  const auto megabytes = [this] { return static_cast<double>(history_.budget_bytes()) / (1 << 20); };
  if (!states_told_ && history_.states_dropped() > states_known_) {
    states_told_ = true;
    notice_ = fmt::format(
        "The history's {:.4g} MB are full: from now on the oldest tokens lose their recorded states. Going back to one "
        "brings it back.",
        megabytes());
  } else if (!details_told_ && history_.details_dropped() > details_known_) {
    details_told_ = true;
    notice_ = fmt::format(
        "The history's {:.4g} MB hold no more states: the oldest tokens lose their coefficients and predictions, too. "
        "Going back to one brings them back.",
        megabytes());
  }
}

Result<void> Stepper::queue_tiles() {
  const command::Tiles asked = *std::exchange(tiles_asked_, std::nullopt);
  if (position() == 0) return {};
  const ModelConfig& config = model_->config();
  const TilesRequest request{std::clamp(asked.rows, 1, config.headdim), std::clamp(asked.columns, 1, config.d_state),
                             asked.on_device};
  auto queued = backend_.queue_state_tiles(0, request);
  if (!queued) {
    if (queued.error().kind != ErrorKind::input) return tl::unexpected(queued.error());
    notice_ = queued.error().message;  // it cannot; nothing is lost
    return {};
  }
  tiles_coming_ = std::move(*queued);
  return {};
}

Result<void> Stepper::take_tiles() {
  auto taken = std::exchange(tiles_coming_, nullptr)->take();
  if (!taken) return tl::unexpected(taken.error());
  tiles_ = std::move(*taken);
  return {};
}

void Stepper::fill(Snapshot& snapshot) const {
  snapshot.model = model_;
  snapshot.backend = backend_.info();
  snapshot.plan = plan_;
  snapshot.mode = error_ ? SessionMode::failed : steps() ? SessionMode::running : SessionMode::idle;
  snapshot.error = error_;
  snapshot.notice = notice_;
  snapshot.tokens = now().track->tokens();
  snapshot.tokens.truncate(static_cast<std::size_t>(position()));
  snapshot.pending.clear();
  for (std::int64_t i = position(); i < Branches::tokens(now()); ++i)
    snapshot.pending.push_back(Branches::token(now(), i).id);
  snapshot.furthest = now().track->size();
  snapshot.branch = branches_.current().id;
  snapshot.interventions = now().interventions;
  for (const Branch& branch : branches_.all()) {
    const BranchContent& content = branch.content;
    snapshot.branches.push_back({branch.id, branch.name, branches_.has(branch.parent) ? branch.parent : -1, branch.fork,
                                 content.track->tokens(), content.position,
                                 static_cast<std::int64_t>(content.pending.size()), content.interventions});
  }
  snapshot.undo = branches_.undo_words();
  snapshot.redo = branches_.redo_words();
  snapshot.replay_to = replaying() ? replay_to_ : 0;
  snapshot.sampler = sampler_;
  snapshot.step_last = step_last_;
  snapshot.speed = speed_;
  snapshot.tokens_per_second = snapshot.mode == SessionMode::running ? pacer_.rate(Clock::now()) : 0;
  snapshot.step_ms = step_ms_;
  snapshot.history_bytes = history_.bytes();
  snapshot.history_budget_bytes = history_.budget_bytes();
  snapshot.states_dropped = history_.states_dropped();
  snapshot.details_dropped = history_.details_dropped();
  snapshot.watched_layer = recorder_.watched_layer();
  snapshot.tiles = tiles_;
}

}  // namespace engine
