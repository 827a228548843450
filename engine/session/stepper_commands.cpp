// What each command changes: what is wanted, and which tokens stand where. Nothing here steps.
#include "engine/session/stepper.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <utility>

namespace engine {

namespace {

constexpr std::size_t longest_name = 80;  // bytes

}  // namespace

void Stepper::apply(const Command& command) {
  if (error_ && !std::holds_alternative<command::Prompt>(command)) return;
  // A refusal stays readable while stepping goes on.
  const bool steps = std::holds_alternative<command::Step>(command) || std::holds_alternative<command::Run>(command);
  if (!steps && !std::holds_alternative<command::Tiles>(command)) notice_.clear();
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

bool Stepper::room_for_branch(const char* what) {
  if (!branches_.full()) return true;
  notice_ = fmt::format("{}: there are {} branches already; delete one first.", what, Branches::most_branches);
  return false;
}

bool Stepper::possible(const std::vector<Intervention>& interventions) {
  for (const Intervention& intervention : interventions) {
    const auto good = check(intervention, model_->config());
    if (good) continue;
    notice_ = good.error().message;
    return false;
  }
  return true;
}

void Stepper::stop() {
  running_ = false;
  goal_ = position();
  replay_to_ = 0;
  pacer_.rest();
}

void Stepper::arrive(std::int64_t goal) {
  stale_ = true;
  task_.forget(0);
  stop();
  goal_ = replay_to_ = goal;
}

void Stepper::go_to(std::int64_t position) {
  const auto keyframe = now().track->keyframe_before(position - 1);
  const std::int64_t restored = keyframe == nullptr ? 0 : keyframe->position;
  // A backend that is on its way there already, and nearer, goes on.
  const std::int64_t at = backend_.position();
  stale_ = stale_ || inside_prefill_ || at >= position || at < restored;
  now().position = position;
}

void Stepper::take(const command::Step& step) {
  running_ = false;
  goal_ = std::max(goal_, position()) + std::max(0, step.count);
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
  const std::int64_t target = std::min(seek.position, now().track->size());
  if (target != position()) go_to(target);
  stop();
  goal_ = seek.position;
}

void Stepper::take(const command::Prompt& prompt) {
  if (!valid(prompt.ids, "Prompt")) return;
  if (error_) {
    if (auto reset = backend_.reset(); !reset) return fail(reset.error());
    error_.reset();
  }
  std::deque<PendingToken> tokens;
  for (const std::int32_t id : prompt.ids) tokens.push_back({id, TokenOrigin::given});
  branches_.prompt(std::move(tokens));
  arrive(0);
}

void Stepper::take(const command::Append& append) {
  if (!valid(append.ids, "Append") || append.ids.empty()) return;
  std::vector<PendingToken> tokens;
  for (const std::int32_t id : append.ids) tokens.push_back({id, TokenOrigin::given});
  branches_.append(tokens);
}

void Stepper::take(const command::Forget&) {
  stop();
  if (position() < Branches::tokens(now())) branches_.forget();
}

void Stepper::take(const command::Fork& fork) {
  const std::int64_t at = fork.position < 0 ? position() : fork.position;
  if (!valid(fork.ids, "Fork") || !room_for_branch("Fork")) return;
  if (at > Branches::tokens(now())) {
    notice_ = fmt::format("Fork: the branch has {} tokens; give a position from 0 to that.", Branches::tokens(now()));
    return;
  }
  if (fork.interventions && !possible(*fork.interventions)) return;
  std::deque<PendingToken> tokens;
  for (const std::int32_t id : fork.ids) tokens.push_back({id, TokenOrigin::given});
  branches_.fork(fork.name.substr(0, longest_name), at, std::move(tokens), fork.interventions);
  arrive(fork.interventions ? at : position());
}

void Stepper::take(const command::EditToken& edit) {
  const std::int64_t all = Branches::tokens(now()), stepped = now().track->size();
  if (edit.position < 0 || edit.position >= all) {
    notice_ = fmt::format("Edit: there is no token at position {}; there are {}.", edit.position, all);
    return;
  }
  if (!valid({edit.id}, "Edit") || Branches::token(now(), edit.position).id == edit.id) return;
  const PendingToken token{edit.id, TokenOrigin::given};
  if (edit.position >= stepped) {
    branches_.replace_pending(static_cast<std::size_t>(edit.position - stepped), token);
    return;
  }
  if (!room_for_branch("Edit")) return;
  std::deque<PendingToken> rest{token};
  for (std::int64_t i = edit.position + 1; i < all; ++i) rest.push_back(Branches::token(now(), i));
  const std::int64_t goal = position();
  branches_.fork(fmt::format("{} at {}", model_->symbol(edit.id), edit.position), edit.position, std::move(rest));
  now().position = std::min(now().position, goal);
  arrive(goal);
}

void Stepper::take(const command::Intervene& intervene) {
  if (!possible(intervene.interventions)) return;
  if (intervene.interventions == now().interventions) return;
  const std::int64_t stood = position(), to = std::max(stood, replay_to_);
  const std::int64_t first = branches_.intervene(intervene.interventions);
  if (first < stood) {
    stale_ = true;
    task_.forget(first);
  }
  if (first >= to) return;  // nothing that was consumed is changed
  // A run goes on behind what is stepped again.
  replay_to_ = to;
  goal_ = std::max(goal_, to);
}

void Stepper::take(const command::SwitchTo& to) {
  if (!branches_.has(to.branch)) {
    notice_ = "Switch: this branch is not there any more.";
    return;
  }
  if (to.branch == branches_.current().id) return;
  branches_.switch_to(to.branch);
  arrive(position());
}

void Stepper::take(const command::Rename& rename) {
  if (!branches_.has(rename.branch) || rename.name.empty() || rename.name.size() > longest_name) {
    notice_ = fmt::format("Rename: give a name of at most {} bytes to a branch that is there.", longest_name);
    return;
  }
  branches_.rename(rename.branch, rename.name);
}

void Stepper::take(const command::DeleteBranch& remove) {
  if (!branches_.has(remove.branch) || branches_.all().size() == 1) {
    notice_ = "Delete: this branch is not there any more, or it is the last one, which stays.";
    return;
  }
  const bool current = remove.branch == branches_.current().id;
  branches_.remove(remove.branch);
  if (current) arrive(position());
}

void Stepper::take(const command::Undo&) {
  const int was = branches_.current().id;
  const Track* track = now().track.get();
  const auto goal = branches_.undo();
  if (!goal) {
    notice_ = "There is nothing to undo.";
  } else if (was != branches_.current().id || track != now().track.get()) {
    arrive(*goal);
  }
}

void Stepper::take(const command::Redo&) {
  const int was = branches_.current().id;
  const Track* track = now().track.get();
  const auto goal = branches_.redo();
  if (!goal) {
    notice_ = "There is nothing to redo.";
  } else if (was != branches_.current().id || track != now().track.get()) {
    arrive(*goal);
  }
}

void Stepper::take(const command::Watch& watch) {
  if (watch.layer < 0 || watch.layer >= model_->config().n_layer) {
    notice_ = fmt::format("Watch: the model has no layer {}; give 0 to {}.", watch.layer, model_->config().n_layer - 1);
    return;
  }
  if (watch.layer == recorder_.watched_layer()) return;
  recorder_.watch(watch.layer);
  watch_changed_ = !recorder_.copies_all() && position() > 0;
}

void Stepper::take(const command::Tiles& tiles) { tiles_asked_ = tiles; }

void Stepper::take(const command::Speed& speed) {
  if (!std::isfinite(speed.tokens_per_second) || speed.tokens_per_second < 0) {
    notice_ = "Speed: give tokens per second, 0 or more; 0 means as fast as it goes.";
    return;
  }
  speed_ = speed.tokens_per_second;
  if (running_) pacer_.start(speed_, Clock::now());
}

void Stepper::take(const command::HistoryBudget& budget) {
  if (budget.bytes > history_.budget_bytes()) {
    states_told_ = details_told_ = false;
    states_known_ = history_.states_dropped();
    details_known_ = history_.details_dropped();
  }
  history_.set_budget(budget.bytes);
  keep_to_budget();
}

void Stepper::take(const command::StepLast& last) { step_last_ = std::max(0, last.tokens); }

void Stepper::take(const Sampler& sampler) { sampler_ = sampler; }

}  // namespace engine
