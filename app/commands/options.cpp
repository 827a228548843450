#include "app/commands/options.h"

#include "app/commands/text.h"
#include "app/viewmodel/lambda_mark.h"
#include "app/wiring/open_model.h"
#include "engine/base/quote.h"

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <limits>
#include <map>
#include <system_error>

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

// The whole text as a number; false: it is none, or none that fits.
template <class T>
bool parse(const std::string& text, T& out) {
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), out);
  return failed == std::errc() && end == text.data() + text.size();
}

std::string without_blanks(const std::string& text) {
  const std::size_t first = text.find_first_not_of(" \t");
  return first == std::string::npos ? "" : text.substr(first, text.find_last_not_of(" \t") + 1 - first);
}

// As parse(); 010 is neither eight nor ten.
bool parse_plain(const std::string& text, int& out) {
  const std::size_t first = text.rfind('-', 0) == 0 ? 1 : 0;
  return (text.size() <= first + 1 || text[first] != '0') && parse(text, out);
}

// Why `text` is no list with commas between, of which `add` takes each word or says why not; empty: it is one.
std::string parse_list(const std::string& text, const char* what,
                       const std::function<std::string(const std::string&)>& add) {
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t end = std::min(text.find(',', begin), text.size());
    const std::string word = without_blanks(text.substr(begin, end - begin));
    if (word.empty()) return fmt::format("has an empty place; give {} with a comma between two, such as 1,2,3", what);
    if (std::string wrong = add(word); !wrong.empty()) return wrong;
    begin = end + 1;
  }
  return "";
}

// Why `text` is no list of ids; empty: it is one, and `out` holds it.
std::string parse_ids(const std::string& text, std::vector<std::int32_t>& out) {
  out.clear();
  return parse_list(text, "token ids", [&out](const std::string& word) {
    return parse(word, out.emplace_back()) ? "" : engine::in_quotes(word) + " is not a token id; give whole numbers";
  });
}

}  // namespace

CLI::Option* add_tokens_option(CLI::App& command, std::vector<std::int32_t>& out, const char* help) {
  const auto check = [](const std::string& text) {
    std::vector<std::int32_t> ids;
    return parse_ids(text, ids);
  };
  return command
      .add_option_function<std::string>(
          "--tokens", [&out](const std::string& text) { parse_ids(text, out); }, help)
      ->check(check)
      ->type_name("IDS");
}

CLI::Option* add_whole_numbers(CLI::App& command, const char* name, std::vector<int>& out, int least, int most,
                               const char* help) {
  const auto add_to = [check = whole_number_in(least, most)](std::vector<int>& numbers) {
    return [&numbers, check](const std::string& word) {
      parse_plain(word, numbers.emplace_back());
      return check(word);
    };
  };
  const auto check = [add_to](const std::string& text) {
    std::vector<int> numbers;
    return parse_list(text, "whole numbers", add_to(numbers));
  };
  return command
      .add_option_function<std::string>(
          name,
          [&out, add_to](const std::string& text) {
            out.clear();
            parse_list(text, "whole numbers", add_to(out));
          },
          help)
      ->check(check)
      ->type_name("INTS")
      ->default_str(fmt::format("{}", fmt::join(out, ",")));
}

std::function<std::string(const std::string&)> whole_number_in(int least, int most) {
  return [least, most](const std::string& text) {
    int value = 0;
    if (parse_plain(text, value) && value >= least && value <= most) return std::string();
    return fmt::format("{} is not a whole number from {} to {}", engine::in_quotes(text), least, most);
  };
}

std::function<std::string(const std::string&)> number_in(double least, double most) {
  return [least, most](const std::string& text) {
    double value = 0;
    if (parse(text, value) && std::isfinite(value) && value >= least && value <= most) return std::string();
    const bool bounded = most < std::numeric_limits<double>::max();
    return fmt::format("{} is not a number {}", engine::in_quotes(text),
                       bounded ? fmt::format("from {} to {}", least, most) : fmt::format("of {} or more", least));
  };
}

std::function<std::string(const std::string&)> not_empty(const char* what) {
  return [what](const std::string& text) { return text.empty() ? fmt::format("needs {}", what) : std::string(); };
}

