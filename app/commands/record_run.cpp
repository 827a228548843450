#include "app/commands/record_run.h"

#include "app/commands/progress.h"
#include "app/commands/sampler_options.h"
#include "app/wiring/recorded_profile.h"
#include "app/wiring/recorded_times.h"
#include "engine/intervention/no_effect.h"
#include "engine/intervention/sequence_interventions.h"
#include "engine/intervention/text.h"
#include "engine/recording/recording_writer.h"
#include "engine/session/recorder.h"
#include "profiler/activity/process.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <limits>
#include <memory>

namespace app {

namespace {

using Clock = std::chrono::steady_clock;
constexpr std::uint64_t all_states_below = std::uint64_t{4} << 20;  // as a session records by default

volatile std::sig_atomic_t interrupted = 0;

double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

// Where it cannot be: the words for --sampler and its number.
std::string sampler_text(const engine::Sampler& sampler) {
  using Kind = engine::Sampler::Kind;
  const std::string& word = word_of(sampler.kind);
  if (sampler.kind == Kind::greedy) return word;
  const std::string more = sampler.kind == Kind::top_k   ? fmt::format(", k {}", sampler.top_k)
                           : sampler.kind == Kind::top_p ? fmt::format(", p {}", sampler.top_p)
                                                         : std::string();
  return fmt::format("{}{}, temperature {}", word, more, sampler.temperature);
}

engine::Result<void> choose_layers(const engine::Model& model, const engine::BackendInfo& backend,
                                   const RecordOptions& options, engine::RecordingInfo& info) {
  info.ssm_every = options.every;
  if (!options.layers.empty()) {
    std::vector<int> layers = options.layers;
    std::sort(layers.begin(), layers.end());
    layers.erase(std::unique(layers.begin(), layers.end()), layers.end());
    if (layers.back() >= model.config().n_layer) {
      return engine::input_error(fmt::format("--layers {}: {} has the layers 0 to {}.", layers.back(), model.name,
                                             model.config().n_layer - 1));
    }
    info.cache_layers = info.ssm_layers = std::move(layers);
  } else if (backend.state_bytes > all_states_below) {
    info.ssm_layers = {0};
    if (info.keeps_ssm())
      fmt::print(stderr, "mambascope: of the {} layers' matrix states layer 0's is recorded; choose with --layers\n",
                 model.config().n_layer);
  }
  return {};
}

// Steps a backend and hands over each token's record.
class Walk {
 public:
  Walk(const engine::Model& model, engine::Backend& backend, const RecordOptions& options, const GivenTokens& given,
       const engine::RecordingInfo& info, TimingStore* timings)
      : model_(model),
        backend_(backend),
        given_(given),
        info_(info),
        timings_(timings),
        sampler_(options.sampler),
        recorder_(backend, model, all_kept() ? std::numeric_limits<std::uint64_t>::max() : 0),
        changed_(backend, model.config(), {info.interventions}) {
    sampler_.seed = options.seed;
    if (!info.ssm_layers.empty()) recorder_.watch(info.ssm_layers.front());
  }

  std::int64_t tokens() const { return static_cast<std::int64_t>(given_.ids.size()) + given_.sampled; }

  engine::Result<std::shared_ptr<const engine::TokenRecord>> next() {
    const auto at = static_cast<std::size_t>(backend_.position());
    const bool is_given = at < given_.ids.size();
    const std::int32_t ids[] = {is_given ? given_.ids[at] : engine::sample(recorder_.next_logits(), sampler_, at)};
    if (auto changed = changed_.follow(); !changed) return tl::unexpected(changed.error());
    if (auto stepped = backend_.step(ids, timings_); !stepped) return tl::unexpected(stepped.error());
    const auto origin = !is_given                                    ? engine::TokenOrigin::sampled
                        : at + given_.from_task >= given_.ids.size() ? engine::TokenOrigin::task
                                                                     : engine::TokenOrigin::given;
    auto record = recorder_.record(ids[0], origin, previous_.get());
    if (!record) return tl::unexpected(record.error());
    if (!given_.truth.empty()) (*record)->truth = given_.truth[at];
    previous_ = (*record)->state;
    if (auto more = add_layers(**record, static_cast<std::int64_t>(at)); !more) return tl::unexpected(more.error());
    return std::shared_ptr<const engine::TokenRecord>(std::move(*record));
  }

  // Of the token before.
  engine::StepTimes times() const {
    timings_->flush();
    const auto newest = timings_->newest(1);
    const bool there = !newest.empty() && newest.front()->token + 1 == backend_.position();
    return there ? step_times(*newest.front(), info_.plan.stages.size()) : engine::StepTimes{};
  }

