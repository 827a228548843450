// Options that several commands share, with the same names and meanings everywhere, and how a command ends: an error
// goes to standard error and decides the exit code, a JSON result is one object on standard output.
#pragma once

#include "engine/backend/backend.h"
#include "engine/model/model.h"

#include <nlohmann/json_fwd.hpp>

#include <cstdint>
#include <memory>
#include <string>

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
  int threads = 0;  // 0: all cores
  bool json = false;
  std::uint64_t seed = 0;
};

// Each adds its options to a subcommand; the CommonOptions must outlive the parsing.
CLI::Option* add_model_option(CLI::App& command, CommonOptions& options);  // MODEL and --a-activation; not required yet
void add_backend_options(CLI::App& command, CommonOptions& options);       // --backend, --threads
void add_json_option(CLI::App& command, CommonOptions& options);           // --json
void add_seed_option(CLI::App& command, CommonOptions& options);           // --seed

engine::Result<std::shared_ptr<const engine::Model>> load_model(const CommonOptions& options);
engine::BackendOptions backend_options(const CommonOptions& options, int batch = 1);

// Prints the error to standard error; returns its exit code.
int report(const engine::Error& error);
// Prints one object to standard output. Text that is not UTF-8 is replaced; NaN and infinity become null.
void print_json(const nlohmann::ordered_json& object);

}  // namespace app