CLI::Option* add_model_option(CLI::App& command, CommonOptions& options) {
  add_choice(command, "--a-activation", options.load.a_activation,
             {{"heavy-tail", engine::AActivation::heavy_tail}, {"softplus", engine::AActivation::softplus}},
             "heavy-tail",
             "How A follows from the projection: heavy-tail (the released models) or softplus (code before June 2026)");
  return command.add_option(
      "MODEL", options.model,
      "A folder with config.json and model.safetensors or pytorch_model.bin, a weight file beside "
      "its config.json, or a built-in model (see inspect --list)");
}

void add_backend_options(CLI::App& command, CommonOptions& options) {
  add_choice(command, "--backend", options.backend,
             {{"auto", engine::BackendChoice::automatic},
              {"cpu", engine::BackendChoice::cpu},
              {"cuda", engine::BackendChoice::cuda},
              {"reference", engine::BackendChoice::reference}},
             "auto", "What does the arithmetic; auto: cuda where a device answers, else cpu");
  add_choice(command, "--variant", options.variant,
             {{"staged", engine::Variant::staged}, {"fused", engine::Variant::fused}}, "staged",
             "Kernels of the cuda backend: staged (one a stage, to be looked at) or fused (few, to be fast)");
  add_choice(
      command, "--products", options.products,
      {{"auto", engine::Products::automatic}, {"own", engine::Products::own}, {"library", engine::Products::library}},
      "auto", "Matrix products of the fused variant: own passes over the weights, cuBLASLt (library), or what suits");
  add_choice(command, "--state", options.state, {{"fp32", kernels::DType::f32}, {"bf16", kernels::DType::bf16}}, "fp32",
             "Type that the matrix state is kept in between steps; bf16: the fused variant only");
  command.add_option("--threads", options.threads, "Threads of the cpu backend; 0: all cores")
      ->check(whole_number_in(0, 1024))
      ->capture_default_str();
}

void add_json_option(CLI::App& command, CommonOptions& options) {
  command.add_flag("--json", options.json, "Print one JSON object and nothing else on standard output");
}

void add_seed_option(CLI::App& command, CommonOptions& options) {
  command.add_option("--seed", options.seed, "Seed of everything random; the same seed gives the same result")
      ->check([](const std::string& text) {
        std::uint64_t seed = 0;
        return parse(text, seed) ? std::string()
                                 : engine::in_quotes(text) + " is not a whole number from 0 to 18446744073709551615";
      })
      ->capture_default_str();
}

void refuse_idle(const CLI::App& command, const char* option, bool has_effect, const std::string& needs) {
  if (has_effect || command.get_option(option)->count() == 0) return;
  throw CLI::ValidationError(fmt::format("{} does nothing here: it needs {}.", option, needs));
}

engine::Result<std::shared_ptr<const engine::Model>> load_model(const CommonOptions& options) {
  auto model = open_model(options.model, options.load);
  if (model && !(*model)->tokenizer_fault.empty()) {
    fmt::print(stderr, "mambascope: warning: {}\n", (*model)->tokenizer_fault);
  }
  return model;
}

engine::BackendOptions backend_options(const CommonOptions& options, int batch) {
  engine::BackendOptions out;
  out.choice = options.backend;
  out.variant = options.variant;
  out.products = options.products;
  out.state = options.state;
  out.batch = batch;
  out.threads = options.threads;
  return out;
}

nlohmann::ordered_json lambda_override_json(const engine::Model& model) {
  const double lambda = model.config().lambda_override;
  return lambda < 0 ? nlohmann::ordered_json() : nlohmann::ordered_json(lambda);
}

std::string lambda_override_words(const engine::Model& model) {
  const std::string mark = lambda_mark(model.config());
  return mark.empty() ? "" : ", " + mark;
}

int report(const engine::Error& error) {
  fmt::print(stderr, "mambascope: {}\n", printable_lines(error.message));
  return engine::exit_code(error);
}

int after_output(int code) {
  if (std::fflush(stdout) == 0 && std::ferror(stdout) == 0) return code;
  fmt::print(stderr, "mambascope: Standard output did not take the result. Is the disk full, or the output closed?\n");
  return 3;
}

void print_json(const nlohmann::ordered_json& object) {
  const std::string text = object.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
  std::fwrite(text.data(), 1, text.size(), stdout);
  std::fputc('\n', stdout);
}

}  // namespace app
