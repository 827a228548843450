#include "app/wiring/recorded_times.h"

#include "app/wiring/recorded_profile.h"

#include <algorithm>

namespace app {

namespace {

constexpr const char* cupti_words = "CUPTI activity";
constexpr const char* clock_words = "CPU stage clock";
constexpr const char* wall_words = "wall times only";
// Times beyond a day are no times: sums of what a file claims cannot overflow.
constexpr std::int64_t longest_ns = std::int64_t{86'400} * 1'000'000'000;

bool is_time(std::int64_t ns) { return ns >= 0 && ns <= longest_ns; }

profiler::TimeSource source_named(const std::string& name) {
  return name == cupti_words   ? profiler::TimeSource::cupti
         : name == clock_words ? profiler::TimeSource::cpu_clock
                               : profiler::TimeSource::none;
}

std::shared_ptr<const profiler::TokenTimes> token_times(const engine::StepTimes& times, std::int64_t token,
                                                        std::int64_t begin_ns, profiler::TimeSource source) {
  auto out = std::make_shared<profiler::TokenTimes>();
  out->source = source;
  out->token = static_cast<std::uint32_t>(token);
  out->wall_start_ns = begin_ns;
  out->wall_ns = times.wall_ns;
  for (std::size_t stage = 0; stage < times.duration_ns.size(); ++stage) {
    if (!is_time(times.start_ns[stage]) || !is_time(times.duration_ns[stage])) continue;
    profiler::StageTime piece;
    piece.tag = {0, out->token, static_cast<std::uint16_t>(stage)};
    piece.kind = source == profiler::TimeSource::cupti ? profiler::WorkKind::kernel : profiler::WorkKind::cpu;
    piece.start_ns = begin_ns + times.start_ns[stage];
    piece.duration_ns = times.duration_ns[stage];
    out->stages.push_back(piece);
  }
  std::stable_sort(out->stages.begin(), out->stages.end(),
                   [](const auto& a, const auto& b) { return a.start_ns < b.start_ns; });
  return out;
}

}  // namespace

engine::StepTimes step_times(const profiler::TokenTimes& times, std::size_t stages) {
  engine::StepTimes out;
  out.wall_ns = times.wall_ns;
  out.start_ns.assign(stages, -1);
  out.duration_ns.assign(stages, -1);
  for (const profiler::StageTime& piece : times.stages) {
    if (piece.tag.stage >= stages) continue;
    std::int64_t& start = out.start_ns[piece.tag.stage];
    std::int64_t& duration = out.duration_ns[piece.tag.stage];
    // Clocks of host and device agree to within their uncertainty only.
    const std::int64_t begin = std::max<std::int64_t>(0, piece.start_ns - times.wall_start_ns);
    start = start < 0 ? begin : std::min(start, begin);
    duration = std::max<std::int64_t>(duration, 0) + piece.duration_ns;
  }
  return out;
}

const char* timing_source_name(profiler::TimeSource source) {
  return source == profiler::TimeSource::cupti       ? cupti_words
         : source == profiler::TimeSource::cpu_clock ? clock_words
                                                     : wall_words;
}

std::unique_ptr<TimingStore> timings_of(const engine::Recording& recording) {
  const engine::RecordingInfo& info = recording.info();
  auto profile = std::make_shared<ProfileResult>();
  profile->model = info.model;
  profile->config = info.config;
  profile->weights = info.weights;
  profile->backend = info.backend;
  profile->plan = info.plan;
  profile->program = info.program;
  profile->recorded_at = info.recorded_at;
  profile->status.source = source_named(info.timing_source);
  profile->status.tier = profile->status.source == profiler::TimeSource::cupti ? 1 : 0;
  profile->status.reason = info.timing_source.empty() ? "No times were recorded with these tokens."
                                                      : "These times were recorded: " + info.timing_source + ".";
  profile->names.emplace_back();
  constexpr auto most = static_cast<std::int64_t>(TimingStore::default_tokens);
  std::int64_t begin_ns = 0;
  const std::int64_t end = info.timing_source.empty() ? 0 : recording.tokens();
  for (std::int64_t i = std::max<std::int64_t>(0, end - most); i < end; ++i) {
    const engine::StepTimes times = recording.times(i);
    if (!is_time(times.wall_ns)) continue;
    profile->tokens.push_back(token_times(times, i, begin_ns, profile->status.source));
    begin_ns += times.wall_ns;
  }
  return recorded_timings(std::move(profile));
}

}  // namespace app
