#include "app/wiring/recorded_profile.h"

#include "app/wiring/recorded_shape.h"
#include "engine/base/quote.h"
#include "engine/formats/mapped_file.h"
#include "engine/model/model.h"
#include "profiler/recording/family_file.h"
#include "profiler/recording/profile_file.h"
#include "profiler/report/statistics.h"

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <ctime>
#include <filesystem>
#include <limits>
#include <system_error>

namespace app {

namespace fs = std::filesystem;

namespace {

// The times of a recorded profile. Never steps.
class RecordedTimings : public TimingStore {
 public:
  explicit RecordedTimings(std::shared_ptr<const ProfileResult> profile) : profile_(std::move(profile)) {}

  void step_begin(std::int64_t) override {}
  void before(const engine::Stage&) override {}
  void after(const engine::Stage&) override {}
  void step_end(std::int64_t) override {}

  std::vector<std::shared_ptr<const profiler::TokenTimes>> newest(std::size_t count) const override {
    const auto& tokens = profile_->tokens;
    return {tokens.end() - static_cast<std::ptrdiff_t>(std::min(count, tokens.size())), tokens.end()};
  }
  void flush() override {}
  profiler::ProfilerStatus status() const override { return profile_->status; }
  std::string kernel_name(std::uint32_t name) const override {
    return name < profile_->names.size() ? profile_->names[name] : std::string();
  }