 private:
  bool all_kept() const {
    return info_.keeps_ssm() && info_.ssm_layers.size() == static_cast<std::size_t>(model_.config().n_layer);
  }
  // The recorder copies the matrix states of all layers or of one.
  engine::Result<void> add_layers(engine::TokenRecord& record, std::int64_t at) {
    if (all_kept() || !info_.keeps_ssm_of(at) || info_.ssm_layers.size() < 2) return {};
    engine::SequenceState more;
    const std::span<const int> others = std::span(info_.ssm_layers).subspan(1);
    if (auto read = backend_.read_state(0, others, true, more); !read) return read;
    auto state = std::make_shared<engine::SequenceState>(*record.state);
    for (const int layer : others) {
      const auto l = static_cast<std::size_t>(layer);
      state->layers[l] = std::move(more.layers[l]);
    }
    record.state = std::move(state);
    return {};
  }

  const engine::Model& model_;
  engine::Backend& backend_;
  const GivenTokens& given_;
  const engine::RecordingInfo& info_;
  TimingStore* timings_;
  engine::Sampler sampler_;
  engine::Recorder recorder_;
  engine::SequenceInterventions changed_;
  std::shared_ptr<const engine::SequenceState> previous_;
};

// The program's first CUDA call comes after the profiler was told.
std::unique_ptr<TimingStore> make_timings(const RecordOptions& options) {
  if (!options.timings) return nullptr;
  const bool may_be_gpu =
      options.backend == engine::BackendChoice::cuda || options.backend == engine::BackendChoice::automatic;
  if (may_be_gpu) profiler::start_process_activity();
  return TimingStore::make(1, may_be_gpu && engine::why_no_cuda().empty());
}

engine::Result<Recorded> write(Walk& walk, engine::RecordingWriter& writer, bool timed) {
  Recorded out;
  Progress progress("record");
  while (writer.tokens() < walk.tokens() && interrupted == 0) {
    const auto start = Clock::now();
    const auto record = walk.next();
    if (!record) return tl::unexpected(record.error());
    const engine::StepTimes times = timed ? walk.times() : engine::StepTimes{};
    const auto stepped = Clock::now();
    if (auto added = writer.add(**record, timed ? &times : nullptr); !added) return tl::unexpected(added.error());
    out.step_s += std::chrono::duration<double>(stepped - start).count();
    out.append_s += seconds_since(stepped);
    progress.show(static_cast<double>(writer.tokens()) / static_cast<double>(walk.tokens()));
  }
  out.stopped = writer.tokens() < walk.tokens();
  return out;
}

}  // namespace

engine::Result<Recorded> run_record(const engine::Model& model, const RecordOptions& options) {
  const auto changes = engine::parse_interventions(options.changes, model.config());
  if (!changes) return tl::unexpected(changes.error());
  const auto given = tokens_to_step(model, options);
  if (!given) return tl::unexpected(given.error());
  const auto timings = make_timings(options);
  engine::BackendOptions wanted = backend_options(options);
  wanted.errors = true;
  auto backend = engine::make_backend(model.weights, wanted);
  if (!backend) return tl::unexpected(backend.error());
  engine::RecordingInfo info = engine::describe_recording(model, (*backend)->info(), (*backend)->plan(),
                                                          "mambascope " MAMBASCOPE_VERSION, utc_now());
  info.seed = options.seed;
  info.interventions = *changes;
  const auto tokens = static_cast<std::int64_t>(given->ids.size()) + given->sampled;
  for (const std::string& words : engine::without_effect(*changes, model.config(), tokens, false))
    fmt::print(stderr, "mambascope: {}\n", words);
  if (!model.card.labels_positions()) info.sampler = sampler_text(options.sampler);
  if (timings) info.timing_source = timing_source_name(timings->status().source);
  if (auto chosen = choose_layers(model, (*backend)->info(), options, info); !chosen)
    return tl::unexpected(chosen.error());
  Walk walk(model, **backend, options, *given, info, timings.get());
  auto writer = engine::RecordingWriter::create(options.output, info, model);
  if (!writer) return tl::unexpected(writer.error());

  std::signal(SIGINT, [](int) { interrupted = 1; });
  std::signal(SIGTERM, [](int) { interrupted = 1; });
  auto out = write(walk, **writer, timings != nullptr);
  if (!out) {
    engine::Error error = out.error();
    // What the disk did not take is told by the writer; another failure leaves the tokens before it.
    if ((*writer)->tokens() > 0 && error.message.find("--recover") == std::string::npos)
      error.message += fmt::format(" The {} tokens before are kept in {}{}.", (*writer)->tokens(), options.output,
                                   engine::journal_ending);
    return tl::unexpected(error);
  }
  const auto start = Clock::now();
  out->journal_bytes = (*writer)->bytes();
  interrupted = 0;  // a second Ctrl+C stops writing the file, and leaves the journal
  Progress progress("write");
  const auto finished = (*writer)->finish([&](double done) {
    progress.show(done);
    return interrupted == 0;
  });
  if (!finished) return tl::unexpected(finished.error());
  out->finish_s = seconds_since(start);
  return out;
}

engine::Result<void> recover_recording(const std::string& journal, const std::string& output) {
  Progress progress("write");
  return engine::finish_journal(journal, output, [&](double done) {
    progress.show(done);
    return true;
  });
}

}  // namespace app
