// mambascope step: tokens through a model, one line each, without a window.
#include "app/commands/command_line.h"
#include "app/commands/options.h"
#include "app/commands/preset_model.h"
#include "app/commands/progress.h"
#include "app/commands/sampler_options.h"
#include "app/commands/step_tokens.h"
#include "app/commands/text.h"
#include "engine/base/quote.h"
#include "engine/tasks/label.h"
#include "engine/tokenizer/text_stream.h"

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <optional>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

namespace app {

namespace {

using nlohmann::ordered_json;

const char* name_of(engine::TokenOrigin origin) {
  switch (origin) {
    case engine::TokenOrigin::given:
      return "given";
    case engine::TokenOrigin::sampled:
      return "sampled";
    case engine::TokenOrigin::task:
      return "task";
  }
  return "unknown";
}

ordered_json json_of(const engine::Model& model, const SteppedToken& token) {
  ordered_json top = ordered_json::array();
  for (const engine::TopToken& entry : token.top) {
    top.push_back({{"id", entry.id},
                   {"text", model.label(entry.id)},
                   {"logit", entry.logit},
                   {"probability", entry.probability}});
  }
  ordered_json out = {{"position", token.position},
                      {"id", token.id},
                      {"symbol", model.symbol(token.id)},
                      {"origin", name_of(token.origin)},
                      {"probability", token.probability < 0 ? ordered_json() : ordered_json(token.probability)},
                      {"predicted", token.top.front().id},
                      {"predicted_text", model.label(token.top.front().id)},
                      {"predicted_probability", token.top.front().probability},
                      {"entropy_bits", token.entropy_bits},
                      {"top", top},
                      {"state_norms", token.state_norms}};
  if (model.card.labels_positions()) {
    out["truth"] = token.truth < 0 ? ordered_json() : ordered_json(token.truth);
    out["truth_text"] = token.truth < 0 ? ordered_json() : ordered_json(model.label(token.truth));
  }
  return out;
}

std::vector<std::int32_t> ids_of(const SteppedTokens& stepped, bool only_sampled) {
  std::vector<std::int32_t> ids;
  if (!only_sampled) ids = stepped.prefilled;
  for (const SteppedToken& token : stepped.tokens) {
    if (!only_sampled || token.origin == engine::TokenOrigin::sampled) ids.push_back(token.id);
  }
  return ids;
}

// The text that ids spell out, line by line: what else is no printable character is escaped.
void print_text_of(const engine::Model& model, const SteppedTokens& stepped) {
  fmt::print("  text\n");
  std::istringstream lines(model.text_of(ids_of(stepped, false)));
  for (std::string line; std::getline(lines, line);) fmt::print("  | {}\n", engine::printable(line));
}

void print_json_result(const engine::Model& model, const engine::Backend& backend, const StepOptions& options,
                       const SteppedTokens& stepped) {
  ordered_json tokens = ordered_json::array();
  for (const SteppedToken& token : stepped.tokens) tokens.push_back(json_of(model, token));
  ordered_json out = {{"model", model.name},
                      {"backend", backend.info().name},
                      {"device", backend.info().device},
                      {"variant", backend.plan().variant},
                      {"state", backend.info().state},
                      {"lambda_override", lambda_override_json(model)},
                      {"seed", options.seed},
                      {"count", stepped.tokens.size()},
                      {"prefill", stepped.prefill_ms > 0 ? ordered_json({{"tokens", stepped.prefilled.size() + 1},
                                                                         {"chunked", backend.info().chunked_prefill},
                                                                         {"ms", stepped.prefill_ms}})
                                                         : ordered_json()},
                      {"ms_per_token", {{"min", stepped.min_ms}, {"median", stepped.median_ms}}},
                      {"tokens_per_s", stepped.tokens_per_s()},
                      {"start_to_first_token_ms", stepped.first_token_ms},
                      {"tokens", tokens}};
  if (model.has_text()) {
    out["text"] = model.text_of(ids_of(stepped, false));
    out["generated"] = model.text_of(ids_of(stepped, true));
  }
  if (model.card.labels_positions()) {
    out["grammar_broken_at"] = stepped.broken_at < 0 ? ordered_json() : ordered_json(stepped.broken_at);
  }
  if (stepped.asked > 0) out["accuracy"] = static_cast<double>(stepped.right) / static_cast<double>(stepped.asked);
  print_json(out);
}

std::string label_of(const engine::Model& model, std::int32_t id) { return engine::printable(model.label(id)); }

void print_title(const engine::Model& model, const engine::Backend& backend) {
  const bool labels = model.card.labels_positions();
  fmt::print("{} on {} ({}){}\n", model.name, backend.info().name, backend.info().device, lambda_override_words(model));
  fmt::print("  {:>6}  {:<7} {:>7} {:<12} {:>8}  {:<22} {:<10} {}\n", "token", "origin", "id", "symbol",
             labels ? "" : "p(token)", labels ? "predicts" : "next", labels ? "truth" : "", "state norm of each layer");
}

void print_line(const engine::Model& model, const SteppedToken& token) {
  std::string norms;
  for (const double norm : token.state_norms) norms += fmt::format(" {:.4g}", norm);
  const std::string p = token.probability < 0 ? "" : fmt::format("{:.4f}", token.probability);
  const std::string best =
      fmt::format("{} {:.4f}", label_of(model, token.top.front().id), token.top.front().probability);
  const std::string truth = token.truth == engine::not_known      ? "?"
                            : token.truth < 0                     ? ""
                            : token.truth == token.top.front().id ? label_of(model, token.truth)
                                                                  : label_of(model, token.truth) + " !";
  fmt::print("  {:>6}  {:<7} {:>7} {:<12} {:>8}  {:<22} {:<10}{}\n", token.position, name_of(token.origin), token.id,
             engine::printable(model.symbol(token.id)), p, best, truth, norms);
  std::fflush(stdout);
}

void print_end(const engine::Model& model, const engine::Backend& backend, const SteppedTokens& stepped) {
  if (model.has_text()) print_text_of(model, stepped);
  if (stepped.asked > 0) fmt::print("  right: {} of {} positions\n", stepped.right, stepped.asked);
  if (stepped.broken_at >= 0) {
    const std::int32_t id = stepped.tokens[static_cast<std::size_t>(stepped.broken_at)].id;
    fmt::print("  truth: not known from token {} on, where {} breaks the grammar of {}\n", stepped.broken_at,
               engine::in_quotes(model.symbol(id)), model.card.task);
  }
  if (stepped.prefill_ms > 0) {
    const std::size_t count = stepped.prefilled.size() + 1;
    fmt::print("  {} tokens were {} in {:.1f} ms, {:.1f} tokens/s; only what the last one predicts was looked at\n",
               count, backend.info().chunked_prefill ? "prefilled" : "stepped (this backend has no parallel form)",
               stepped.prefill_ms, 1e3 * static_cast<double>(count) / stepped.prefill_ms);
  }
  fmt::print(
      "  {:.4f} ms a token (median), {:.1f} tokens/s over the whole run; from the program's start to the first token "
      "{:.3g} s\n",
      stepped.median_ms, stepped.tokens_per_s(), stepped.first_token_ms / 1e3);
}

// Text as it comes: lines break, anything else that is no printable character is escaped.
void print_piece(std::string_view text) {
  fmt::print("{}", printable_lines(text));
  std::fflush(stdout);
}

int step(StepOptions options) {
  const auto model = open_model_or_preset(options, options.preset, "step");
  if (!model) return report(model.error());
  if (!options.preset.empty() && options.tokens.empty() && !options.has_prompt) options.tokens = {0};
  auto given = tokens_to_step(**model, options);
  if (!given) return report(given.error());
  if (options.stream && !(*model)->has_text()) {
    return report(
        {engine::ErrorKind::input, fmt::format("--stream prints text, and the tokens of {} spell none. {}",
                                               engine::in_quotes((*model)->name), (*model)->tokenizer_fault)});
  }
  engine::TextStream stream((*model)->tokenizer.get());
  auto backend = engine::make_backend((*model)->weights, backend_options(options));
  if (!backend) return report(backend.error());
  const std::size_t count = given->ids.size() + static_cast<std::size_t>(given->sampled);
  std::optional<Progress> progress;
  if (options.json) progress.emplace("step");
  bool first = true;
  const auto seen = [&](const SteppedToken& token) {
    if (progress) {
      progress->show(static_cast<double>(token.position + 1) / static_cast<double>(count));
    } else if (options.stream) {
      // What was prefilled before the first one that is seen.
      for (std::int64_t t = 0; first && t < token.position; ++t) {
        print_piece(stream.push(given->ids[static_cast<std::size_t>(t)]));
      }
      print_piece(stream.push(token.id));
    } else {
      if (first) print_title(**model, **backend);
      print_line(**model, token);
    }
    first = false;
  };
  const auto stepped = step_tokens(**model, **backend, options, *given, seen);
  progress.reset();
  if (!stepped) return report(stepped.error());
  if (options.json) {
    print_json_result(**model, **backend, options, *stepped);
  } else if (options.stream) {
    print_piece(stream.finish() + "\n");
  } else {
    print_end(**model, **backend, *stepped);
  }
  return 0;
}

}  // namespace

void add_step(CLI::App& program, Action& action) {
  auto options = std::make_shared<StepOptions>();
  CLI::App* command = program.add_subcommand(
      "step", "Step a model token by token; print tokens, probabilities and the state norm of each layer");
  CLI::Option* model = add_model_option(*command, *options);
  add_preset_option(*command, options->preset, model);
  CLI::Option* prompt = command->add_option(
      "--prompt", options->prompt,
      "Text to consume first: in the model's symbols, or any text where it has a tokenizer or its tokens are bytes");
  command->add_flag_callback(
      "--no-special", [options] { options->special = false; },
      "Without the special tokens that the tokenizer puts around a text, such as <|begin_of_text|>");
  command->add_flag("--prefill", options->prefill,
                    "Take the given tokens at once, in the chunked parallel form where the backend has it (cuda, "
                    "reference); what each of them but the last predicts is not printed, so not for models that label "
                    "positions");
  command->add_flag("--stream", options->stream, "Print the text alone, as it comes");
  add_tokens_option(*command, options->tokens, "Token ids to consume first, e.g. 1,2,3")->excludes(prompt);
  command
      ->add_option("--steps", options->steps,
                   "Tokens to step after those: sampled, or drawn from the task of a model that labels positions")
      ->check(whole_number_in(0, 1 << 24))
      ->capture_default_str();
  add_sampler_option(*command, options->sampler);
  add_seed_option(*command, *options);
  add_backend_options(*command, *options);
  add_json_option(*command, *options);
  command->footer(
      "Without --prompt and --tokens the model's example prompt is consumed; a preset has none and takes token 0.\n"
      "Examples:\n  mambascope step parity --prompt 10110 --steps 8\n"
      "  mambascope step path/to/model --tokens 1,2,3 --steps 20 --sampler top-p --seed 7 --json\n"
      "  mambascope step --preset siso-1.5b --steps 16\n"
      "  mambascope step path/to/model --prompt \"$(cat page.txt)\" --prefill --steps 40 --stream");
  command->get_option("--stream")->excludes("--json");
  command->get_option("--no-special")->excludes("--tokens");
  command->callback([options, prompt, command, &action] {
    options->has_prompt = prompt->count() > 0;
    refuse_idle_settings(*command, {options->sampler.kind}, "--sampler");
    action = [options] { return step(*options); };
  });
}

}  // namespace app
