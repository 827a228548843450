#include "app/commands/parity.h"

#include "app/commands/parity_report.h"
#include "app/commands/progress.h"
#include "engine/intervention/no_effect.h"
#include "engine/intervention/text.h"
#include "engine/verify/parity_bench.h"
#include "engine/verify/planted_error.h"

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <memory>
#include <optional>

namespace app {

namespace {

using engine::BackendChoice;

// Those of the backend that was asked for; all without one.
void keep_asked(std::vector<engine::ParityCandidate>& candidates, BackendChoice choice) {
  if (choice == BackendChoice::automatic) return;
  const std::string name = choice == BackendChoice::cpu ? "cpu" : choice == BackendChoice::cuda ? "cuda" : "reference";
  candidates.erase(std::remove_if(candidates.begin(), candidates.end(),
                                  [&](const auto& candidate) { return candidate.name.rfind(name, 0) != 0; }),
                   candidates.end());
}

// A bench under interventions that change nothing shows that backends agree without them.
struct Found {
  engine::ParityReport report;
  std::vector<std::string> without_effect;
};

engine::Result<Found> bench(const ParityOptions& options, const engine::Model& model) {
  const auto given = tokens_to_step(model, options);
  if (!given) return tl::unexpected(given.error());
  auto changes = engine::parse_interventions(options.changes, model.config());
  if (!changes) return tl::unexpected(changes.error());
  std::shared_ptr<const engine::Weights> planted;
  if (!options.plant.empty()) {
    auto made = engine::parse_planted_error(options.plant).and_then([&](const engine::PlantedError& error) {
      return engine::plant(model.weights, error);
    });
    if (!made) return tl::unexpected(made.error());
    planted = std::move(*made);
  }
  auto candidates = engine::parity_candidates(planted ? *planted : model.weights, options.threads);
  keep_asked(candidates, options.backend);
  Progress progress("verify");
  engine::ParityOptions how;
  how.rtol = options.rtol;
  how.interventions = std::move(*changes);
  auto report = engine::run_parity_bench(model.weights, given->ids, candidates, how,
                                         [&](const engine::ParityReport&, const std::string&, double done) {
                                           progress.show(done);
                                           return true;
                                         });
  if (!report) return tl::unexpected(report.error());
  return Found{std::move(*report), engine::without_effect(how.interventions, model.config(),
                                                          static_cast<std::int64_t>(given->ids.size()), false)};
}

}  // namespace

CLI::Option* add_parity_options(CLI::App& command, ParityOptions& options) {
  CLI::Option* parity = command.add_flag(
      "--parity", options.parity,
      "In place of a golden file: what every backend of this machine leaves behind the last token of a text, per layer "
      "and tensor, beside the reference in double precision, twice each. --backend keeps to one");
  CLI::Option* prompt = command.add_option("--prompt", options.prompt, "With --parity: the text, as step takes it");
  prompt->needs(parity);
  add_tokens_option(command, options.tokens, "With --parity: the text as token ids, e.g. 1,2,3")
      ->excludes(prompt)
      ->needs(parity);
  command.add_option("--change", options.changes, "With --parity: an intervention in force, as intervene takes it")
      ->expected(1)
      ->take_all()
      ->type_name("TEXT")
      ->needs(parity);
  command
      .add_option("--plant", options.plant,
                  "With --parity: turn the sign of one weight in every candidate, such as layers.0.mixer.D[1], to see "
                  "that it is found")
      ->type_name("TENSOR[I]")
      ->check(not_empty("the name of a weight"))
      ->needs(parity);
  return prompt;
}

int run_parity(const ParityOptions& options) {
  const auto model = load_model(options);
  if (!model) return report(model.error());
  const auto found = bench(options, **model);
  if (!found) return report(found.error());
  const engine::ParityReport& measured = found->report;
  if (options.json) {
    nlohmann::ordered_json out = parity_json(**model, measured);
    if (!options.changes.empty()) out["without_effect"] = found->without_effect;
    print_json(out);
  } else {
    fmt::print("{}", parity_text(**model, measured));
  }
  for (const std::string& words : found->without_effect) fmt::print(stderr, "mambascope: {}\n", words);
  if (!measured.cancelled && !measured.compared())
    return report({engine::ErrorKind::system, "Nothing was compared: no backend that was asked for can run here."});
  return measured.pass() ? 0 : 1;
}

}  // namespace app
