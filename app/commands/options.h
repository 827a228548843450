// Options that several commands share, with the same names and meanings everywhere, and how a command ends: an error
// goes to standard error and decides the exit code, a JSON result is one object on standard output.
#pragma once

#include "engine/backend/backend.h"
#include "engine/model/model.h"

#include <nlohmann/json_fwd.hpp>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace CLI {
class App;
class Option;
}  // namespace CLI

namespace app {

// What the shared options were set to. A command keeps one in a std::shared_ptr that its action captures.
struct CommonOptions {
  std::string model;
  engine::LoadOptions load;
  engine::BackendChoice backend = engine::BackendChoice::automatic;
  engine::Variant variant = engine::Variant::staged;
  engine::Products products = engine::Products::automatic;
  kernels::DType state = kernels::DType::f32;
  int threads = 0;  // 0: all cores
  bool json = false;
  std::uint64_t seed = 0;
};

// Each adds its options to a subcommand; the CommonOptions must outlive the parsing.
CLI::Option* add_model_option(CLI::App& command, CommonOptions& options);  // MODEL and --a-activation; not required yet
void add_json_option(CLI::App& command, CommonOptions& options);           // --json
void add_seed_option(CLI::App& command, CommonOptions& options);           // --seed
// --backend, --variant, --products, --state, --threads
void add_backend_options(CLI::App& command, CommonOptions& options);

// --tokens 1,2,3: whole numbers with commas between, blanks allowed around each. Nothing between two commas is an error,
// and so is no number at all: a slip must not become another sequence.
CLI::Option* add_tokens_option(CLI::App& command, std::vector<std::int32_t>& out, const char* help);

// --batch 1,8,32 and the like: at least one whole number, each in [least, most], with commas between as above.
CLI::Option* add_whole_numbers(CLI::App& command, const char* name, std::vector<int>& out, int least, int most,
                               const char* help);

// A check for add_option(): a whole number in [least, most] in the usual way of writing it. CLI11's own ranges take
// octal and hexadecimal ones, and 1e3.
std::function<std::string(const std::string&)> whole_number_in(int least, int most);

// A check for add_option(): any text but none, which would be no option at all. `what` goes on after "needs".
std::function<std::string(const std::string&)> not_empty(const char* what);

// A check for add_option(): a finite number in [least, most]. CLI11's own ranges let NaN pass.
std::function<std::string(const std::string&)> number_in(double least, double most);

// For a command's callback. Throws wrong use (CLI::ValidationError) where the option was given and, as the others are, does
// nothing; `needs` goes on after "it needs".
void refuse_idle(const CLI::App& command, const char* option, bool has_effect, const std::string& needs);

// Also says on standard error what is wrong with the model's tokenizer, if anything is.
engine::Result<std::shared_ptr<const engine::Model>> load_model(const CommonOptions& options);
engine::BackendOptions backend_options(const CommonOptions& options, int batch = 1);

// Prints the error to standard error; returns its exit code.
int report(const engine::Error& error);
// The exit code of a command that ended with `code`, after what it printed has left the program: 3 where standard
// output did not take it (a full disk, a closed descriptor).
int after_output(int code);
// The "lambda_override" of every JSON result: a number where the model's task.json fixes lambda, else null.
nlohmann::ordered_json lambda_override_json(const engine::Model& model);
// The same at the end of a text result's first line: ", λ = 1 override", or nothing.
std::string lambda_override_words(const engine::Model& model);

// Prints one object to standard output. Text that is not UTF-8 is replaced; NaN and infinity become null.
void print_json(const nlohmann::ordered_json& object);

}  // namespace app