 private:
  std::shared_ptr<const ProfileResult> profile_;
};

profiler::RecordedCounters recorded_counters(const StageCounters& counters, std::size_t stages) {
  profiler::RecordedCounters out{counters.chip,    counters.library,   counters.metrics,
                                 counters.missing, counters.passes,    counters.dropped,
                                 counters.seconds, counters.same_bits, {}};
  constexpr double none = std::numeric_limits<double>::quiet_NaN();
  for (std::size_t m = 0; m < counters.metrics.size(); ++m) {
    out.values.emplace_back(stages, none);
    for (std::size_t id = 0; id < std::min(stages, counters.values.size()); ++id)
      if (m < counters.values[id].size()) out.values.back()[id] = counters.values[id][m];
  }
  return out;
}

profiler::RecordedSamples recorded_samples(const TokenSamples& samples) {
  profiler::RecordedSamples out{samples.chip,
                                samples.library,
                                samples.metrics,
                                samples.missing,
                                samples.interval_ns,
                                samples.overflow,
                                {},
                                {},
                                std::vector<std::vector<double>>(samples.metrics.size())};
  for (const SampledToken& token : samples.tokens) {
    for (std::size_t i = 0; i < token.start_ns.size(); ++i) {
      out.tokens.push_back(token.token);
      out.start_ns.push_back(token.start_ns[i]);
      for (std::size_t m = 0; m < out.values.size(); ++m) out.values[m].push_back(token.values[i][m]);
    }
  }
  return out;
}

}  // namespace

profiler::RecordedProfile recorded_form(const ProfileResult& profile) {
  profiler::RecordedProfile out;
  out.program = profile.program;
  out.recorded_at = profile.recorded_at;
  out.model = profile.model;
  out.variant = profile.plan.variant;
  out.weights = profile.weights;
  out.backend = profile.backend.name;
  out.device = profile.backend.device;
  out.detail = profile.backend.detail;
  out.products = profile.backend.products;
  out.state = profile.backend.state;
  out.is_gpu = profile.backend.is_gpu;
  out.graph = profile.backend.graph;
  out.ahead = profile.ahead;
  out.threads = profile.backend.threads;
  out.batch = profile.plan.batch;
  out.warmup = profile.warmup;
  out.seed = profile.seed;
  out.shape = shape_numbers(profile.config);
  out.status = profile.status;
  out.copy_bytes_per_second = profile.copy_bytes_per_second;
  if (profile.cost)
    out.cost = profiler::RecordedCost{profile.cost->wall_us_with, profile.cost->wall_us_without, profile.cost->problem};
  out.fp32_flops_per_second = profile.backend.fp32_flops_per_second;
  out.peak_source = profile.backend.peak_source;
  if (profile.counters && profile.counters->why.reason.empty())
    out.counters = recorded_counters(*profile.counters, profile.plan.stages.size());
  if (profile.samples && profile.samples->why.reason.empty()) out.samples = recorded_samples(*profile.samples);
  for (const engine::Stage& stage : profile.plan.stages)
    out.stages.push_back(
        {stage.layer, engine::name_of(stage.kind), stage.cost.bytes_read, stage.cost.bytes_written, stage.cost.flops});
  out.names = profile.names;
  if (out.names.empty()) out.names.emplace_back();
  out.tokens = profile.tokens;
  return out;
}

namespace {

// Text from a file may end up in a terminal.
std::string clean(const std::string& text) { return engine::printable(text); }

StageCounters counters_of(const profiler::RecordedCounters& recorded, std::size_t stages) {
  StageCounters out;
  out.chip = clean(recorded.chip);
  out.library = clean(recorded.library);
  for (const std::string& metric : recorded.metrics) out.metrics.push_back(clean(metric));
  for (const std::string& metric : recorded.missing) out.missing.push_back(clean(metric));
  out.passes = recorded.passes;
  out.dropped = recorded.dropped;
  out.seconds = recorded.seconds;
  out.same_bits = recorded.same_bits;
  for (std::size_t id = 0; id < stages; ++id) {
    std::vector<double> values;
    bool counted = false;
    for (const std::vector<double>& metric : recorded.values) {
      values.push_back(metric[id]);
      counted = counted || !std::isnan(metric[id]);
    }
    out.values.push_back(counted ? std::move(values) : std::vector<double>());
  }
  return out;
}

TokenSamples samples_of(const profiler::RecordedSamples& recorded) {
  TokenSamples out;
  out.chip = clean(recorded.chip);
  out.library = clean(recorded.library);
  for (const std::string& metric : recorded.metrics) out.metrics.push_back(clean(metric));
  for (const std::string& metric : recorded.missing) out.missing.push_back(clean(metric));
  out.interval_ns = recorded.interval_ns;
  out.overflow = recorded.overflow;
  for (std::size_t i = 0; i < recorded.tokens.size(); ++i) {
    if (out.tokens.empty() || out.tokens.back().token != recorded.tokens[i])
      out.tokens.push_back({recorded.tokens[i], {}, {}});
    SampledToken& token = out.tokens.back();
    token.start_ns.push_back(recorded.start_ns[i]);
    std::vector<double>& values = token.values.emplace_back();
    for (const std::vector<double>& metric : recorded.values) values.push_back(metric[i]);
  }
  return out;
}

}  // namespace

engine::Result<ProfileResult> program_form(profiler::RecordedProfile recorded) {
  ProfileResult out;
  auto config = shape_of(recorded.shape);
  if (!config) return tl::unexpected(config.error());
  out.config = *config;
  out.model = clean(recorded.model);
  out.weights = clean(recorded.weights);
  out.program = clean(recorded.program);
  out.recorded_at = clean(recorded.recorded_at);
  out.backend.name = clean(recorded.backend);
  out.backend.device = clean(recorded.device);
  out.backend.detail = clean(recorded.detail);
  out.backend.products = clean(recorded.products);
  out.backend.state = clean(recorded.state);
  out.backend.is_gpu = recorded.is_gpu;
  out.backend.graph = recorded.graph;
  out.ahead = recorded.ahead;
  out.backend.threads = recorded.threads;
  out.plan.variant = clean(recorded.variant);
  out.plan.batch = recorded.batch;
  for (const profiler::RecordedStage& from : recorded.stages) {
    const auto kind = engine::stage_kind(from.kind);
    if (!kind)
      return engine::input_error(
          fmt::format("it has a stage {}, which this program does not know", engine::in_quotes(from.kind)));
    engine::Stage stage;
    stage.id = static_cast<int>(out.plan.stages.size());
    stage.layer = from.layer;
    stage.kind = *kind;
    stage.cost = {from.bytes_read, from.bytes_written, from.flops};
    out.plan.stages.push_back(stage);
  }
  out.warmup = recorded.warmup;
  out.seed = recorded.seed;
  out.status = std::move(recorded.status);
  for (std::string* text : {&out.status.reason, &out.status.remedy, &out.status.library, &out.status.version})
    *text = clean(*text);
  out.copy_bytes_per_second = recorded.copy_bytes_per_second;
  if (recorded.cost)
    out.cost =
        ProfilingCost{recorded.cost->wall_us_with, recorded.cost->wall_us_without, clean(recorded.cost->problem)};
  out.backend.fp32_flops_per_second = recorded.fp32_flops_per_second;
  out.backend.peak_source = clean(recorded.peak_source);
  if (recorded.samples) out.samples = samples_of(*recorded.samples);
  if (recorded.counters) out.counters = counters_of(*recorded.counters, out.plan.stages.size());
  for (const std::string& name : recorded.names) out.names.push_back(clean(name));
  out.tokens = std::move(recorded.tokens);
  out.kernels = kernels_by_stage(out);
  return out;
}

std::vector<std::string> shipped_recordings() {
  std::vector<std::string> names;
  std::error_code failure;
  for (fs::directory_iterator at(fs::path(engine::assets_folder()) / "profiles", failure), end; !failure && at != end;
       at.increment(failure))
    if (at->path().extension() == recording_ending) names.push_back(at->path().stem().string());
  std::sort(names.begin(), names.end());
  return names;
}

engine::Result<ProfileResult> read_recording(std::span<const std::byte> bytes, const std::string& where) {
  auto recorded = profiler::decode(bytes);
  if (!recorded)
    return engine::input_error(fmt::format(
        "{} is not a profile that this program reads: {}. Record one with `mambascope profile MODEL --save FILE`.",
        where, engine::printable(recorded.error())));
  auto opened = program_form(std::move(*recorded));
  if (!opened)
    return engine::input_error(
        fmt::format("{} is not a profile that this program reads: {}.", where, opened.error().message));
  opened->recording = clean(fs::path(where).stem().string());
  return opened;
}

engine::Result<Recording> open_any_recording(const std::string& name_or_path) {
  std::string path = name_or_path;
  const std::vector<std::string> shipped = shipped_recordings();
  if (!engine::is_there(path) && std::find(shipped.begin(), shipped.end(), path) != shipped.end())
    path = (fs::path(engine::assets_folder()) / "profiles" / (path + recording_ending)).string();
  if (path.empty())
    return engine::input_error("No name of a profile: give a file or a name that `profile --list` prints.");
  if (!engine::is_there(path))
    return engine::input_error(
        fmt::format("{} is neither a file nor a recorded profile that comes with the program{}", name_or_path,
                    shipped.empty() ? " (none does)." : fmt::format(": {}.", fmt::join(shipped, ", "))));
  const auto file = engine::MappedFile::open(path);
  if (!file) return tl::unexpected(file.error());
  Recording out;
  if (profiler::is_family(file->bytes())) {
    auto family = read_family(file->bytes(), path);
    if (auto whole = file->check(); !whole) return tl::unexpected(whole.error());
    if (!family) return tl::unexpected(family.error());
    out.profile = family->runs.front().result;
    out.family = std::move(*family);
    return out;
  }
  auto profile = read_recording(file->bytes(), path);
  if (auto whole = file->check(); !whole) return tl::unexpected(whole.error());
  if (!profile) return tl::unexpected(profile.error());
  out.profile = std::move(*profile);
  return out;
}

engine::Result<ProfileResult> open_recording(const std::string& name_or_path) {
  // NAME@RANK, unless there is a file of that very name.
  std::string name = name_or_path, wanted;
  if (const std::size_t at = name.rfind('@'); at != std::string::npos && !engine::is_there(name)) {
    wanted = name.substr(at + 1);
    name.resize(at);
  }
  auto opened = open_any_recording(name);
  if (!opened) return tl::unexpected(opened.error());
  if (!opened->family && wanted.empty()) return std::move(opened->profile);
  if (!opened->family)
    return engine::input_error(fmt::format("{} holds one profile, without ranks: leave out @{}.", name, wanted));
  std::vector<int> ranks;
  for (RankRun& run : opened->family->runs) {
    if (std::to_string(run.rank) == wanted) return std::move(run.result);
    ranks.push_back(run.rank);
  }
  return engine::input_error(fmt::format("{} holds the ranks {}: name one of them, such as {}@{}.", name,
                                         fmt::join(ranks, ", "), name, ranks.front()));
}

engine::Result<std::string> recording_bytes(const ProfileResult& profile) {
  auto bytes = profiler::encode(recorded_form(profile));
  if (!bytes) return engine::input_error(fmt::format("The profile cannot be saved: {}.", bytes.error()));
  return std::move(*bytes);
}

std::vector<std::string> kernel_names(const TimingStore& store,
                                      const std::vector<std::shared_ptr<const profiler::TokenTimes>>& tokens) {
  std::vector<std::string> names(1);
  for (const auto& token : tokens) {
    for (const profiler::StageTime& piece : token->stages) {
      if (piece.name >= names.size()) names.resize(piece.name + 1);
      if (piece.name != 0 && names[piece.name].empty()) names[piece.name] = store.kernel_name(piece.name);
    }
  }
  return names;
}

std::vector<std::string> kernels_by_stage(const ProfileResult& profile) {
  std::vector<std::string> kernels;
  for (const auto& stage : profiler::statistics_of(profile.tokens, profile.plan.stages.size()).stages)
    kernels.push_back(stage.name < profile.names.size() ? profile.names[stage.name] : std::string());
  return kernels;
}

std::unique_ptr<TimingStore> recorded_timings(std::shared_ptr<const ProfileResult> profile) {
  return std::make_unique<RecordedTimings>(std::move(profile));
}

std::string utc_now() { return fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(std::time(nullptr))); }

}  // namespace app
