// mambascope effect: what a model does when it runs with another lambda: Euler's, the trapezoid's, any.
#include "app/commands/command_line.h"
#include "app/commands/effect_output.h"
#include "app/commands/effect_report.h"
#include "app/commands/options.h"
#include "app/commands/output_file.h"
#include "app/commands/progress.h"
#include "app/commands/step_tokens.h"

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>
#include <numeric>

namespace app {

namespace {

struct Options : StepOptions {
  std::vector<double> lambdas{1.0, 0.5};
  engine::EvaluateOptions evaluate{256, 0, 0};
  std::string csv;
};

constexpr int batch_of_task = 32, best_ids = 5;

engine::Result<void> measure_accuracy(const Options& options, const engine::Model& model, EffectResult& result) {
  const auto task = engine::task_of(model, "");
  if (!task) return tl::unexpected(task.error());
  result.task = (*task)->name;
  auto backend = engine::make_backend(model.weights,
                                      backend_options(options, std::min(batch_of_task, options.evaluate.sequences)));
  if (!backend) return tl::unexpected(backend.error());
  Progress progress(fmt::format("{} on {}", model.name, (*task)->name));
  std::vector<double> runs = {-1};
  runs.insert(runs.end(), options.lambdas.begin(), options.lambdas.end());
  for (std::size_t run = 0; run < runs.size(); ++run) {
    auto counted = engine::evaluate_with_lambda(
        **backend, model.config(), **task, runs[run], options.evaluate, [&](const engine::EvaluationProgress& now) {
          progress.show((static_cast<double>(run) + now.done) / static_cast<double>(runs.size()));
          return true;
        });
    if (!counted) return tl::unexpected(counted.error());
    result.accuracy.push_back(std::move(*counted));
  }
  return {};
}

engine::Result<EffectResult> run(Options& options, const engine::Model& model) {
  EffectResult result;
  if (options.evaluate.sequences > 0) {  // before anything that takes long
    if (const auto task = engine::task_of(model, ""); !task) return tl::unexpected(task.error());
  }
  result.lambdas = options.lambdas;
  result.seed = options.seed;
  auto given = tokens_to_step(model, options);
  if (!given) return tl::unexpected(given.error());
  // Sampled tokens are the model's own: all runs read the same.
  if (given->sampled > 0) {
    auto alone = engine::make_backend(model.weights, backend_options(options));
    if (!alone) return tl::unexpected(alone.error());
    const auto stepped = step_tokens(model, **alone, options, *given);
    if (!stepped) return tl::unexpected(stepped.error());
    given->ids.clear();
    for (const SteppedToken& token : stepped->tokens) given->ids.push_back(token.id);
  }
  auto backend =
      engine::make_backend(model.weights, backend_options(options, 1 + static_cast<int>(options.lambdas.size())));
  if (!backend) return tl::unexpected(backend.error());
  result.backend = (*backend)->info().name;
  result.device = (*backend)->info().device;
  {
    Progress progress("effect");
    auto tokens = engine::lambda_effect(**backend, model, given->ids, options.lambdas, best_ids, [&](double done) {
      progress.show(done);
      return true;
    });
    if (!tokens) return tl::unexpected(tokens.error());
    result.tokens = std::move(*tokens);
  }
  result.truth = std::move(given->truth);
  if (options.evaluate.sequences > 0) {
    options.evaluate.seed = options.seed;
    result.evaluate = options.evaluate;
    if (auto done = measure_accuracy(options, model, result); !done) return tl::unexpected(done.error());
  }
  return result;
}

int effect(Options options) {
  if (const auto writable = check_outputs({options.csv}); !writable) return report(writable.error());
  const auto model = load_model(options);
  if (!model) return report(model.error());
  const auto result = run(options, **model);
  if (!result) return report(result.error());
  return print_effect(options, options.csv, **model, *result, effect_json, effect_text, effect_csv);
}

}  // namespace

void add_effect(CLI::App& program, Action& action) {
  auto options = std::make_shared<Options>();
  CLI::App* command = program.add_subcommand(
      "effect", "Run a model beside itself with lambda fixed (1: Euler, 0.5: trapezoid): what that does to it");
  add_model_option(*command, *options)->required();
  CLI::Option* prompt = command->add_option(
      "--prompt", options->prompt,
      "Text to consume: in the model's symbols, or any text where it has a tokenizer or its tokens are bytes");
  add_tokens_option(*command, options->tokens, "Token ids to consume, e.g. 1,2,3")->excludes(prompt);
  command
      ->add_option("--steps", options->steps,
                   "Tokens after those: the model's own likeliest, or drawn from the task of a model that labels "
                   "positions")
      ->check(whole_number_in(0, 1 << 20))
      ->capture_default_str();
  command->add_option("--lambda", options->lambdas, "The lambdas that run beside the model's own, 0 to 1")
      ->delimiter(',')
      ->check(number_in(0, 1))
      ->expected(1, 16)
      ->capture_default_str();
  command
      ->add_option("--sequences", options->evaluate.sequences,
                   "Measure the accuracy of each run too, over so many sequences of the model's task; 0: do not")
      ->check(whole_number_in(0, 1 << 24))
      ->capture_default_str();
  command->add_option("--length", options->evaluate.length, "Tokens in each of those sequences")
      ->check(whole_number_in(1, 1 << 20))
      ->capture_default_str();
  add_output_option(*command, "--csv", options->csv, "Write one line for each token and run", "FILE.csv");
  add_seed_option(*command, *options);
  add_backend_options(*command, *options);
  add_json_option(*command, *options);
  command->footer(
      "All runs read the same tokens, as sequences of one batch. KL is that of the run from the model as it is, after\n"
      "each token; state distance compares un-rotated states. An effect on the model, not an error: none of the runs "
      "is\n"
      "the truth, and the model was trained with its own lambda.\n\n"
      "--json: model, backend, device, seed, tokens (for each position, id, symbol, and runs: lambda (null: its own),\n"
      "predicted, predicted_text, entropy_bits, kl_bits, next_bits (null: nothing follows), state_distance by layer, "
      "top),\n"
      "summary (of each run) and, with --sequences, accuracy.\n\n"
      "Examples:\n  mambascope effect modular --steps 64 --sequences 200\n"
      "  mambascope effect austen-siso --prompt \"It is a truth universally acknowledged\" --json\n"
      "  mambascope effect parity --prompt 10110 --lambda 1,0.5,0.25 --csv effect.csv");
  command->callback([options, prompt, command, &action] {
    options->has_prompt = prompt->count() > 0;
    refuse_idle(*command, "--length", options->evaluate.sequences > 0, "--sequences 1 or more");
    action = [options] { return effect(*options); };
  });
}

}  // namespace app
