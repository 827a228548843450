#include "app/wiring/rank_family.h"

#include "app/viewmodel/numbers.h"
#include "app/wiring/recorded_profile.h"
#include "engine/base/quote.h"
#include "profiler/recording/family_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

namespace app {

bool of_recurrence(engine::StageKind kind) {
  using engine::StageKind;
  return kind == StageKind::state_update || kind == StageKind::readout || kind == StageKind::mixer;
}

profiler::StageClock clock_for(const std::vector<RankRun>& runs) {
  const bool overlap = std::any_of(runs.begin(), runs.end(), [](const RankRun& run) {
    return profiler::clock_for(run.result.tokens) == profiler::StageClock::waiting_out;
  });
  return overlap ? profiler::StageClock::waiting_out : profiler::StageClock::recorded;
}

double paper_intensity(const engine::ModelConfig& config) {
  const double n = config.d_state, p = config.headdim, r = config.rank();
  const double flops = config.is_mimo ? 4 * n * p * r + n * p - p * r : 5 * n * p - p;
  return flops / (2 * (1 + 2 * n * r + p * r + n * p));
}

kernels::Cost recurrence_cost(const engine::StepPlan& plan) {
  kernels::Cost cost;
  for (const engine::Stage& stage : plan.stages) {
    if (!of_recurrence(stage.kind)) continue;
    cost.bytes_read += stage.cost.bytes_read;
    cost.bytes_written += stage.cost.bytes_written;
    cost.flops += stage.cost.flops;
  }
  return cost;
}

double executed_intensity(const engine::StepPlan& plan) {
  const kernels::Cost cost = recurrence_cost(plan);
  return cost.bytes() > 0 ? static_cast<double>(cost.flops) / static_cast<double>(cost.bytes()) : 0;
}

std::vector<std::string> confounds(const std::vector<RankRun>& runs) {
  std::vector<std::string> out;
  const auto [fewest, most] = std::minmax_element(
      runs.begin(), runs.end(), [](const RankRun& a, const RankRun& b) { return a.parameters < b.parameters; });
  if (fewest != runs.end() && fewest->parameters != most->parameters) {
    out.push_back(
        fmt::format("Parameters differ: {} at rank {}, {} at rank {} ({:+.1f} %), because in_proj gives R keys "
                    "and R queries.",
                    count_text(fewest->parameters), fewest->rank, count_text(most->parameters), most->rank,
                    100.0 * (static_cast<double>(most->parameters) / static_cast<double>(fewest->parameters) - 1)));
    out.emplace_back("The MLP keeps its width; the released MIMO models narrow it to pay for their ranks.");
  }
  const bool has_siso = std::any_of(runs.begin(), runs.end(), [](const RankRun& run) { return run.rank == 1; });
  if (has_siso && runs.size() > 1) {
    out.emplace_back("Rank 1 is SISO: another pairing of the rotation, no ranks to weigh and to mix.");
  }
  if (!runs.empty()) {
    const ProfileResult& first = runs.front().result;
    out.emplace_back("Weights and tokens are random: no model of such a rank was trained with the others' recipe.");
    if (first.backend.graph && first.plan.variant == "fused") {
      out.emplace_back("Kernels of the graph overlap: a stage's time includes its waiting for the stage before it.");
    }
    if (first.status.source == profiler::TimeSource::cupti) {
      out.emplace_back("Wall times and gaps include what CUPTI's recording costs; the times of stages do not.");
    }
    if (first.backend.is_gpu && first.plan.batch < 32) {
      out.push_back(
          fmt::format("At batch {} most kernels last microseconds: their start and end count as much as what "
                      "they compute.",
                      first.plan.batch));
    }
  }
  return out;
}

engine::Result<std::string> family_bytes(const RankFamily& family) {
  profiler::RecordedFamily out;
  out.shape = family.shape;
  for (const RankRun& run : family.runs)
    out.members.push_back({run.rank, static_cast<std::uint64_t>(run.parameters), run.twin, run.worst, run.rtol,
                           recorded_form(run.result)});
  auto bytes = profiler::encode_family(out);
  if (!bytes) return engine::input_error(fmt::format("The ranks cannot be saved: {}.", bytes.error()));
  return std::move(*bytes);
}

engine::Result<RankFamily> read_family(std::span<const std::byte> bytes, const std::string& where) {
  auto recorded = profiler::decode_family(bytes);
  if (!recorded)
    return engine::input_error(fmt::format("{} is not a family of profiles that this program reads: {}.", where,
                                           engine::printable(recorded.error())));
  RankFamily out;
  out.shape = engine::printable(recorded->shape);
  for (profiler::RecordedMember& member : recorded->members) {
    auto result = program_form(std::move(member.profile));
    if (!result)
      return engine::input_error(fmt::format("{} is not a family of profiles that this program reads: rank {}: {}.",
                                             where, member.rank, result.error().message));
    RankRun run;
    run.rank = member.rank;
    run.config = result->config;
    if (run.config.rank() != member.rank)
      return engine::input_error(
          fmt::format("{} is not a family of profiles that this program reads: the shape of rank {} has rank {}.",
                      where, member.rank, run.config.rank()));
    run.parameters = static_cast<std::int64_t>(member.parameters);
    run.twin = engine::printable(member.twin);
    run.worst = member.worst;
    run.rtol = member.rtol;
    run.result = std::move(*result);
    run.result.recording =
        fmt::format("{} at rank {}", engine::printable(std::filesystem::path(where).stem().string()), member.rank);
    out.runs.push_back(std::move(run));
  }
  return out;
}

}  // namespace app
