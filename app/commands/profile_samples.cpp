#include "app/commands/profile_samples.h"

#include "app/commands/progress.h"
#include "app/commands/second_process.h"
#include "profiler/clock/steady.h"
#include "profiler/counters/live_sampling.h"
#include "profiler/report/span.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>

namespace app {

namespace {

using nlohmann::ordered_json;

// As fine as the device reads them here, and coarser where so many samples would not span the tokens.
constexpr std::uint64_t least_interval_ns = 2000;
constexpr std::size_t most_samples = std::size_t{1} << 14;

std::uint64_t interval_for(const SamplingRun& run, std::int64_t step_ns) {
  // Twice the time: a step that is sampled may wait longer to begin.
  const std::int64_t span = 2 * (run.tokens * step_ns + (run.tokens + 1) * run.pause_ns);
  const auto least = static_cast<std::uint64_t>(span) / most_samples;
  return least_interval_ns * std::max<std::uint64_t>(1, least / least_interval_ns + 1);
}

struct Means {
  std::size_t samples = 0;
  double span_us = 0;           // of a token, first sample with work to the last
  std::vector<double> percent;  // by metric
};

Means means_of(const TokenSamples& samples) {
  Means out;
  out.percent.resize(samples.metrics.size());
  for (const SampledToken& token : samples.tokens) {
    if (token.start_ns.empty()) continue;
    out.span_us += static_cast<double>(token.start_ns.back() + samples.interval_ns) / 1e3 /
                   static_cast<double>(samples.tokens.size());
    out.samples += token.values.size();
    for (const std::vector<double>& values : token.values)
      for (std::size_t m = 0; m < values.size(); ++m)
        if (std::isfinite(values[m])) out.percent[m] += values[m];
  }
  for (double& value : out.percent) value /= static_cast<double>(std::max<std::size_t>(1, out.samples));
  return out;
}

// First piece of work to the last, of the same tokens as the activity records have them.
double recorded_span_us(const TokenSamples& samples, const ProfileResult& result) {
  const std::size_t count = std::min(samples.tokens.size(), result.tokens.size());
  const profiler::SpanMeans means = profiler::span_means({result.tokens.data(), count});
  return (means.busy + means.gaps) / 1e3;
}

}  // namespace

engine::Result<TokenSamples> sample_tokens(const ProfileOptions& options, const engine::Model& model) {
  const auto ids = profiled_ids(options, model);
  if (!ids) return tl::unexpected(ids.error());
  engine::BackendOptions asked = backend_options(options, options.batch);
  asked.errors = options.errors;
  asked.graph = options.graph == "on";
  auto backend = engine::make_backend(model.weights, asked);
  if (!backend) return tl::unexpected(backend.error());
  if (!(*backend)->info().is_gpu)
    return no_samples(fmt::format("The {} backend has no hardware counters.", (*backend)->info().name),
                      "Use --backend cuda.");
  Progress progress("sampling");
  progress.show(0);
  const auto batch = static_cast<std::size_t>(options.batch);
  const std::size_t warm = static_cast<std::size_t>(options.warmup) * batch;
  std::int64_t step_ns = 0;  // of the last one; the first takes longer
  for (std::size_t at = 0; at < warm; at += batch) {
    const std::int64_t begin = profiler::steady_now_ns();
    auto stepped = (*backend)->step({ids->data() + at, batch}, nullptr);
    if (!stepped) return tl::unexpected(stepped.error());
    step_ns = profiler::steady_now_ns() - begin;
    progress.show(0.3 * static_cast<double>(at + batch) / static_cast<double>(warm));
  }
  SamplingRun run;
  run.tokens = std::min(sampled_tokens, options.steps);
  run.pause_ns = 500'000;
  auto api = profiler::open_sampling();
  if (!api) return no_samples(api.error().reason, api.error().remedy);
  auto session =
      profiler::SamplingSession::start(std::move(*api), sampled_metrics(), interval_for(run, step_ns), most_samples);
  if (!session) return no_samples(session.error().reason, session.error().remedy);
  progress.show(0.6);
  return sample_tokens(**backend, {ids->data() + warm, static_cast<std::size_t>(run.tokens) * batch}, *session, run);
}

TokenSamples sample_in_second_process(const ProfileOptions& options, const ProfileResult& with) {
  if (!with.backend.is_gpu)
    return no_samples(fmt::format("The {} backend has no hardware counters.", with.backend.name),
                      "Use --backend cuda.");
  std::vector<std::string> arguments = {"profile", "--samples-only", "--graph", with.backend.graph ? "on" : "off"};
  for (std::string& word : same_step_arguments(options, with)) arguments.push_back(std::move(word));
  const auto printed = run_this_program(arguments);
  if (!printed) return no_samples(printed.error().message, "Its message on standard error says more.");
  TokenSamples samples = samples_from(*printed);
  for (std::size_t i = 0; i < samples.tokens.size() && i < with.tokens.size(); ++i)
    samples.tokens[i].token = with.tokens[i]->token;
  return samples;
}

ordered_json samples_report_json(const TokenSamples& samples, const ProfileResult& result) {
  ordered_json out = samples_json(samples);
  if (!samples.why.reason.empty()) return out;
  const Means means = means_of(samples);
  for (std::size_t m = 0; m < samples.metrics.size(); ++m) out["mean_percent"][samples.metrics[m]] = means.percent[m];
  out["token_us"] = means.span_us;
  out["token_us_recorded"] = recorded_span_us(samples, result);
  return out;
}

std::string samples_text(const TokenSamples& samples, const ProfileResult& result) {
  if (!samples.why.reason.empty())
    return fmt::format("samples             not available: {} {}\n", samples.why.reason, samples.why.remedy);
  const Means means = means_of(samples);
  std::vector<std::string> parts;
  for (std::size_t m = 0; m < samples.metrics.size(); ++m)
    parts.push_back(fmt::format("{} {:.1f}", sample_name(samples.metrics[m]), means.percent[m]));
  std::string out = fmt::format(
      "samples             {} of {} tokens in another run, every {:g} us, on {} ({}); % of the peak, means while work "
      "ran: {}\n                    from the first sample with work to the last {:.1f} us a token, by the activity "
      "records {:.1f}\n",
      means.samples, samples.tokens.size(), static_cast<double>(samples.interval_ns) / 1e3, samples.chip,
      samples.library, fmt::join(parts, ", "), means.span_us, recorded_span_us(samples, result));
  if (samples.overflow) out += "                    some samples were lost for want of room\n";
  if (!samples.missing.empty())
    out += fmt::format("                    not sampled on this chip, or not in the same pass: {}\n",
                       fmt::join(samples.missing, ", "));
  return out;
}

}  // namespace app
