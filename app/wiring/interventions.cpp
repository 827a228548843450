#include "app/wiring/interventions.h"

#include "engine/recording/recorded_state.h"

#include <algorithm>
#include <utility>

namespace app {
namespace {

using Clock = std::chrono::steady_clock;
constexpr std::chrono::milliseconds publish_period{50};
constexpr std::size_t state_memory = std::size_t{256} << 20U;  // bytes of states that a job steps side by side
constexpr int best_ids = 5;
constexpr double states_share = 0.2;  // of a patching job's work: stepping to the two states

engine::BackendOptions options_of(const JobBackend& job, int batch) {
  engine::BackendOptions options;
  // The reference keeps its state in double, which no control can be set to.
  options.choice = job.choice == engine::BackendChoice::reference ? engine::BackendChoice::cpu : job.choice;
  options.batch = batch;
  options.threads =
      job.threads > 0 ? job.threads : std::max(1, static_cast<int>(std::thread::hardware_concurrency()) / 2);
  return options;
}

double ms_since(Clock::time_point begun) {
  return std::chrono::duration<double, std::milli>(Clock::now() - begun).count();
}

bool begins_with(const std::vector<std::int32_t>& text, const std::vector<std::int32_t>& beginning) {
  return text.size() >= beginning.size() && std::equal(beginning.begin(), beginning.end(), text.begin());
}

}  // namespace

InterventionFollower::InterventionFollower(std::shared_ptr<const engine::Model> model, JobBackend backend)
    : model_(std::move(model)),
      options_(std::move(backend)),
      published_(std::make_shared<const InterventionRunReport>()),
      thread_([this](const std::stop_token& stop) { work(stop); }) {}

void InterventionFollower::want(const InterventionSettings& settings, const std::vector<std::int32_t>& ids) {
  const std::lock_guard lock(mutex_);
  if (settings == wanted_.settings && ids == wanted_.ids) return;
  const bool cancelled = wanted_.cancelled && settings == wanted_.settings;
  wanted_ = {settings, ids, wanted_.version + 1, cancelled};
  changed_.notify_one();
}

void InterventionFollower::cancel() {
  const std::lock_guard lock(mutex_);
  wanted_.cancelled = true;
  ++wanted_.version;
  changed_.notify_one();
}

void InterventionFollower::go_on() {
  const std::lock_guard lock(mutex_);
  wanted_.cancelled = false;
  ++wanted_.version;
  changed_.notify_one();
}

std::shared_ptr<const InterventionRunReport> InterventionFollower::report() const {
  const std::lock_guard lock(mutex_);
  return published_;
}

bool InterventionFollower::outdated(const Wanted& wanted) {
  const std::lock_guard lock(mutex_);
  return wanted_.version != wanted.version;
}

void InterventionFollower::publish(bool running) {
  working_.running = running;
  auto next = std::make_shared<const InterventionRunReport>(working_);
  {
    const std::lock_guard lock(mutex_);
    published_ = std::move(next);
  }
  told_ = Clock::now();
  if (options_.on_progress) options_.on_progress();
}

void InterventionFollower::work(const std::stop_token& stop) {
  std::uint64_t served = 0;
  while (!stop.stop_requested()) {
    Wanted wanted;
    {
      std::unique_lock lock(mutex_);
      if (!changed_.wait(lock, stop, [&] { return wanted_.version != served; })) return;
      wanted = wanted_;
    }
    served = wanted.version;
    working_.cancelled = wanted.cancelled;
    working_.of = wanted.ids.size();
    if (wanted.cancelled) {
      publish(false);
      continue;
    }
    if (auto done = follow(stop, wanted); !done) {
      working_.error = done.error();
      run_.reset();
    }
    publish(false);
  }
}

engine::Result<void> InterventionFollower::follow(const std::stop_token& stop, const Wanted& wanted) {
  if (!run_ || !(working_.settings == wanted.settings) || !begins_with(wanted.ids, stepped_)) {
    begun_ = Clock::now();
    working_ = {};
    working_.settings = wanted.settings;
    working_.of = wanted.ids.size();
    stepped_.clear();
    run_.reset();  // gives the backend's sequences back
    if (wanted.settings.list.empty() || wanted.ids.empty()) return {};
    const engine::EffectPlan plan{{wanted.settings.list},
                                  wanted.settings.controls,
                                  wanted.settings.kind,
                                  wanted.settings.seed,
                                  wanted.settings.base};
    if (!backend_ || backend_->plan().batch != plan.sequences()) {
      backend_.reset();
      auto made = engine::make_backend(model_->weights, options_of(options_, plan.sequences()));
      if (!made) return tl::unexpected(made.error());
      backend_ = std::move(*made);
    }
    auto begun = engine::InterventionRun::start(*backend_, *model_, plan, {best_ids, true, true});
    if (!begun) return tl::unexpected(begun.error());
    run_.emplace(std::move(*begun));
  } else if (stepped_.size() < wanted.ids.size()) {
    begun_ = Clock::now();
  }
  working_.device = backend_->info().device;
  while (stepped_.size() < wanted.ids.size()) {
    if (stop.stop_requested() || outdated(wanted)) return {};
    const std::size_t t = stepped_.size();
    auto token = run_->step(wanted.ids[t], t + 1 < wanted.ids.size() ? wanted.ids[t + 1] : -1);
    if (!token) return tl::unexpected(token.error());
    working_.tokens.push_back(std::make_shared<const engine::EffectToken>(std::move(*token)));
    stepped_.push_back(wanted.ids[t]);
    working_.ms = ms_since(begun_);
    if (Clock::now() - told_ >= publish_period) publish(true);
  }
  return {};
}

MeasureJob::MeasureJob(std::shared_ptr<const engine::Model> model, JobBackend backend, engine::DosePlan plan,
                       engine::EffectText text)
    : options_(std::move(backend)) {
  working_.plan = std::move(plan);
  start([this, model = std::move(model), text = std::move(text)](const std::stop_token& stop) -> engine::Result<void> {
    const int batch = working_.plan.batch(engine::strengths_at_once(working_.plan, model->config(), state_memory));
    auto made = engine::make_backend(model->weights, options_of(options_, batch));
    if (!made) return tl::unexpected(made.error());
    auto points = engine::dose_response(**made, *model, std::span(&text, 1), working_.plan,
                                        [&](double done) { return tell(stop, done); });
    if (!points) return tl::unexpected(points.error());
    if (!stop.stop_requested()) working_.dose = std::move(*points);
    return {};
  });
}

MeasureJob::MeasureJob(std::shared_ptr<const engine::Model> model, JobBackend backend, PatchOrder order)
    : options_(std::move(backend)) {
  working_.order = std::move(order);
  start([this, model = std::move(model)](const std::stop_token& stop) { return patch(stop, *model); });
}

std::vector<engine::Patch> PatchOrder::patches(const engine::ModelConfig& config) const {
  switch (part) {
    case engine::PatchPart::whole:
      return {{engine::PatchPart::whole, 0, 0, 0}};
    case engine::PatchPart::layer:
      return engine::every_layer(config);
    case engine::PatchPart::pair:
      return engine::every_pair(config, layer);
    case engine::PatchPart::head:
      break;
  }
  return engine::every_head(config);
}

engine::Result<engine::SequenceState> MeasureJob::donor_state(const std::stop_token& stop, const engine::Model& model,
                                                              engine::Backend& backend) {
  const PatchOrder& order = working_.order;
  if (order.recording.empty())
    return engine::state_after(backend, model.config(), order.donor, order.donor_in_force,
                               [&](double done) { return tell(stop, states_share * 0.5 * done); });
  const auto recording = engine::Recording::open(order.recording);
  if (!recording) return tl::unexpected(recording.error());
  return engine::recorded_state(**recording, model, order.donor_at < 0 ? (*recording)->tokens() - 1 : order.donor_at);
}

engine::Result<void> MeasureJob::patch(const std::stop_token& stop, const engine::Model& model) {
  const PatchOrder& order = working_.order;
  const engine::ModelConfig& config = model.config();
  auto alone = engine::make_backend(model.weights, options_of(options_, 1));
  if (!alone) return tl::unexpected(alone.error());
  const auto other = donor_state(stop, model, **alone);
  if (!other) return tl::unexpected(other.error());
  const auto split = static_cast<std::size_t>(order.after) + 1;
  const auto own = engine::state_after(**alone, config, std::span(order.receiver).first(split), order.in_force,
                                       [&](double done) { return tell(stop, states_share * (0.5 + 0.5 * done)); });
  if (!own) return tl::unexpected(own.error());
  const std::vector<engine::Patch> patches = order.patches(config);
  const std::size_t fit = state_memory / std::max<std::size_t>(1, own->bytes());
  const auto batch = 2 + std::clamp<std::size_t>(fit, 1, std::min<std::size_t>(64, patches.size()));
  auto made = engine::make_backend(model.weights, options_of(options_, static_cast<int>(batch)));
  if (!made) return tl::unexpected(made.error());
  auto grid = engine::patch_effects(
      **made, model, *own, *other, std::span(order.receiver).subspan(split), patches,
      [&](double done) { return tell(stop, states_share + (1 - states_share) * done); }, order.in_force);
  if (!grid) return tl::unexpected(grid.error());
  if (!stop.stop_requested()) working_.grid = std::move(*grid);
  return {};
}

void MeasureJob::start(std::function<engine::Result<void>(const std::stop_token&)> body) {
  begun_ = Clock::now();
  published_ = std::make_shared<const MeasureReport>(working_);
  thread_ = std::jthread([this, body = std::move(body)](const std::stop_token& stop) {
    // What was stopped on the way is no failure.
    if (auto done = body(stop); !done && !stop.stop_requested()) working_.error = done.error();
    working_.running = false;
    working_.cancelled = stop.stop_requested();
    working_.seconds = ms_since(begun_) / 1e3;
    publish();
  });
}

std::shared_ptr<const MeasureReport> MeasureJob::report() const {
  const std::lock_guard lock(mutex_);
  return published_;
}

void MeasureJob::publish() {
  auto next = std::make_shared<const MeasureReport>(working_);
  {
    const std::lock_guard lock(mutex_);
    published_ = std::move(next);
  }
  if (options_.on_progress) options_.on_progress();
}

bool MeasureJob::tell(const std::stop_token& stop, double done) {
  if (stop.stop_requested()) return false;
  working_.done = done;
  if (Clock::now() - told_ < publish_period) return true;
  told_ = Clock::now();
  publish();
  return true;
}

bool is_intervention_page(std::string_view name) {
  return std::find(intervention_pages.begin(), intervention_pages.end(), name) != intervention_pages.end();
}

void show_page(InterventionDesk& desk, std::string_view name) {
  using Page = InterventionDesk::Page;
  desk.page = name == "dose" ? Page::dose : name == "patching" ? Page::patching : Page::tokens;
  desk.use = name == "in-force" ? InterventionDesk::Use::branch : InterventionDesk::Use::beside;
  desk.measure = desk.page != Page::tokens;
}

}  // namespace app
