// mambascope verify: a backend against known outputs of a model, in double precision.
#include "app/commands/command_line.h"
#include "app/commands/options.h"
#include "app/commands/parity.h"
#include "engine/base/quote.h"
#include "engine/formats/safetensors.h"
#include "engine/verify/golden.h"
#include "engine/verify/twin.h"

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <limits>
#include <optional>
#include <utility>
#include <vector>

namespace app {

namespace {

using nlohmann::ordered_json;

struct Options : ParityOptions {
  std::string golden;
  bool prefill_too = false;
};

// A golden file comes from a state that is not rounded. Beside it a bf16 state's differences are what the rounding costs,
// and whether the backend computes the right thing is judged step by step.
struct Outcome {
  struct Prefill {
    std::size_t piece = 0;  // tokens at a time
    engine::GoldenReport golden;
  };
  engine::GoldenReport golden;
  std::optional<engine::TwinReport> steps;  // with a bf16 state
  std::vector<Prefill> prefills;
  bool pass = false;
};

// The file's text prefilled: whole, in two, and in pieces around a chunk's length and far below.
engine::Result<void> verify_prefill(const engine::Model& model, engine::Backend& backend,
                                    const engine::TensorFile& golden, double rtol, Outcome& outcome) {
  const auto tokens = static_cast<std::size_t>(outcome.golden.tokens);
  for (const std::size_t piece : {tokens, (tokens + 1) / 2, std::size_t{64}, std::size_t{7}, std::size_t{1}}) {
    if (!outcome.prefills.empty() && piece >= outcome.prefills.back().piece) continue;
    auto compared = engine::compare_with_golden(backend, model.config(), golden, 0, piece);
    if (!compared) return tl::unexpected(compared.error());
    outcome.pass = outcome.pass && compared->pass(rtol);
    outcome.prefills.push_back({piece, std::move(*compared)});
  }
  return {};
}

// The state that differs most.
const engine::StateDifference& worst_state(const engine::GoldenReport& report) {
  return *std::max_element(report.states.begin(), report.states.end(),
                           [](const auto& a, const auto& b) { return a.difference.max_rel < b.difference.max_rel; });
}

engine::Result<Outcome> outcome_of(const engine::Model& model, engine::Backend& backend,
                                   const engine::TensorFile& golden, double rtol) {
  Outcome outcome;
  auto compared = engine::compare_with_golden(backend, model.config(), golden);
  if (!compared) return tl::unexpected(compared.error());
  outcome.golden = std::move(*compared);
  outcome.pass = outcome.golden.pass(rtol);
  if (backend.info().state != "bf16") return outcome;
  engine::BackendOptions options;
  options.choice = engine::BackendChoice::cpu;
  const auto twin = engine::make_backend(model.weights, options);
  if (!twin) return tl::unexpected(twin.error());
  auto steps = engine::compare_with_twin(backend, **twin, model.config(), static_cast<int>(outcome.golden.tokens));
  if (!steps) return tl::unexpected(steps.error());
  outcome.pass = steps->pass(rtol);
  outcome.steps = std::move(*steps);
  return outcome;
}

ordered_json json_of(const engine::Difference& difference) {
  return {{"max_abs", difference.max_abs}, {"max_rel", difference.max_rel}};
}

void print_report(const Options& options, const engine::Model& model, const engine::Backend& backend,
                  const Outcome& outcome) {
  const engine::GoldenReport& result = outcome.golden;
  fmt::print("{} on {} ({}), {} variant, state {}, {} tokens against {}{}\n", model.name, backend.info().name,
             backend.info().device, backend.plan().variant, backend.info().state, result.tokens,
             engine::printable(options.golden), lambda_override_words(model));
  const auto line = [](const std::string& name, const engine::Difference& difference, const char* note) {
    fmt::print("  {:<22} {:>12.3e} {:>12.3e}{}\n", name, difference.max_abs, difference.max_rel, note);
  };
  const auto mark = [&](const engine::Difference& d) {
    return outcome.steps || d.max_rel <= options.rtol ? "" : "  FAILED";
  };
  fmt::print("  {:<22} {:>12} {:>12}\n", "largest difference", "absolute", "relative");
  line("logits", result.logits, mark(result.logits));
  for (const engine::StateDifference& state : result.states) {
    line(fmt::format("layer {} {}", state.layer, state.name), state.difference, mark(state.difference));
  }
  if (result.has_official) line("official logits", result.official, "  (their kernels round; not judged)");
  if (result.states.empty() && !outcome.steps) fmt::print("  the file holds no state to compare with  FAILED\n");
  fmt::print("  the likeliest token agrees for {:.2f} % of the tokens\n", 100 * result.argmax_agreement);
  if (!outcome.prefills.empty()) {
    fmt::print("  prefilled{}\n", backend.info().chunked_prefill ? "" : " (this backend steps)");
    for (const Outcome::Prefill& prefill : outcome.prefills) {
      const engine::StateDifference* state = prefill.golden.states.empty() ? nullptr : &worst_state(prefill.golden);
      fmt::print("  {:<22} {:>12.3e} {:>12.3e}{}\n", fmt::format("{} at a time: logits", prefill.piece),
                 prefill.golden.logits.max_abs, prefill.golden.logits.max_rel, mark(prefill.golden.logits));
      if (state == nullptr) continue;
      line(fmt::format("  layer {} {}", state->layer, state->name), state->difference, mark(state->difference));
    }
  }
  if (outcome.steps) {
    fmt::print(
        "These differences are what a bf16 state costs, and are not judged. Step by step, each from the same state, "
        "the "
        "cpu\nbackend agrees but for the rounding of the state and {:.3e}, in {}, over {} tokens.\n",
        outcome.steps->worst, outcome.steps->where, outcome.steps->tokens);
  }
  fmt::print("{}: relative tolerance {:g}\n", outcome.pass ? "pass" : "FAIL", options.rtol);
}

int verify(const Options& options) {
  if (options.golden.empty()) {
    return report({engine::ErrorKind::input, "There is nothing to compare with. Give --golden FILE, or --parity."});
  }
  const auto model = load_model(options);
  if (!model) return report(model.error());
  const auto golden = engine::read_safetensors(options.golden);
  if (!golden) return report(golden.error());
  auto backend = engine::make_backend((*model)->weights, backend_options(options));
  if (!backend) return report(backend.error());
  if (options.prefill_too && (*backend)->info().state == "bf16") {
    return report({engine::ErrorKind::input, "A prefill is verified with an fp32 state. Leave --state out."});
  }
  auto outcome = outcome_of(**model, **backend, *golden, options.rtol);
  if (!outcome) return report(outcome.error());
  if (options.prefill_too) {
    if (auto done = verify_prefill(**model, **backend, *golden, options.rtol, *outcome); !done) {
      return report(done.error());
    }
  }
  if (!options.json) {
    print_report(options, **model, **backend, *outcome);
    return outcome->pass ? 0 : 1;
  }
  const engine::GoldenReport* result = &outcome->golden;
  ordered_json states = ordered_json::array();
  for (const engine::StateDifference& state : result->states) {
    states.push_back({{"layer", state.layer},
                      {"name", state.name},
                      {"max_abs", state.difference.max_abs},
                      {"max_rel", state.difference.max_rel}});
  }
  ordered_json out = {{"model", (*model)->name},
                      {"golden", options.golden},
                      {"backend", (*backend)->info().name},
                      {"device", (*backend)->info().device},
                      {"variant", (*backend)->plan().variant},
                      {"state", (*backend)->info().state},
                      {"lambda_override", lambda_override_json(**model)},
                      {"tokens", result->tokens},
                      {"rtol", options.rtol},
                      {"pass", outcome->pass},
                      {"logits", json_of(result->logits)},
                      {"states", states},
                      {"argmax_agreement", result->argmax_agreement}};
  if (result->has_official) out["official"] = {{"logits", json_of(result->official)}};
  if (outcome->steps) {
    out["step_by_step"] = {{"against", "cpu"},
                           {"tokens", outcome->steps->tokens},
                           {"worst_difference", outcome->steps->worst},
                           {"worst_at", outcome->steps->where}};
  }
  for (const Outcome::Prefill& prefill : outcome->prefills) {
    ordered_json one = {{"tokens_at_a_time", prefill.piece},
                        {"chunked", (*backend)->info().chunked_prefill},
                        {"logits", json_of(prefill.golden.logits)}};
    if (!prefill.golden.states.empty()) {
      const engine::StateDifference& state = worst_state(prefill.golden);
      one["worst_state"] = {{"layer", state.layer}, {"name", state.name}, {"max_rel", state.difference.max_rel}};
    }
    out["prefill"].push_back(std::move(one));
  }
  print_json(out);
  return outcome->pass ? 0 : 1;
}

}  // namespace

void add_verify(CLI::App& program, Action& action) {
  auto options = std::make_shared<Options>();
  CLI::App* command = program.add_subcommand(
      "verify",
      "Compare logits and every state tensor with a golden file, or all backends with the reference; exit code 1 where "
      "they differ");
  add_model_option(*command, *options)->required();
  CLI::Option* golden =
      command
          ->add_option("--golden", options->golden,
                       "safetensors with input_ids, reference.logits and reference.state.<layer>.{angle,ssm,k,v}")
          ->type_name("FILE");
  command
      ->add_option("--rtol", options->rtol,
                   "Largest difference allowed, relative to the largest reference value of a tensor")
      ->check(number_in(0, std::numeric_limits<double>::max()))
      ->capture_default_str();
  command->add_flag(
      "--prefill", options->prefill_too,
      "With --golden: also prefill the text: whole, in two, and 64, 7 and 1 tokens at a time; each against the file");
  CLI::Option* prompt = add_parity_options(*command, *options);
  command->get_option("--parity")->excludes(golden)->excludes("--prefill");
  add_backend_options(*command, *options);
  add_json_option(*command, *options);
  command->footer(
      "Examples:\n  mambascope verify path/to/model --golden path/to/golden.safetensors\n"
      "  mambascope verify path/to/model --golden golden.safetensors --backend reference --rtol 1e-6 --json\n"
      "  mambascope verify path/to/model --golden golden.safetensors --backend cuda --prefill\n"
      "  mambascope verify parity --parity --prompt 1011001\n"
      "  mambascope verify parity-mimo --parity --plant layers.0.mixer.B_bias[5]");
  command->callback([options, prompt, command, &action] {
    options->has_prompt = prompt->count() > 0;
    for (const char* name : {"--variant", "--products", "--state"}) {
      if (!options->parity || command->get_option(name)->count() == 0) continue;
      throw CLI::ValidationError(fmt::format(
          "{} has no meaning with --parity, which runs every variant of a backend. Leave it out; --backend cuda keeps "
          "to the GPU's.",
          name));
    }
    action = [options] { return options->parity ? run_parity(*options) : verify(*options); };
  });
}

}  // namespace app
