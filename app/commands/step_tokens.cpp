#include "app/commands/step_tokens.h"

#include "engine/analysis/statistics.h"
#include "engine/tasks/evaluate.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <span>

namespace app {

namespace {

constexpr int top_count = 5;
// Tokens that come in one piece from a model that runs freely: a fifth of a second's, where they are fast.
constexpr double longest_piece_ms = 200;
constexpr std::size_t most_in_piece = 64;

using Clock = std::chrono::steady_clock;

const Clock::time_point program_start = Clock::now();

double milliseconds(Clock::duration time) { return std::chrono::duration<double, std::milli>(time).count(); }

engine::Result<std::vector<std::int32_t>> first_tokens(const engine::Model& model, const StepOptions& options) {
  if (!options.tokens.empty()) return options.tokens;
  if (options.has_prompt) return model.encode(options.prompt, options.special);
  if (!model.card.prompts.empty()) return model.encode(model.card.prompts.front(), options.special);
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

// What a step left that a line is made of.
struct Left {
  std::vector<float> logits;
  engine::StepCoefficients coefficients;
};

engine::Result<void> read(engine::Backend& backend, Left& left) {
  return backend.read_logits(0, left.logits).and_then([&] { return backend.read_coefficients(0, left.coefficients); });
}

// Steps tokens, looks at each and keeps what it saw.
class Walk {
 public:
  Walk(const engine::Model& model, engine::Backend& backend, const StepOptions& options, const GivenTokens& given,
       const TokenSeen& seen)
      : model_(model), backend_(backend), given_(given), seen_(seen), sampler_(options.sampler) {
    sampler_.seed = options.seed;
  }

  engine::Result<void> step_given(std::int32_t id);
  // All at once; only the last one is looked at.
  engine::Result<void> prefill_given(std::span<const std::int32_t> ids);
  // As many as there are to sample, in pieces, so that they are seen as they come.
  engine::Result<void> run_freely(std::size_t count);
  engine::Result<SteppedTokens> end();

 private:
  engine::Result<void> look(std::int32_t id, const Left& left);

  const engine::Model& model_;
  engine::Backend& backend_;
  const GivenTokens& given_;
  const TokenSeen& seen_;
  engine::Sampler sampler_;
  engine::Distribution distribution_;  // after the newest token
  std::vector<double> times_ms_;
  SteppedTokens out_;
};

engine::Result<void> Walk::step_given(std::int32_t id) {
  const std::int32_t ids[] = {id};
  const Clock::time_point start = Clock::now();
  if (auto stepped = backend_.step(ids, nullptr); !stepped) return stepped;
  const Clock::time_point end = Clock::now();
  times_ms_.push_back(milliseconds(end - start));
  if (out_.tokens.empty()) out_.first_token_ms = milliseconds(end - program_start);
  Left left;
  left.logits.resize(static_cast<std::size_t>(model_.config().padded_vocab()));
  return read(backend_, left).and_then([&] { return look(id, left); });
}

engine::Result<void> Walk::prefill_given(std::span<const std::int32_t> ids) {
  const Clock::time_point start = Clock::now();
  if (auto done = backend_.prefill(ids, nullptr); !done) return done;
  const Clock::time_point end = Clock::now();
  out_.prefill_ms = milliseconds(end - start);
  out_.first_token_ms = milliseconds(end - program_start);
  out_.prefilled.assign(ids.begin(), ids.end() - 1);
  Left left;
  left.logits.resize(static_cast<std::size_t>(model_.config().padded_vocab()));
  return read(backend_, left).and_then([&] { return look(ids.back(), left); });
}

engine::Result<void> Walk::run_freely(std::size_t count) {
  if (count == 0) return {};
  std::vector<Left> left;
  auto ready = backend_.publish({0, 0, [&left](const engine::Published& step) {
                                   left.push_back({step.logits, step.coefficients});
                                 }});
  if (!ready) return ready;
  for (std::size_t done = 0, piece = 1; done < count;) {
    std::vector<std::int32_t> ids(std::min(piece, count - done));
    left.clear();
    const Clock::time_point start = Clock::now();
    if (auto ran = backend_.generate(sampler_, ids); !ran) return ran;
    const double taken_ms = milliseconds(Clock::now() - start);
    for (std::size_t i = 0; i < ids.size(); ++i) {
      times_ms_.push_back(taken_ms / static_cast<double>(ids.size()));
      if (auto looked = look(ids[i], left[i]); !looked) return looked;
    }
    done += ids.size();
    piece = taken_ms < longest_piece_ms / 2 ? std::min(2 * piece, most_in_piece) : std::max<std::size_t>(1, piece / 2);
  }
  return backend_.publish({});
}

engine::Result<void> Walk::look(std::int32_t id, const Left& left) {
  const std::span<const float> choices = candidates(model_, left.logits);
  if (!engine::all_finite(choices)) {
    return engine::input_error(fmt::format(
        "The logits of {} are not finite, so there are no probabilities. Look for infinity or NaN in its weights.",
        model_.name));
  }
  const std::size_t t = out_.prefilled.size() + out_.tokens.size();
  SteppedToken token;
  token.position = static_cast<std::int64_t>(t);
  token.id = id;
  if (!out_.tokens.empty() && !model_.card.labels_positions())
    token.probability = distribution_.p[static_cast<std::size_t>(id)];
  token.origin = t >= given_.ids.size()                      ? engine::TokenOrigin::sampled
                 : t + given_.from_task >= given_.ids.size() ? engine::TokenOrigin::task
                                                             : engine::TokenOrigin::given;
  distribution_ = engine::softmax(choices);
  token.entropy_bits = engine::entropy_bits(distribution_);
  for (const std::int32_t best : engine::top_ids(choices, top_count)) {
    const auto at = static_cast<std::size_t>(best);
    token.top.push_back({best, choices[at], static_cast<float>(distribution_.p[at])});
  }
  token.state_norms = layer_norms(left.coefficients, static_cast<std::size_t>(model_.config().n_layer));
  if (!given_.truth.empty()) token.truth = given_.truth[t];
  if (token.truth == engine::not_known && out_.broken_at < 0) out_.broken_at = token.position;
  if (token.truth >= 0) {
    ++out_.asked;
    out_.right += token.top.front().id == token.truth ? 1 : 0;
  }
  out_.tokens.push_back(std::move(token));
  if (seen_) seen_(out_.tokens.back());
  return {};
}

engine::Result<SteppedTokens> Walk::end() {
  if (times_ms_.empty()) return std::move(out_);
  for (const double ms : times_ms_) out_.total_ms += ms;
  std::sort(times_ms_.begin(), times_ms_.end());
  out_.min_ms = times_ms_.front();
  out_.median_ms = times_ms_[times_ms_.size() / 2];
  return std::move(out_);
}

}  // namespace

engine::Result<GivenTokens> tokens_to_step(const engine::Model& model, const StepOptions& options) {
  if (!options.special && !model.tokenizer) {
    return engine::input_error(fmt::format(
        "--no-special leaves out what a tokenizer puts around a text, and {} has none. Leave it out.", model.name));
  }
  if (model.card.labels_positions() && options.sampler.kind != engine::Sampler::Kind::greedy) {
    return engine::input_error(fmt::format(
        "--sampler chooses tokens that a model predicts, and {} labels positions: its tokens are drawn from "
        "its task. Leave it out.",
        model.name));
  }
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
                                             model.takes_text() ? " or --prompt TEXT" : ""));
    }
    if (options.prefill && given.ids.size() < 2) {
      return engine::input_error("--prefill takes two tokens or more at once, and one is given. Leave it out.");
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
                                          const StepOptions& options, const GivenTokens& given, const TokenSeen& seen) {
  Walk walk(model, backend, options, given, seen);
  if (options.prefill && given.ids.size() > 1) {
    if (model.card.labels_positions()) {
      return tl::unexpected(engine::Error{
          engine::ErrorKind::input,
          fmt::format("{} answers at every token, and a prefill looks at the last one alone. Leave --prefill out.",
                      model.name)});
    }
    auto done = walk.prefill_given(given.ids).and_then(
        [&] { return walk.run_freely(static_cast<std::size_t>(given.sampled)); });
    return done ? walk.end() : tl::unexpected(done.error());
  }
  for (const std::int32_t id : given.ids) {
    if (auto stepped = walk.step_given(id); !stepped) return tl::unexpected(stepped.error());
  }
  return walk.run_freely(static_cast<std::size_t>(given.sampled)).and_then([&] { return walk.end(); });
}

}  // namespace app
