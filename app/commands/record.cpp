// mambascope record: steps a model and keeps what each token left, for the window and for Python.
#include "app/commands/command_line.h"
#include "app/commands/options.h"
#include "app/commands/output_file.h"
#include "app/commands/preset_model.h"
#include "app/commands/record_run.h"
#include "app/commands/sampler_options.h"
#include "app/commands/text.h"
#include "engine/base/quote.h"
#include "engine/recording/recording.h"

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <charconv>
#include <filesystem>

namespace app {

namespace {

struct Options : RecordOptions {
  std::string recover;
  bool force = false;
};

// A finished recording is replaced only where that was asked for.
engine::Result<void> check_replaced(const Options& options) {
  std::error_code none;
  if (options.force || !std::filesystem::exists(options.output, none)) return {};
  const auto there = engine::Recording::open(options.output);
  return engine::input_error(
      fmt::format("{} is there already{}. Give another name, or --force to replace it.", options.output,
                  there ? fmt::format(": {} tokens of {}, {}", (*there)->tokens(),
                                      engine::printable((*there)->info().model), (*there)->info().words())
                        : std::string()));
}

// "all", "none", or "every K".
std::string read_state(const std::string& word, std::int64_t& every) {
  constexpr std::string_view begin = "every ";
  every = word == "all" ? 1 : 0;
  if (word == "all" || word == "none") return {};
  const std::string_view rest = word.rfind(begin, 0) == 0 ? std::string_view(word).substr(begin.size()) : "";
  const auto [end, failure] = std::from_chars(rest.data(), rest.data() + rest.size(), every);
  if (!rest.empty() && failure == std::errc() && end == rest.data() + rest.size() && every >= 1 && every <= 1 << 24)
    return {};
  return "give all, none or 'every K' with K from 1 to 16777216";
}

void print_recorded(const Options& options, const engine::Recording& recording, const Recorded* recorded) {
  const auto tokens = recording.tokens();
  const double per_token = static_cast<double>(recording.file_bytes()) / static_cast<double>(tokens);
  if (options.json) {
    nlohmann::ordered_json out = {{"file", options.output},
                                  {"model", recording.info().model},
                                  {"backend", recording.info().backend.name},
                                  {"device", recording.info().backend.device},
                                  {"tokens", tokens},
                                  {"bytes", recording.file_bytes()},
                                  {"bytes_per_token", per_token},
                                  {"ssm_layers", recording.info().ssm_layers},
                                  {"ssm_every", recording.info().ssm_every},
                                  {"timing_source", recording.info().timing_source}};
    if (recorded != nullptr) {
      out["stopped"] = recorded->stopped;
      out["seconds"] = {
          {"stepping", recorded->step_s}, {"appending", recorded->append_s}, {"finishing", recorded->finish_s}};
      out["appended_bytes"] = recorded->journal_bytes;
    }
    print_json(out);
    return;
  }
  const std::string file = engine::printable(options.output);
  fmt::print("{}: {} tokens of {}, {} ({} a token)\n", file, tokens, recording.info().model,
             readable_bytes(recording.file_bytes()), readable_bytes(static_cast<std::uint64_t>(per_token)));
  if (recorded != nullptr && recorded->append_s > 0)
    fmt::print(
        "  appended at {}/s; the file was made of that in {:.2g} s{}\n",
        readable_bytes(static_cast<std::uint64_t>(static_cast<double>(recorded->journal_bytes) / recorded->append_s)),
        recorded->finish_s, recorded->stopped ? "; stopped before all tokens were stepped" : "");
  fmt::print("  open it: mambascope gui {}; what it holds: mambascope inspect {}\n", file, file);
}

int end_with(const Options& options, const Recorded* recorded) {
  const auto recording = engine::Recording::open(options.output);
  if (!recording) return report(recording.error());
  print_recorded(options, **recording, recorded);
  return 0;
}

int recover(const Options& options) {
  const auto cut = engine::Recording::open(options.recover);
  if (!cut) return report(cut.error());
  if (auto made = recover_recording(options.recover, options.output); !made) return report(made.error());
  // It may still be written to, or hold more behind a fault than could be read.
  const std::string& cut_words = (*cut)->cut_words();
  fmt::print(stderr, "mambascope: {}{}{} stays as it is: remove it when the new file holds what you need.\n", cut_words,
             cut_words.empty() ? "" : " ", engine::printable(options.recover));
  return end_with(options, nullptr);
}

int record(Options options) {
  if (options.output.empty())
    return report({engine::ErrorKind::input, "record needs the name of a file to write: -o FILE.safetensors."});
  if (const auto writable = check_recording_output(options.output, {options.recover}); !writable)
    return report(writable.error());
  if (const auto free = check_replaced(options); !free) return report(free.error());
  if (!options.recover.empty()) return recover(options);
  const auto model = open_model_or_preset(options, options.preset, "record");
  if (!model) return report(model.error());
  if (!options.preset.empty() && options.tokens.empty() && !options.has_prompt) options.tokens = {0};
  const auto recorded = run_record(**model, options);
  if (!recorded) return report(recorded.error());
  return end_with(options, &*recorded);
}

}  // namespace

void add_record(CLI::App& program, Action& action) {
  auto options = std::make_shared<Options>();
  CLI::App* command = program.add_subcommand(
      "record", "Step a model and keep states, coefficients, predictions and times of each token in a file");
  CLI::Option* model = add_model_option(*command, *options);
  add_preset_option(*command, options->preset, model);
  CLI::Option* prompt = command->add_option("--prompt", options->prompt, "Text to consume first, as for step");
  add_tokens_option(*command, options->tokens, "Token ids to consume first, e.g. 1,2,3")->excludes(prompt);
  command
      ->add_option("--steps", options->steps,
                   "Tokens to step after those: sampled, or drawn from the task of a model that labels positions")
      ->check(whole_number_in(0, 1 << 24))
      ->capture_default_str();
  add_output_option(*command, "-o,--output", options->output, "The recording to write", "FILE.safetensors");
  add_whole_numbers(*command, "--layers", options->layers, 0, 1023,
                    "Layers whose states are kept; default: the matrix states of all where one sequence's state has at "
                    "most 4 MiB, else of layer 0, and every layer's caches");
  command
      ->add_option_function<std::string>(
          "--states",
          [&every = options->every](const std::string& word) {
            if (const std::string wrong = read_state(word, every); !wrong.empty())
              throw CLI::ValidationError("--states", wrong);
          },
          "Tokens whose matrix states are kept: all, 'every K' or none")
      ->type_name("all|every K|none")
      ->default_str("all");
  command
      ->add_option("--change", options->changes,
                   "An intervention that the model is stepped under, as for intervene; several are done together, in "
                   "order. The recording holds them")
      ->expected(1)
      ->take_all()
      ->type_name("TEXT");
  command->add_flag("--force", options->force, "Replace a recording that is there under this name");
  command->add_flag_callback(
      "--no-timings", [options] { options->timings = false; }, "Leave out the times of the stages");
  command
      ->add_option("--recover", options->recover,
                   "Make the file of what an interrupted recording left beside its name, which stays")
      ->check(not_empty("the name of a file"))
      ->type_name("FILE.part")
      ->excludes(model)
      ->excludes(prompt);
  add_sampler_option(*command, options->sampler);
  add_seed_option(*command, *options);
  add_backend_options(*command, *options);
  add_json_option(*command, *options);
  command->footer(
      "While it records, FILE.safetensors.part grows by a block a token: whatever ends the program leaves every token "
      "before it.\nCtrl+C ends the recording and keeps what was stepped.\n"
      "Examples:\n  mambascope record parity --prompt 10110 --steps 64 -o parity.safetensors\n"
      "  mambascope record --preset siso-1.5b --steps 256 --layers 0,12 --states 'every 16' -o large.safetensors\n"
      "  mambascope record --recover parity.safetensors.part -o parity.safetensors");
  for (const char* name :
       {"--preset", "--tokens", "--steps", "--layers", "--states", "--change", "--no-timings", "--sampler", "--seed",
        "--backend", "--variant", "--products", "--state", "--threads", "--a-activation"})
    command->get_option("--recover")->excludes(name);
  command->callback([options, prompt, command, &action] {
    options->has_prompt = prompt->count() > 0;
    refuse_idle_settings(*command, {options->sampler.kind}, "--sampler");
    action = [options] { return record(*options); };
  });
}

}  // namespace app
