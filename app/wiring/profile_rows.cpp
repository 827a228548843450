#include "app/wiring/profile_rows.h"

#include "app/wiring/profile_groups.h"
#include "app/wiring/recorded_profile.h"

#include <algorithm>
#include <unordered_map>

namespace app {

namespace {

std::string piece_of(const profiler::StageTime& time, const TimingStore& store) {
  switch (time.kind) {
    case profiler::WorkKind::kernel:
      return store.kernel_name(time.name);
    case profiler::WorkKind::memcpy:
      return "memcpy";
    case profiler::WorkKind::memset:
      return "memset";
    case profiler::WorkKind::cpu:
      return {};
  }
  return {};
}

// On the axis of the stages: a token's first sample begins with its first piece of work.
void add_samples(profiler::Export& out, const TokenSamples& samples, profiler::Tokens tokens) {
  for (const std::string& metric : samples.metrics) out.sampled.push_back(sample_name(metric) + ", % of the peak");
  std::unordered_map<std::int64_t, std::int64_t> start_ns;  // of tokens; files may hold a million of them
  for (const auto& token : tokens) {
    if (!token->stages.empty()) start_ns.emplace(token->token, token->stages.front().start_ns);
  }
  for (const SampledToken& sampled : samples.tokens) {
    const auto start = start_ns.find(sampled.token);
    if (start == start_ns.end()) continue;
    for (std::size_t i = 0; i < sampled.start_ns.size(); ++i)
      out.samples.push_back({sampled.token, start->second + sampled.start_ns[i], sampled.values[i]});
  }
}

}  // namespace

const char* name_of(profiler::TimeSource source) {
  switch (source) {
    case profiler::TimeSource::cpu_clock:
      return "cpu_clock";
    case profiler::TimeSource::cupti:
      return "cupti";
    case profiler::TimeSource::none:
      return "none";
  }
  return "none";
}

const char* name_of(profiler::StageClock clock) {
  return clock == profiler::StageClock::waiting_out ? "waiting_out" : "recorded";
}

profiler::Export profile_rows(const std::string& model, const engine::BackendInfo& backend,
                              const engine::StepPlan& plan, const TimingStore& store,
                              const std::vector<std::shared_ptr<const profiler::TokenTimes>>& tokens) {
  const profiler::ProfilerStatus status = store.status();
  profiler::Export out;
  out.header.program = std::string("mambascope ") + MAMBASCOPE_VERSION;
  out.header.model = model;
  out.header.device = backend.device;
  out.header.backend = backend.name;
  out.header.variant = plan.variant;
  out.header.time_source = name_of(status.source);
  out.header.records = status.records;
  out.header.dropped = status.dropped;
  out.header.unattributed = status.unattributed;
  out.header.notes = notes_on(plan);
  out.header.clock_uncertainty_ns = status.clock_uncertainty_ns;
  for (const auto& token : tokens) {
    out.steps.push_back({token->token, token->wall_start_ns, token->wall_ns});
    for (const profiler::StageTime& time : token->stages) {
      profiler::StageRow row;
      row.token = token->token;
      row.start_ns = time.start_ns;
      row.duration_ns = time.duration_ns;
      row.piece = piece_of(time, store);
      row.name = time.tag.stage == profiler::unknown_stage ? "graph node without a stage" : "between stages";
      if (time.tag.stage < plan.stages.size()) {
        const engine::Stage& stage = plan.stages[time.tag.stage];
        row.stage = stage.id;
        row.layer = stage.layer;
        row.name = engine::name_of(stage.kind);
        row.bytes = stage.cost.bytes();
      }
      out.stages.push_back(std::move(row));
    }
  }
  return out;
}

profiler::Export profile_rows(const ProfileResult& profile) {
  // Shares nothing with a caller who may change it.
  const auto kept = std::make_shared<const ProfileResult>(profile);
  profiler::Export out =
      profile_rows(profile.model, profile.backend, profile.plan, *recorded_timings(kept), profile.tokens);
  if (!profile.program.empty()) out.header.program = profile.program;
  out.header.recorded = profile.recorded_words();
  if (profile.samples) add_samples(out, *profile.samples, profile.tokens);
  return out;
}

}  // namespace app
