#include "engine/effect/intervention_effect.h"

#include "engine/intervention/sequence_interventions.h"

#include <fmt/format.h>

#include <utility>

namespace engine {

namespace {

// Advances with those of `more` added; `more` changes nothing else.
SequenceChanges with_pairs(SequenceChanges base, const SequenceChanges& more) {
  if (base.pairs.empty()) {
    base.pairs = more.pairs;
    return base;
  }
  for (std::size_t i = 0; i < more.pairs.size(); ++i) base.pairs[i].advance.offset += more.pairs[i].advance.offset;
  return base;
}

}  // namespace

Result<InterventionRun> InterventionRun::start(Backend& backend, const Model& model, EffectPlan plan,
                                               const SideBySideOptions& options) {
  if (backend.plan().batch != plan.sequences())
    return input_error(
        fmt::format("{} lists of interventions with {} controls each need a batch of {}, and were given "
                    "one of {}.",
                    plan.lists.size(), plan.controls, plan.sequences(), backend.plan().batch));
  for (std::vector<Intervention>& list : plan.lists) {
    list = joined(plan.base, list);
    for (const Intervention& intervention : list) {
      if (auto fits = check(intervention, model.config()); !fits) return tl::unexpected(fits.error());
    }
  }
  InterventionRun run(backend, model, std::move(plan), options);
  if (auto done = run.reset(); !done) return tl::unexpected(done.error());
  return run;
}

InterventionRun::InterventionRun(Backend& backend, const Model& model, EffectPlan plan,
                                 const SideBySideOptions& options)
    : backend_(&backend),
      model_(model),
      plan_(std::move(plan)),
      options_(options),
      side_(backend, model, options),
      changed_(static_cast<std::size_t>(plan_.sequences()), false),
      active_(plan_.lists.size()) {}

InterventionRun::InterventionRun(InterventionRun&& other) noexcept
    : backend_(std::exchange(other.backend_, nullptr)),
      model_(other.model_),
      plan_(std::move(other.plan_)),
      options_(other.options_),
      side_(std::move(other.side_)),
      changed_(std::move(other.changed_)),
      base_(std::move(other.base_)),
      base_active_(std::move(other.base_active_)),
      active_(std::move(other.active_)) {}

InterventionRun::~InterventionRun() {
  if (backend_ == nullptr) return;
  for (std::size_t s = 0; s < changed_.size(); ++s) {
    if (changed_[s]) static_cast<void>(backend_->intervene(static_cast<int>(s), {}));
  }
}

Result<void> InterventionRun::reset() {
  side_.forget();
  return backend_->reset();
}

Result<void> InterventionRun::change(int sequence, const SequenceChanges& changes) {
  const auto s = static_cast<std::size_t>(sequence);
  if (changes.none() && !changed_[s]) return {};
  changed_[s] = !changes.none();
  return backend_->intervene(sequence, changes);
}

// The model as it is and the controls; those of the rotation take it with their own change.
Result<void> InterventionRun::change_base(std::int64_t position) {
  if (plan_.base.empty()) return {};
  std::vector<bool> active;
  for (const Intervention& intervention : plan_.base) active.push_back(intervention.tokens.contains(position));
  if (active == base_active_) return {};
  base_ = changes_at(plan_.base, model_.config(), position);
  if (auto done = change(0, base_); !done) return done;
  for (int list = 0; list < static_cast<int>(plan_.lists.size()); ++list) {
    for (int i = 0; i < plan_.controls; ++i) {
      if (auto done = change(plan_.control(list, i), base_); !done) return done;
    }
  }
  base_active_ = std::move(active);
  return {};
}

// Tables are made and handed over only where a token enters or leaves the range of an intervention.
Result<void> InterventionRun::change_counterfactuals(std::int64_t position) {
  for (std::size_t list = 0; list < plan_.lists.size(); ++list) {
    std::vector<bool> active;
    for (const Intervention& intervention : plan_.lists[list]) active.push_back(intervention.tokens.contains(position));
    if (active == active_[list]) continue;
    const SequenceChanges changes = changes_at(plan_.lists[list], model_.config(), position);
    if (auto done = change(plan_.counterfactual(static_cast<int>(list)), changes); !done) return done;
    active_[list] = std::move(active);
  }
  return {};
}

Result<EffectToken> InterventionRun::step(std::int32_t id, std::int32_t next) {
  const std::int64_t position = backend_->position();
  if (auto done = change_base(position); !done) return tl::unexpected(done.error());
  if (auto done = change_counterfactuals(position); !done) return tl::unexpected(done.error());
  if (plan_.controls > 0 && plan_.kind != ControlKind::state) {
    if (auto done = look_ahead(position, id); !done) return tl::unexpected(done.error());
  }
  auto token = side_.step(id, next);
  if (token && plan_.controls > 0 && plan_.kind != ControlKind::rotation) {
    if (auto done = set_controls(position, *token); !done) return tl::unexpected(done.error());
  }
  return token;
}

Result<void> InterventionRun::set_controls(std::int64_t position, EffectToken& token) {
  const auto original = side_.state(0);
  if (!original) return tl::unexpected(original.error());
  for (int list = 0; list < static_cast<int>(plan_.lists.size()); ++list) {
    const int counterfactual = plan_.counterfactual(list);
    for (int i = 0; i < plan_.controls; ++i) {
      const int control = plan_.control(list, i);
      const bool from_original = plan_.kind == ControlKind::state;
      const auto from = side_.state(from_original ? 0 : control);
      const Result<const SequenceState*> changed =
          from_original ? side_.state(counterfactual) : &one_step_[static_cast<std::size_t>(list)];
      if (!from) return tl::unexpected(from.error());
      if (!changed) return tl::unexpected(changed.error());
      const SequenceState state = pushed(model_.config(), **from, **changed, **original, {plan_.seed, i, position});
      if (auto done = backend_->restore(control, state); !done) return done;
      side_.forget(control);
      if (!from_original) continue;
      const EffectOnToken& as_far = token.sequences[static_cast<std::size_t>(counterfactual)];
      EffectOnToken& on = token.sequences[static_cast<std::size_t>(control)];
      on.distance = as_far.distance;
      on.head_distance = as_far.head_distance;
    }
  }
  return {};
}

// A first step shows what the interventions do in it; then all sequences go back to before it.
Result<void> InterventionRun::look_ahead(std::int64_t position, std::int32_t id) {
  std::vector<SequenceState> before;
  for (int s = 0; s < side_.sequences(); ++s) {
    const auto state = side_.state(s);
    if (!state) return tl::unexpected(state.error());
    before.push_back(**state);
  }
  const int lists = static_cast<int>(plan_.lists.size());
  for (int list = 0; list < lists && plan_.kind == ControlKind::step; ++list) {
    if (auto done = backend_->restore(plan_.counterfactual(list), before[0]); !done) return done;
  }
  const std::vector<std::int32_t> ids(before.size(), id);
  if (auto done = backend_->step(ids, nullptr); !done) return done;
  side_.forget();
  const auto original = side_.state(0);
  if (!original) return tl::unexpected(original.error());
  one_step_.resize(plan_.lists.size());
  for (int list = 0; list < lists; ++list) {
    const int counterfactual = plan_.counterfactual(list);
    const auto changed = side_.state(counterfactual);
    if (!changed) return tl::unexpected(changed.error());
    if (plan_.kind == ControlKind::step) {
      one_step_[static_cast<std::size_t>(list)] = **changed;
      continue;
    }
    const std::vector<double> apart = advance_apart(model_.config(), before[0], **original,
                                                    before[static_cast<std::size_t>(counterfactual)], **changed);
    for (int i = 0; i < plan_.controls; ++i) {
      const ControlDraw draw{plan_.seed, i, position};
      const SequenceChanges changes = with_pairs(base_, rotation_control(model_.config(), apart, draw));
      if (auto done = change(plan_.control(list, i), changes); !done) return done;
    }
  }
  for (std::size_t s = 0; s < before.size(); ++s) {
    if (auto done = backend_->restore(static_cast<int>(s), before[s]); !done) return done;
  }
  side_.forget();
  return {};
}

Result<std::vector<EffectToken>> intervention_effect(Backend& backend, const Model& model,
                                                     std::span<const std::int32_t> ids, const EffectPlan& plan,
                                                     const SideBySideOptions& options, const EffectProgress& progress) {
  auto run = InterventionRun::start(backend, model, plan, options);
  if (!run) return tl::unexpected(run.error());
  std::vector<EffectToken> tokens;
  tokens.reserve(ids.size());
  for (std::size_t t = 0; t < ids.size(); ++t) {
    auto token = run->step(ids[t], t + 1 < ids.size() ? ids[t + 1] : -1);
    if (!token) return tl::unexpected(token.error());
    tokens.push_back(std::move(*token));
    if (progress && !progress(static_cast<double>(t + 1) / static_cast<double>(ids.size()))) break;
  }
  return tokens;
}

void EffectTally::add(const EffectToken& token, std::size_t sequence, std::int32_t truth) {
  const EffectOnToken& on = token.sequences[sequence];
  ++tokens;
  same_prediction += on.predicted == token.sequences[0].predicted ? 1 : 0;
  kl_bits += on.kl_bits;
  logit_difference += on.logit_difference;
  if (truth < 0) return;
  ++labelled;
  right += on.predicted == truth ? 1 : 0;
}

Result<std::vector<EffectTally>> tally_effects(Backend& backend, const Model& model, std::span<const EffectText> texts,
                                               const EffectPlan& plan, const EffectProgress& progress) {
  std::vector<EffectTally> tallies(static_cast<std::size_t>(plan.sequences()));
  auto run = InterventionRun::start(backend, model, plan, {1, false, false});
  if (!run) return tl::unexpected(run.error());
  std::size_t all = 0, done = 0;
  for (const EffectText& text : texts) all += text.ids.size();
  for (const EffectText& text : texts) {
    if (auto back = run->reset(); !back) return tl::unexpected(back.error());
    for (std::size_t t = 0; t < text.ids.size(); ++t) {
      const auto token = run->step(text.ids[t], -1);
      if (!token) return tl::unexpected(token.error());
      for (std::size_t s = 0; s < tallies.size(); ++s)
        tallies[s].add(*token, s, t < text.truth.size() ? text.truth[t] : -1);
      if (progress && !progress(static_cast<double>(++done) / static_cast<double>(all))) return tallies;
    }
  }
  return tallies;
}

}  // namespace engine
