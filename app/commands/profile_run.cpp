#include "app/commands/profile_run.h"

#include "app/commands/second_process.h"
#include "app/wiring/recorded_profile.h"
#include "app/wiring/timing_store.h"
#include "profiler/report/span.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <random>

namespace app {

namespace {

using TokenList = std::vector<std::shared_ptr<const profiler::TokenTimes>>;

// The last `measured` of these tokens, which count from 0: those that warm up are none of them. Where steps were queued
// ahead, a token's wall time goes from the end of the work before it to the end of its own; the first one's, where no token
// before it is there, stays as the host saw it.
TokenList measured_tokens(const TokenList& newest, std::size_t measured, std::uint32_t warmup, bool ahead) {
  const std::size_t first = newest.size() - std::min(measured, newest.size());
  const auto work_end_ns = [](const profiler::TokenTimes& token) {
    return token.wall_start_ns + token.wall_ns - profiler::span_of(token).after_ns;
  };
  std::optional<std::int64_t> before_ns;
  if (ahead && first > 0) before_ns = work_end_ns(*newest[first - 1]);
  TokenList out;
  out.reserve(newest.size() - first);
  for (std::size_t i = first; i < newest.size(); ++i) {
    auto token = std::make_shared<profiler::TokenTimes>(*newest[i]);
    token->token -= std::min(warmup, token->token);
    for (profiler::StageTime& piece : token->stages) piece.tag.token = token->token;
    if (ahead) {
      const std::int64_t end_ns = work_end_ns(*newest[i]);
      if (before_ns && end_ns > *before_ns) {
        token->wall_start_ns = *before_ns;
        token->wall_ns = end_ns - *before_ns;
      }
      before_ns = end_ns;
    }
    out.push_back(std::move(token));
  }
  return out;
}

}  // namespace

engine::Result<std::vector<std::int32_t>> profiled_ids(const ProfileOptions& options, const engine::Model& model) {
  std::vector<std::int32_t> first = options.tokens;
  if (!options.prompt.empty()) {
    auto encoded = model.encode(options.prompt);
    if (!encoded) return tl::unexpected<engine::Error>(encoded.error());
    first = std::move(*encoded);
  }
  const int vocabulary = model.config().vocab_size;
  for (const std::int32_t id : first) {
    if (id < 0 || id >= vocabulary) {
      return engine::input_error(
          fmt::format("Token id {} is not in [0, {}), the vocabulary of {}. Give ids of this "
                      "model.",
                      id, vocabulary, model.name));
    }
  }
  std::mt19937_64 random(options.seed);
  const std::size_t wanted = static_cast<std::size_t>(options.warmup) + static_cast<std::size_t>(options.steps);
  std::vector<std::int32_t> ids;
  ids.reserve(wanted * static_cast<std::size_t>(options.batch));
  for (std::size_t t = 0; t < wanted; ++t) {
    for (int b = 0; b < options.batch; ++b) {
      ids.push_back(t < first.size() ? first[t]
                                     : static_cast<std::int32_t>(random() % static_cast<std::uint64_t>(vocabulary)));
    }
  }
  return ids;
}

engine::Result<ProfileRun> run_profile(const ProfileOptions& options, const engine::Model& model,
                                       const std::vector<std::int32_t>& ids, bool graph, std::uint16_t source) {
  engine::BackendOptions asked = backend_options(options, options.batch);
  asked.graph = graph;
  asked.errors = options.errors;
  auto opened = engine::make_backend(model.weights, asked);
  if (!opened) return tl::unexpected(opened.error());
  const auto store = TimingStore::make(source, (*opened)->info().is_gpu, static_cast<std::size_t>(options.steps) + 1);
  return profile_backend(options, model, **opened, *store, ids);
}

engine::Result<ProfileRun> profile_backend(const ProfileOptions& options, const engine::Model& model,
                                           engine::Backend& backend, TimingStore& store,
                                           const std::vector<std::int32_t>& ids) {
  ProfileRun run;
  const std::int64_t first = backend.position();
  if (options.wait) {
    const auto batch = static_cast<std::size_t>(options.batch);
    for (std::size_t at = 0; at < ids.size() && !run.ended; at += batch) {
      if (const auto stepped = backend.step({ids.data() + at, batch}, &store); !stepped) run.ended = stepped.error();
    }
  } else if (const auto stepped = backend.step_all(ids, &store); !stepped) {
    run.ended = stepped.error();
  }
  store.flush();
  const auto steps = static_cast<std::size_t>(backend.position() - first);
  const auto warmup = static_cast<std::size_t>(options.warmup);
  if (run.ended && steps <= warmup) return tl::unexpected(*run.ended);
  ProfileResult& result = run.result;
  result.model = model.name;
  result.config = model.config();
  if (!model.weights.layers.empty()) result.weights = kernels::name_of(model.weights.layers.front().in_proj.dtype);
  result.program = std::string("mambascope ") + MAMBASCOPE_VERSION;
  result.recorded_at = utc_now();
  result.backend = backend.info();
  result.plan = backend.plan();
  result.warmup = options.warmup;
  result.seed = options.seed;
  result.ahead = backend.info().ahead && !options.wait;
  const std::size_t measured = std::min(steps - warmup, static_cast<std::size_t>(options.steps));
  result.tokens =
      measured_tokens(store.newest(measured + 1), measured, static_cast<std::uint32_t>(warmup), result.ahead);
  result.status = store.status();
  result.names = kernel_names(store, result.tokens);
  result.kernels = kernels_by_stage(result);
  return run;
}

std::vector<std::string> same_step_arguments(const ProfileOptions& options, const ProfileResult& with) {
  std::vector<std::string> arguments = {"--json", "--backend", "cuda"};
  const auto add = [&](const char* option, const std::string& value) {
    arguments.emplace_back(option);
    arguments.push_back(value);
  };
  add("--a-activation", options.load.a_activation == engine::AActivation::heavy_tail ? "heavy-tail" : "softplus");
  add("--variant", with.plan.variant);
  add("--products", options.products == engine::Products::own       ? "own"
                    : options.products == engine::Products::library ? "library"
                                                                    : "auto");
  add("--state", with.backend.state);
  add("--batch", std::to_string(options.batch));
  add("--steps", std::to_string(options.steps));
  add("--warmup", std::to_string(options.warmup));
  add("--seed", std::to_string(options.seed));
  if (options.errors) arguments.emplace_back("--errors");
  if (options.wait) arguments.emplace_back("--wait");
  if (options.preset.empty()) {
    add("--", options.model);
  } else {
    add("--preset", options.preset);
  }
  return arguments;
}

void measure_cost_of_cupti(const ProfileOptions& options, ProfileRun& run) {
  ProfilingCost& cost = run.result.cost.emplace();
  cost.wall_us_with = profiler::statistics_of(run.result.tokens, 0).step.wall.median / 1e3;
  std::vector<std::string> arguments = {"profile", "--no-cupti", "--graph", run.result.backend.graph ? "on" : "off"};
  for (std::string& word : same_step_arguments(options, run.result)) arguments.push_back(std::move(word));
  const auto printed = run_this_program(arguments);
  if (!printed) {
    cost.problem = printed.error().message;
    return;
  }
  const auto other = nlohmann::json::parse(*printed, nullptr, false);
  const auto number = [&other](const char* path) {
    const nlohmann::json::json_pointer place(path);
    return !other.is_discarded() && other.contains(place) && other[place].is_number() ? other[place].get<double>() : 0;
  };
  cost.wall_us_without = number("/step_us/wall/median");
  if (cost.wall_us_without <= 0) cost.problem = "the second process printed no wall time.";
}

}  // namespace app
