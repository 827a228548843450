// mambascope intervene: what changing a quantity of the step does to a model, beside random changes of the same size; how
// it grows with its strength; and what part of the state carries an answer.
#include "app/commands/command_line.h"
#include "app/commands/effect_output.h"
#include "app/commands/intervene_report.h"
#include "app/commands/options.h"
#include "app/commands/output_file.h"
#include "app/commands/progress.h"
#include "app/commands/step_tokens.h"
#include "engine/effect/presets.h"
#include "engine/intervention/sequence_interventions.h"
#include "engine/intervention/text.h"
#include "engine/recording/recorded_state.h"

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>

namespace app {

namespace {

struct Options : StepOptions {
  std::vector<std::string> changes, presets;
  int controls = 0;
  std::string control = "state";
  std::vector<double> strengths;
  engine::EvaluateOptions evaluate{256, 0, 0};
  std::vector<std::string> base;  // in force in every run
  std::string donor, donor_recording, grid = "heads";
  int patch_after = -1;  // -1: in the middle
  int donor_at = -1;     // -1: after the donor's last token
  CLI::Option *grid_option = nullptr, *controls_option = nullptr, *sequences_option = nullptr;

  bool patches() const { return !donor.empty() || !donor_recording.empty(); }
  std::string csv;
};

constexpr int best_ids = 5;
constexpr std::int64_t most_task_tokens = std::int64_t{1} << 26U;
constexpr std::size_t state_memory = std::size_t{1} << 30U;  // bytes of states that are stepped side by side

bool progressed(Progress& progress, double done) {
  progress.show(done);
  return true;
}

// The presets' interventions, then those that were written.
engine::Result<std::vector<engine::Intervention>> interventions_of(const Options& options, const engine::Model& model,
                                                                   const std::vector<std::int32_t>& ids) {
  std::vector<engine::Intervention> list;
  if (!options.presets.empty()) {
    engine::MeanDt mean;
    if (std::find(options.presets.begin(), options.presets.end(), "freeze-dt") != options.presets.end()) {
      auto backend = engine::make_backend(model.weights, backend_options(options));
      if (!backend) return tl::unexpected(backend.error());
      for (const std::int32_t id : ids) {
        engine::StepCoefficients coefficients;
        const auto stepped = (*backend)->step(std::span(&id, 1), nullptr).and_then([&] {
          return (*backend)->read_coefficients(0, coefficients);
        });
        if (!stepped) return tl::unexpected(stepped.error());
        mean.add(coefficients);
      }
    }
    const auto presets = engine::intervention_presets(model.config(), mean.mean());
    for (const std::string& key : options.presets) {
      const auto found = std::find_if(presets.begin(), presets.end(), [&](const auto& p) { return p.key == key; });
      if (found == presets.end())
        return engine::input_error(
            fmt::format("{} has nothing for the preset {}: none of its pairs turns.", model.name, key));
      list.insert(list.end(), found->list.begin(), found->list.end());
    }
  }
  const auto written = engine::parse_interventions(options.changes, model.config());
  if (!written) return tl::unexpected(written.error());
  return engine::joined(std::move(list), *written);
}

std::vector<engine::EffectText> task_texts(const engine::Task& task, const engine::EvaluateOptions& options) {
  std::vector<engine::EffectText> texts;
  for (int i = 0; i < options.sequences; ++i) {
    engine::LabelledSequence drawn = task.draw(options.seed, static_cast<std::uint64_t>(i), options.length);
    texts.push_back({std::move(drawn.ids), std::move(drawn.labels)});
  }
  return texts;
}

engine::Result<void> measure_runs(const Options& options, const engine::Model& model,
                                  const std::vector<std::int32_t>& ids, const std::vector<engine::EffectText>& texts,
                                  InterveneResult& result) {
  const engine::EffectPlan plan{{result.interventions}, options.controls, result.kind, options.seed, result.base};
  auto backend = engine::make_backend(model.weights, backend_options(options, plan.sequences()));
  if (!backend) return tl::unexpected(backend.error());
  result.backend = (*backend)->info().name;
  result.device = (*backend)->info().device;
  {
    Progress progress("intervene");
    auto tokens = engine::intervention_effect(**backend, model, ids, plan, {best_ids, true, true},
                                              [&](double done) { return progressed(progress, done); });
    if (!tokens) return tl::unexpected(tokens.error());
    result.tokens = std::move(*tokens);
  }
  if (texts.empty()) return {};
  Progress progress(fmt::format("{} on {}", model.name, result.task));
  auto tallies =
      engine::tally_effects(**backend, model, texts, plan, [&](double done) { return progressed(progress, done); });
  if (!tallies) return tl::unexpected(tallies.error());
  result.tallies = std::move(*tallies);
  return {};
}

engine::Result<void> measure_dose(const Options& options, const engine::Model& model,
                                  const std::vector<engine::EffectText>& texts, InterveneResult& result) {
  engine::DosePlan plan{result.interventions, options.strengths, options.controls,
                        result.kind,          options.seed,      result.base};
  const int batch = plan.batch(engine::strengths_at_once(plan, model.config(), state_memory));
  auto backend = engine::make_backend(model.weights, backend_options(options, batch));
  if (!backend) return tl::unexpected(backend.error());
  Progress progress("dose response");
  auto points =
      engine::dose_response(**backend, model, texts, plan, [&](double done) { return progressed(progress, done); });
  if (!points) return tl::unexpected(points.error());
  result.dose = std::move(*points);
  return {};
}

// The state of a text or of a recording, and the tokens that led to it.
engine::Result<engine::SequenceState> donor_state(const Options& options, const engine::Model& model,
                                                  engine::Backend& backend, InterveneResult& result) {
  if (!options.donor_recording.empty()) {
    const auto recording = engine::Recording::open(options.donor_recording);
    if (!recording) return tl::unexpected(recording.error());
    const std::int64_t at = options.donor_at < 0 ? (*recording)->tokens() - 1 : options.donor_at;
    auto state = engine::recorded_state(**recording, model, at);
    for (std::int64_t i = 0; state && i <= at; ++i) result.donor.push_back((*recording)->id(i));
    return state;
  }
  auto ids = model.encode(options.donor);
  if (!ids) return tl::unexpected(ids.error());
  if (ids->empty()) return engine::input_error("The donor's text is empty, so that it leaves no state.");
  const auto count = static_cast<std::int64_t>(ids->size());
  if (options.donor_at >= count)
    return engine::input_error(
        fmt::format("--donor-at {}: the donor's tokens are 0 to {}.", options.donor_at, count - 1));
  if (options.donor_at >= 0) ids->resize(static_cast<std::size_t>(options.donor_at) + 1);
  result.donor = std::move(*ids);
  return engine::state_after(backend, model.config(), result.donor, result.base);
}

// Whether something is read behind the patch.
engine::Result<void> check_patched_after(std::int64_t after, std::int64_t count) {
  if (count < 2)
    return engine::input_error(
        "Patching needs two tokens or more, one before the patch and one behind it, where it shows: give a longer "
        "--prompt or more --steps.");
  if (after + 1 < count) return {};
  return engine::input_error(
      fmt::format("--at {}: no token is read behind the patch, where it shows. There are {} tokens, so give 0 to {}.",
                  after, count, count - 2));
}

engine::Result<void> measure_patches(const Options& options, const engine::Model& model,
                                     const std::vector<std::int32_t>& ids, InterveneResult& result) {
  const auto count = static_cast<std::int64_t>(ids.size());
  result.patched_after = options.patch_after < 0 ? (count - 1) / 2 : options.patch_after;
  if (auto shows = check_patched_after(result.patched_after, count); !shows) return shows;
  const engine::ModelConfig& config = model.config();
  std::vector<engine::Patch> patches;
  if (options.grid == "layers") {
    patches = engine::every_layer(config);
  } else if (options.grid == "heads") {
    patches = engine::every_head(config);
  } else {
    for (int layer = 0; layer < config.n_layer; ++layer) {
      const auto pairs = engine::every_pair(config, layer);
      patches.insert(patches.end(), pairs.begin(), pairs.end());
    }
  }
  auto alone = engine::make_backend(model.weights, backend_options(options));
  if (!alone) return tl::unexpected(alone.error());
  result.backend = (*alone)->info().name;
  result.device = (*alone)->info().device;
  const auto split = static_cast<std::size_t>(result.patched_after) + 1;
  const auto receiver = engine::state_after(**alone, config, std::span(ids).first(split), result.base);
  if (!receiver) return tl::unexpected(receiver.error());
  const auto donors = donor_state(options, model, **alone, result);
  if (!donors) return tl::unexpected(donors.error());
  const std::size_t fit = state_memory / std::max<std::size_t>(1, receiver->bytes());
  const std::size_t batch = 2 + std::clamp<std::size_t>(fit, 1, std::min<std::size_t>(64, patches.size()));
  auto backend = engine::make_backend(model.weights, backend_options(options, static_cast<int>(batch)));
  if (!backend) return tl::unexpected(backend.error());
  Progress progress("patching");
  auto grid = engine::patch_effects(
      **backend, model, *receiver, *donors, std::span(ids).subspan(split), patches,
      [&](double done) { return progressed(progress, done); }, result.base);
  if (!grid) return tl::unexpected(grid.error());
  result.patches = std::move(grid->effects);
  result.reference = std::move(grid->reference);
  return {};
}

engine::Result<InterveneResult> run(Options& options, const engine::Model& model) {
  InterveneResult result;
  std::vector<engine::EffectText> texts;
  if (options.evaluate.sequences > 0) {  // before anything that takes long
    const std::int64_t tokens = std::int64_t{options.evaluate.sequences} * options.evaluate.length;
    if (tokens > most_task_tokens) {  // they are all held
      return engine::input_error(
          fmt::format("--sequences {} of --length {} are {} tokens; {} are the most. Give fewer, or shorter ones.",
                      options.evaluate.sequences, options.evaluate.length, tokens, most_task_tokens));
    }
    const auto task = engine::task_of(model, "");
    if (!task) return tl::unexpected(task.error());
    result.task = (*task)->name;
    options.evaluate.seed = options.seed;
    result.evaluate = options.evaluate;
    texts = task_texts(**task, options.evaluate);
  }
  auto given = tokens_to_step(model, options);
  if (!given) return tl::unexpected(given.error());
  if (given->sampled > 0) {  // the model's own: all runs read the same
    auto alone = engine::make_backend(model.weights, backend_options(options));
    if (!alone) return tl::unexpected(alone.error());
    const auto stepped = step_tokens(model, **alone, options, *given);
    if (!stepped) return tl::unexpected(stepped.error());
    given->ids.clear();
    for (const SteppedToken& token : stepped->tokens) given->ids.push_back(token.id);
  }
  auto list = interventions_of(options, model, given->ids);
  if (!list) return tl::unexpected(list.error());
  result.interventions = std::move(*list);
  auto base = engine::parse_interventions(options.base, model.config());
  if (!base) return tl::unexpected(base.error());
  result.base = std::move(*base);
  result.kind = options.control == "state"  ? engine::ControlKind::state
                : options.control == "step" ? engine::ControlKind::step
                                            : engine::ControlKind::rotation;
  result.controls = options.controls;
  result.seed = options.seed;
  result.truth = given->truth;
  result.consumed = static_cast<std::int64_t>(given->ids.size());
  if (!result.interventions.empty()) {
    if (auto done = measure_runs(options, model, given->ids, texts, result); !done) return tl::unexpected(done.error());
    if (!options.strengths.empty()) {
      if (texts.empty()) texts.push_back({given->ids, given->truth});
      if (auto done = measure_dose(options, model, texts, result); !done) return tl::unexpected(done.error());
    }
  }
  if (!options.patches()) return result;
  if (auto done = measure_patches(options, model, given->ids, result); !done) return tl::unexpected(done.error());
  return result;
}

int intervene(Options options) {
  if (const auto writable = check_outputs({options.csv}); !writable) return report(writable.error());
  if (options.changes.empty() && options.presets.empty() && !options.patches())
    return report({engine::ErrorKind::input,
                   "Nothing to do: give --change \"rotation*0\", --preset zero-rotation, --patch-from TEXT or "
                   "--patch-recording FILE."});
  if (!options.patches() && (options.patch_after >= 0 || options.donor_at >= 0 || options.grid_option->count() > 0))
    return report(
        {engine::ErrorKind::input,
         "--at, --donor-at and --grid say how to patch: give --patch-from TEXT or --patch-recording FILE, too."});
  if (options.changes.empty() && options.presets.empty() &&
      (options.controls_option->count() > 0 || options.sequences_option->count() > 0 || !options.strengths.empty()))
    return report(
        {engine::ErrorKind::input,
         "--controls, --dose and --sequences say how to measure a change: give --change \"rotation*0\" or --preset "
         "zero-rotation, too."});
  const auto model = load_model(options);
  if (!model) return report(model.error());
  const auto result = run(options, **model);
  if (!result) return report(result.error());
  return print_effect(options, options.csv, **model, *result, intervene_json, intervene_text, intervene_csv);
}

void add_measures(CLI::App& command, Options& options) {
  options.controls_option =
      command
          .add_option("--controls", options.controls,
                      "Random changes of the same size that run beside it, to tell its effect from that of any change")
          ->check(whole_number_in(0, 64))
          ->capture_default_str();
  command
      .add_option("--control", options.control,
                  "What is random: state, as far from the original in every head after every token; step, pushed at "
                  "every token by as much as one changed step does; rotation, advances changed by as much")
      ->check(CLI::IsMember({"state", "step", "rotation"}))
      ->capture_default_str();
  command
      .add_option(
          "--dose", options.strengths,
          "Strengths to measure, e.g. 0,0.25,0.5,0.75,1: 0 changes nothing, 1 all of it, beyond 1 more, below 0 "
          "the other way (-1 of rotation*0 is rotation*2)")
      ->delimiter(',')
      ->check(number_in(-4, 4))
      ->expected(1, 64);
  options.sequences_option = command
                                 .add_option("--sequences", options.evaluate.sequences,
                                             "Measure over so many sequences of the model's task too; 0: do not")
                                 ->check(whole_number_in(0, 1 << 20))
                                 ->capture_default_str();
  command.add_option("--length", options.evaluate.length, "Tokens in each of those sequences")
      ->check(whole_number_in(1, 1 << 20))
      ->capture_default_str();
  CLI::Option* donor = command.add_option("--patch-from", options.donor,
                                          "Text of a donor: parts of the state that it leaves are put into this one's");
  command
      .add_option("--patch-recording", options.donor_recording,
                  "Recording of a donor, with the states of all layers, of the same model")
      ->type_name("FILE.safetensors")
      ->excludes(donor);
  command
      .add_option("--at", options.patch_after,
                  "Patch after this token, counted from 0; the rest is read behind the patch. Default: the middle one")
      ->check(whole_number_in(0, 1 << 20));
  command.add_option("--donor-at", options.donor_at, "State after this token of the donor; default: its last")
      ->check(whole_number_in(0, 1 << 24));
  options.grid_option =
      command.add_option("--grid", options.grid, "Which parts, each by itself: layers, heads or pairs")
          ->check(CLI::IsMember({"layers", "heads", "pairs"}))
          ->capture_default_str();
}

}  // namespace

void add_intervene(CLI::App& program, Action& action) {
  auto options = std::make_shared<Options>();
  CLI::App* command = program.add_subcommand(
      "intervene", "Change rotation, lambda, dt, A, a bias, D, a rank, a head or a cell: what that does to a model");
  add_model_option(*command, *options)->required();
  CLI::Option* prompt = command->add_option(
      "--prompt", options->prompt, "Text to consume, in the model's symbols; any text where its tokens are bytes");
  add_tokens_option(*command, options->tokens, "Token ids to consume, e.g. 1,2,3")->excludes(prompt);
  command
      ->add_option("--steps", options->steps,
                   "Tokens after those: the model's own likeliest, or drawn from the task of a model that labels "
                   "positions")
      ->check(whole_number_in(0, 1 << 20))
      ->capture_default_str();
  command
      ->add_option(
          "--base", options->base,
          "An intervention that is in force in every run, with the model as it is: what is measured starts from "
          "there")
      ->expected(1)
      ->take_all()
      ->type_name("TEXT");
  command->add_option("--change", options->changes, "An intervention, as below; several are done together, in order")
      ->expected(1)
      ->take_all()
      ->type_name("TEXT");
  command
      ->add_option("--preset", options->presets,
                   "A known one: zero-rotation, reverse, shuffle, euler, trapezoid, freeze-dt")
      ->check(CLI::IsMember({"zero-rotation", "reverse", "shuffle", "euler", "trapezoid", "freeze-dt"}))
      ->delimiter(',');
  add_measures(*command, *options);
  add_output_option(*command, "--csv", options->csv,
                    "Write one line for each patch, else each strength and run, else each token and run", "FILE.csv");
  add_seed_option(*command, *options);
  add_backend_options(*command, *options);
  add_json_option(*command, *options);
  command->footer(
      "An intervention is QUANTITY OPERATION [@ SCOPE ...]:\n"
      "  quantity   rotation, lambda, dt, a, b_bias, c_bias, d, rank_write, rank_read, head, state\n"
      "  operation  *V scale, +V or -V add, =V set, ~SEED shuffle the pairs (of the rotation)\n"
      "  scope      layers, heads, ranks, pairs, tokens, each with 3, 0-4 (both included) or 20- (to the last);\n"
      "             cell P,N (row, channel) of the state\n\n"
      "All runs read the same tokens, as sequences of one batch. KL is that of the run from the model as it is; the\n"
      "logit difference is between the two likeliest answers of the model as it is; state distance compares "
      "un-rotated\n"
      "states. An effect on the model, not an error. dt is kept at 0 or above, A at 0 or below, lambda from 0 to 1.\n\n"
      "--json: model, backend, device, base, changes, without_effect, controls, control_kind, seed, count, summary "
      "(of\n"
      "each run: as it is, changed, control 0...), task (with --sequences), dose (with --dose), patching (with "
      "--patch-from), tokens.\n\n"
      "Examples:\n  mambascope intervene parity --change \"rotation*0\" --controls 4 --steps 192 --sequences 50\n"
      "  mambascope intervene parity --change \"rotation*0\" --controls 8 --dose 0,0.25,0.5,0.75,1\n"
      "  mambascope intervene parity --prompt 1011010 --patch-from 1010 --at 3\n"
      "  mambascope intervene parity --prompt 1011010 --patch-recording parity.safetensors --donor-at 8 --at 3\n"
      "  mambascope intervene austen-siso --prompt \"It is a truth\" --change \"dt*2 @ layers 0-1 tokens 8-\"");
  command->callback([options, prompt, command, &action] {
    options->has_prompt = prompt->count() > 0;
    refuse_idle(*command, "--length", options->evaluate.sequences > 0, "--sequences 1 or more");
    refuse_idle(*command, "--control", options->controls > 0, "--controls 1 or more");
    action = [options] { return intervene(*options); };
  });
}

}  // namespace app
