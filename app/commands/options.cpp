#include "app/commands/options.h"

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <cstdio>
#include <map>

namespace app {

namespace {

// An option that takes one of a few words. CLI11's transformers would take the enumerators' numbers as well.
template <class T>
void add_choice(CLI::App& command, const char* name, T& out, const std::map<std::string, T>& words,
                const std::string& first, const char* help) {
  std::string known = first;
  for (const auto& [word, value] : words) {
    if (word != first) known += "|" + word;
  }
  command
      .add_option_function<std::string>(
          name, [&out, words](const std::string& word) { out = words.at(word); }, help)
      ->check([words, known](const std::string& word) {
        return words.count(word) != 0 ? std::string() : "'" + word + "' is not one of " + known;
      })
      ->type_name(known)
      ->default_str(first);
}

}  // namespace

CLI::Option* add_model_option(CLI::App& command, CommonOptions& options) {
  add_choice(command, "--a-activation", options.load.a_activation,
             {{"heavy-tail", engine::AActivation::heavy_tail}, {"softplus", engine::AActivation::softplus}},
             "heavy-tail",
             "How A follows from the projection: heavy-tail (the released models) or softplus (code before June 2026)");
  return command.add_option("MODEL", options.model,
                            "A folder with config.json and model.safetensors, a weight file beside its config.json, or "
                            "a built-in model (see inspect --list)");
}

void add_backend_options(CLI::App& command, CommonOptions& options) {
  add_choice(command, "--backend", options.backend,
             {{"auto", engine::BackendChoice::automatic},
              {"cpu", engine::BackendChoice::cpu},
              {"cuda", engine::BackendChoice::cuda},
              {"reference", engine::BackendChoice::reference}},
             "auto", "What does the arithmetic; auto: cuda where a device answers, else cpu");
  command.add_option("--threads", options.threads, "Threads of the cpu backend; 0: all cores")
      ->check(CLI::Range(0, 1024))
      ->capture_default_str();
}

void add_json_option(CLI::App& command, CommonOptions& options) {
  command.add_flag("--json", options.json, "Print one JSON object and nothing else on standard output");
}

void add_seed_option(CLI::App& command, CommonOptions& options) {
  command.add_option("--seed", options.seed, "Seed of everything random; the same seed gives the same result")
      ->capture_default_str();
}

engine::Result<std::shared_ptr<const engine::Model>> load_model(const CommonOptions& options) {
  return engine::load_model(options.model, options.load);
}

engine::BackendOptions backend_options(const CommonOptions& options, int batch) {
  engine::BackendOptions out;
  out.choice = options.backend;
  out.batch = batch;
  out.threads = options.threads;
  return out;
}

int report(const engine::Error& error) {
  fmt::print(stderr, "mambascope: {}\n", error.message);
  return engine::exit_code(error);
}

void print_json(const nlohmann::ordered_json& object) {
  const std::string text = object.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
  std::fwrite(text.data(), 1, text.size(), stdout);
  std::fputc('\n', stdout);
}

}  // namespace app
