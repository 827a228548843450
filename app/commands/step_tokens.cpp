#include "app/commands/step_tokens.h"

#include "app/commands/progress.h"
#include "engine/analysis/statistics.h"
#include "engine/session/sampler.h"
#include "engine/tasks/evaluate.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <span>

namespace app {

namespace {

constexpr int top_count = 5;

using Clock = std::chrono::steady_clock;

const Clock::time_point program_start = Clock::now();

engine::Result<std::vector<std::int32_t>> first_tokens(const engine::Model& model, const StepOptions& options) {
  if (!options.tokens.empty()) return options.tokens;
  if (options.has_prompt) return model.encode(options.prompt);
  if (!model.card.prompts.empty()) return model.encode(model.card.prompts.front());
  return std::vector<std::int32_t>{};
}

std::vector<double> layer_norms(const engine::StepCoefficients& coefficients, std::size_t layers) {
  const std::size_t heads = coefficients.state_norm.size() / layers;
  std::vector<double> norms(layers);
  for (std::size_t l = 0; l < layers; ++l) {
    double squares = 0;
    for (std::size_t h = 0; h < heads; ++h) {
      const double norm = coefficients.state_norm[l * heads + h];
      squares += norm * norm;
    }
    norms[l] = std::sqrt(squares);
  }
  return norms;
}

// The classes of a model that labels positions, else the vocabulary; never the padding.
std::span<const float> candidates(const engine::Model& model, std::span<const float> logits) {
  const auto vocab = static_cast<std::size_t>(model.config().vocab_size);
  const std::size_t classes = model.card.labels_positions() ? model.card.labels.size() : 0;
  return logits.first(classes > 0 ? std::min(classes, vocab) : vocab);
}

engine::Result<SteppedToken> look(const engine::Model& model, engine::Backend& backend, std::vector<float>& logits,
                                  engine::Distribution& distribution) {
  SteppedToken token;
  if (auto read = backend.read_logits(0, logits); !read) return tl::unexpected(read.error());
  const std::span<const float> choices = candidates(model, logits);
  if (!engine::all_finite(choices)) {
    return engine::input_error(fmt::format(
        "The logits of {} are not finite, so there are no probabilities. Look for infinity or NaN in its weights.",
        model.name));
  }
  distribution = engine::softmax(choices);
  token.entropy_bits = engine::entropy_bits(distribution);
  for (const std::int32_t id : engine::top_ids(choices, top_count)) {
    const auto at = static_cast<std::size_t>(id);
    token.top.push_back({id, choices[at], static_cast<float>(distribution.p[at])});
  }
  engine::StepCoefficients coefficients;
  if (auto read = backend.read_coefficients(0, coefficients); !read) return tl::unexpected(read.error());
  token.state_norms = layer_norms(coefficients, static_cast<std::size_t>(model.config().n_layer));
  return token;
}

}  // namespace

engine::Result<GivenTokens> tokens_to_step(const engine::Model& model, const StepOptions& options) {
  auto ids = first_tokens(model, options);
  if (!ids) return tl::unexpected(ids.error());
  for (const std::int32_t id : *ids) {
    if (id < 0 || id >= model.config().vocab_size) {
      return engine::input_error(fmt::format("Token id {} is outside the vocabulary of {}; give ids from 0 to {}.", id,
                                             model.name, model.config().vocab_size - 1));
    }
  }
  GivenTokens given;
  given.ids = std::move(*ids);
  if (!model.card.labels_positions()) {
    if (given.ids.empty()) {
      return engine::input_error(fmt::format("{} has no example prompt. Give --tokens 1,2,3{}.", model.name,
                                             model.card.takes_text() ? " or --prompt TEXT" : ""));
    }
    given.sampled = options.steps;
    return given;
  }
  const auto task = engine::task_of(model, "");
  if (!task && options.steps > 0) return tl::unexpected(task.error());
  if (task) {
    engine::TaskWalk walk(**task);
    for (const std::int32_t id : given.ids) given.truth.push_back(walk.read(id));
    engine::Random random(options.seed);
    for (int i = 0; i < options.steps; ++i) {
      given.ids.push_back(walk.draw(random));
      given.truth.push_back(walk.read(given.ids.back()));
    }
    given.from_task = static_cast<std::size_t>(options.steps);
  }
  if (given.ids.empty()) return engine::input_error("There is nothing to step. Give --prompt, --tokens or --steps.");
  return given;
}

engine::Result<SteppedTokens> step_tokens(const engine::Model& model, engine::Backend& backend,
                                          const StepOptions& options, const GivenTokens& given) {
  engine::Sampler sampler = options.sampler;
  sampler.seed = options.seed;
  SteppedTokens out;
  std::vector<double> times_ms;
  std::vector<float> logits(static_cast<std::size_t>(model.config().padded_vocab()));
  engine::Distribution distribution;
  const std::size_t count = given.ids.size() + static_cast<std::size_t>(given.sampled);
  Progress progress("step");
  for (std::size_t t = 0; t < count; ++t) {
    const bool sampled = t >= given.ids.size();
    const std::int32_t id =
        sampled
            ? engine::sample(std::span<const float>(logits).first(static_cast<std::size_t>(model.config().vocab_size)),
                             sampler, t)
            : given.ids[t];
    const double probability =
        t == 0 || model.card.labels_positions() ? -1 : distribution.p[static_cast<std::size_t>(id)];
    const std::int32_t ids[] = {id};
    const Clock::time_point start = Clock::now();
    if (auto stepped = backend.step(ids, nullptr); !stepped) return tl::unexpected(stepped.error());
    const Clock::time_point end = Clock::now();
    times_ms.push_back(std::chrono::duration<double, std::milli>(end - start).count());
    if (t == 0) out.first_token_ms = std::chrono::duration<double, std::milli>(end - program_start).count();
    auto token = look(model, backend, logits, distribution);
    if (!token) return tl::unexpected(token.error());
    token->position = static_cast<std::int64_t>(t);
    token->id = id;
    token->probability = probability;
    token->origin = sampled                                   ? engine::TokenOrigin::sampled
                    : t + given.from_task >= given.ids.size() ? engine::TokenOrigin::task
                                                              : engine::TokenOrigin::given;
    if (!given.truth.empty()) token->truth = given.truth[t];
    if (token->truth == engine::not_known && out.broken_at < 0) out.broken_at = token->position;
    if (token->truth >= 0) {
      ++out.asked;
      out.right += token->top.front().id == token->truth ? 1 : 0;
    }
    out.tokens.push_back(std::move(*token));
    progress.show(static_cast<double>(t + 1) / static_cast<double>(count));
  }
  for (const double ms : times_ms) out.total_ms += ms;
  std::sort(times_ms.begin(), times_ms.end());
  out.min_ms = times_ms.front();
  out.median_ms = times_ms[times_ms.size() / 2];
  return out;
}

}  // namespace app
