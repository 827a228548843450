// mambascope eval: the accuracy of a model on a task whose truth is known, or its bits per byte on a text.
#include "app/commands/command_line.h"
#include "app/commands/eval_text.h"
#include "app/commands/options.h"
#include "app/commands/progress.h"
#include "app/commands/text.h"
#include "engine/base/quote.h"
#include "engine/tasks/evaluate.h"

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <chrono>

namespace app {

namespace {

struct Options : CommonOptions {
  std::string task, text;
  bool has_sequences = false;
  int batch = 32;
  engine::EvaluateOptions evaluate;
};

// The accuracy on prefixes, where they hold a label.
nlohmann::ordered_json by_length(const engine::Evaluation& result) {
  nlohmann::ordered_json rows = nlohmann::ordered_json::array();
  for (const int length : engine::told_lengths(result.length())) {
    const engine::LabelCounts counts = result.counts(0, length);
    if (counts.labelled == 0) continue;
    rows.push_back({{"length", length},
                    {"accuracy", counts.accuracy()},
                    {"scaled_accuracy", engine::scaled_accuracy(counts.accuracy(), result.classes)},
                    {"positions", counts.labelled}});
  }
  return rows;
}

int eval(Options options) {
  const auto model = load_model(options);
  if (!model) return report(model.error());
  if (!options.text.empty() || (options.task.empty() && (*model)->card.kind == "next-token")) {
    if (options.has_sequences) {
      return report({engine::ErrorKind::input,
                     fmt::format("--sequences counts those of a task, and {} predicts a text. Leave it out.",
                                 engine::in_quotes((*model)->name))});
    }
    return eval_text(options, **model, {options.text, options.evaluate.length, options.batch});
  }
  const auto task = engine::task_of(**model, options.task);
  if (!task) return report(task.error());
  options.evaluate.seed = options.seed;
  auto backend = engine::make_backend((*model)->weights,
                                      backend_options(options, std::min(options.batch, options.evaluate.sequences)));
  if (!backend) return report(backend.error());

  const auto start = std::chrono::steady_clock::now();
  engine::Result<engine::Evaluation> result;
  {
    Progress progress(fmt::format("{} on {}", (*model)->name, (*task)->name));
    result = engine::evaluate(**backend, (*model)->config(), **task, options.evaluate,
                              [&](const engine::EvaluationProgress& now) {
                                progress.show(now.done);
                                return true;
                              });
  }
  if (!result) return report(result.error());
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();

  const bool judged = result->total().labelled > 0;
  if (options.json) {
    print_json({{"model", (*model)->name},
                {"task", (*task)->name},
                {"length", options.evaluate.length},
                {"sequences", options.evaluate.sequences},
                {"seed", options.seed},
                {"accuracy", judged ? nlohmann::ordered_json(result->accuracy()) : nullptr},
                {"classes", result->classes},
                {"scaled_accuracy", judged ? nlohmann::ordered_json(result->scaled_accuracy()) : nullptr},
                {"positions", result->total().labelled},
                {"right", result->total().right},
                {"by_length", by_length(*result)},
                {"lambda_override", lambda_override_json(**model)},
                {"backend", (*backend)->info().name},
                {"seconds", seconds}});
    return 0;
  }
  fmt::print("{} on {} ({}), {}{}\n", (*model)->name, (*task)->name, (*task)->description, (*backend)->info().device,
             lambda_override_words(**model));
  if (!judged) {
    fmt::print("  No position of these sequences has a label: there is nothing to judge. Give a longer --length.\n");
    return 0;
  }
  fmt::print("  accuracy         {:.3f} % of {} labelled positions ({} sequences of length {}, seed {})\n",
             100 * result->accuracy(), grouped(result->total().labelled), grouped(options.evaluate.sequences),
             options.evaluate.length, options.seed);
  fmt::print("  scaled accuracy  {:.4f} (0: chance among {} classes, 1: all right)\n", result->scaled_accuracy(),
             result->classes);
  fmt::print("  up to length    ");
  for (const int length : engine::told_lengths(result->length())) {
    const engine::LabelCounts counts = result->counts(0, length);
    if (counts.labelled > 0)
      fmt::print(" {}: {:.3f} %{}", length, 100 * counts.accuracy(), length < result->length() ? "," : "");
  }
  fmt::print("\n  time             {:.2f} s\n", seconds);
  return 0;
}

}  // namespace

void add_eval(CLI::App& program, Action& action) {
  auto options = std::make_shared<Options>();
  CLI::App* command = program.add_subcommand(
      "eval", "Measure a model's accuracy on a task generated from a seed, or its bits per byte on a text");
  add_model_option(*command, *options)->required();
  CLI::Option* task = command->add_option("--task", options->task, "The task; the model's own when absent")
                          ->check(not_empty("the name of a task"))
                          ->type_name("NAME");
  command
      ->add_option(
          "--text", options->text,
          "A text to predict, for a model with a tokenizer or of bytes; the held_out.txt beside its config when absent")
      ->check(not_empty("the name of a file"))
      ->type_name("FILE")
      ->excludes(task);
  command->add_option("--length", options->evaluate.length, "Tokens in each sequence, or predicted from a fresh state")
      ->check(whole_number_in(1, 1 << 20))
      ->capture_default_str();
  command->add_option("--sequences", options->evaluate.sequences, "Number of sequences of a task")
      ->check(whole_number_in(1, 1 << 24))
      ->capture_default_str();
  command->add_option("--batch", options->batch, "Sequences stepped at a time; does not change the result")
      ->check(whole_number_in(1, 4096))
      ->capture_default_str();
  add_seed_option(*command, *options);
  add_backend_options(*command, *options);
  add_json_option(*command, *options);
  command->footer(
      "Examples:\n  mambascope eval parity\n  mambascope eval parity --length 512 --sequences 200 --seed 7 --json\n"
      "  mambascope eval path/to/model --text book.txt --length 1024");
  command->get_option("--sequences")->excludes("--text");
  command->callback([options, command, &action] {
    options->has_sequences = command->get_option("--sequences")->count() > 0;
    action = [options] { return eval(*options); };
  });
}

}  // namespace app
