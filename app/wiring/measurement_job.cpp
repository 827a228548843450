#include "app/wiring/measurement_job.h"

#include "app/wiring/counters_json.h"
#include "app/wiring/recorded_profile.h"
#include "app/wiring/samples_json.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cstdlib>
#include <filesystem>
#include <system_error>
#include <utility>

namespace app {

namespace {

constexpr int warmup = 4, rank_steps = 32, sampled_steps = 4;

std::vector<std::string> same_step(const MeasuredStep& step) {
  std::vector<std::string> out = {
      "--backend",      step.backend.name,
      "--warmup",       std::to_string(warmup),
      "--a-activation", step.load.a_activation == engine::AActivation::heavy_tail ? "heavy-tail" : "softplus"};
  if (step.backend.is_gpu)
    for (const std::string& word : {std::string("--variant"), step.variant, std::string("--state"), step.backend.state})
      out.push_back(word);
  else
    for (const std::string& word : {std::string("--threads"), std::to_string(step.backend.threads)})
      out.push_back(word);
  out.emplace_back("--");
  out.push_back(step.model);
  return out;
}

std::vector<std::string> joined(std::vector<std::string> first, const std::vector<std::string>& then) {
  first.insert(first.end(), then.begin(), then.end());
  return first;
}

// A file in a new folder that nobody else may look into; empty: there is no room for one.
std::string fresh_file(const char* name) {
  std::error_code failed;
  std::string folder = (std::filesystem::temp_directory_path(failed) / "mambascope-XXXXXX").string();
  if (failed || mkdtemp(folder.data()) == nullptr) return {};
  return folder + "/" + name;
}

// The last line of what a process said, for people.
std::string last_line(std::string text) {
  while (!text.empty() && text.back() == '\n') text.pop_back();
  const std::size_t at = text.rfind('\n');
  return at == std::string::npos ? text : text.substr(at + 1);
}

}  // namespace

MeasurementJob::MeasurementJob(const MeasuredStep& step, const std::vector<std::string>& arguments, std::string file,
                               std::function<void()> on_change)
    : file_(std::move(file)), child_(step.program, arguments, std::move(on_change)) {}

MeasurementJob::~MeasurementJob() {
  child_.cancel();
  if (file_.empty()) return;
  std::error_code ignored;
  std::filesystem::remove_all(std::filesystem::path(file_).parent_path(), ignored);
}

std::unique_ptr<MeasurementJob> MeasurementJob::counters(const MeasuredStep& step, std::function<void()> on_change) {
  std::vector<std::string> own = {"profile", "--counters-only", "--json", "--steps", "1"};
  if (step.errors) own.emplace_back("--errors");
  return std::unique_ptr<MeasurementJob>(
      new MeasurementJob(step, joined(std::move(own), same_step(step)), {}, std::move(on_change)));
}

std::unique_ptr<MeasurementJob> MeasurementJob::samples(const MeasuredStep& step, std::function<void()> on_change) {
  // The window launches its stages one by one.
  std::vector<std::string> own = {
      "profile", "--samples-only", "--json", "--graph", "off", "--steps", std::to_string(sampled_steps)};
  if (step.errors) own.emplace_back("--errors");
  return std::unique_ptr<MeasurementJob>(
      new MeasurementJob(step, joined(std::move(own), same_step(step)), {}, std::move(on_change)));
}

std::unique_ptr<MeasurementJob> MeasurementJob::ranks(const MeasuredStep& step, std::function<void()> on_change) {
  std::string file = fresh_file("ranks.profile");
  const auto arguments = joined({"profile", "--ranks", fmt::format("{}", fmt::join(declared_ranks(), ",")), "--json",
                                 "--no-cost", "--steps", std::to_string(rank_steps), "--save", file},
                                same_step(step));
  return std::unique_ptr<MeasurementJob>(new MeasurementJob(step, arguments, std::move(file), std::move(on_change)));
}

bool MeasurementJob::cancelled() const {
  const auto ended = child_.ended();
  return ended && ended->cancelled;
}

std::optional<StageCounters> MeasurementJob::take_counters() {
  const auto ended = child_.ended();
  if (!ended || ended->cancelled || std::exchange(taken_, true)) return std::nullopt;
  if (ended->exit_code == 0) return counters_from(ended->out);
  return no_counters(fmt::format("The second process failed: {}", last_line(ended->err)), "");
}

std::optional<TokenSamples> MeasurementJob::take_samples() {
  const auto ended = child_.ended();
  if (!ended || ended->cancelled || std::exchange(taken_, true)) return std::nullopt;
  if (ended->exit_code == 0) return samples_from(ended->out);
  return no_samples(fmt::format("The second process failed: {}", last_line(ended->err)), "");
}

std::optional<engine::Result<RankFamily>> MeasurementJob::take_ranks() {
  const auto ended = child_.ended();
  if (!ended || ended->cancelled || std::exchange(taken_, true)) return std::nullopt;
  // 1: a rank did not agree with its twin. The family says which.
  if (ended->exit_code != 0 && ended->exit_code != 1)
    return engine::Result<RankFamily>(
        engine::system_error(fmt::format("The second process failed: {}", last_line(ended->err))));
  auto opened = open_any_recording(file_);
  if (!opened) return engine::Result<RankFamily>(tl::unexpected(opened.error()));
  if (!opened->family)
    return engine::Result<RankFamily>(engine::system_error("The second process wrote no family of ranks."));
  for (RankRun& run : opened->family->runs) run.result.recording.clear();  // measured now
  return engine::Result<RankFamily>(std::move(*opened->family));
}

}  // namespace app
