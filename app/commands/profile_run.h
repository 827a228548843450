// One measured run of `mambascope profile`: the options, the tokens, the steps under a timing store.
#pragma once

#include "app/commands/options.h"
#include "app/commands/profile_accounting.h"
#include "app/commands/profile_files.h"
#include "app/commands/profile_report.h"
#include "app/wiring/timing_store.h"

#include <optional>
#include <string>
#include <vector>

namespace app {

struct ProfileOptions : CommonOptions {
  std::string preset, prompt;
  std::vector<std::int32_t> tokens;
  int batch = 1;
  int steps = 64;
  int warmup = 8;
  std::string graph = "off";  // "on", "both"
  std::vector<int> ranks;     // a family of shapes in place of one model
  std::string by = "kind";
  ProfileFiles files;
  bool no_cupti = false, no_cost = false, errors = false;
  bool wait = false;  // for each step before the next is queued
  bool counters = false, counters_only = false;
  bool samples = false, samples_only = false;
};

// (warmup + steps, batch): in every sequence the first ids as given, the others at random, because the time of a step does
// not depend on them. Error (input): an id outside of the vocabulary.
engine::Result<std::vector<std::int32_t>> profiled_ids(const ProfileOptions& options, const engine::Model& model);

struct ProfileRun {
  ProfileResult result;
  std::optional<engine::Error> ended;  // why stepping ended before the last step; what was measured until then is here
};
// Opens a backend, with or without a graph, steps it through the ids and keeps the newest `steps` tokens. `source` tells
// the runs of this process apart: 1, 2, ...
engine::Result<ProfileRun> run_profile(const ProfileOptions& options, const engine::Model& model,
                                       const std::vector<std::int32_t>& ids, bool graph, std::uint16_t source);

// What a second process must be told to step the same model in the same way; behind the options of its own.
std::vector<std::string> same_step_arguments(const ProfileOptions& options, const ProfileResult& with);

// Steps an open backend under a store of times. Error: not even one measured step was finished.
engine::Result<ProfileRun> profile_backend(const ProfileOptions& options, const engine::Model& model,
                                           engine::Backend& backend, TimingStore& store,
                                           const std::vector<std::int32_t>& ids);

// The same run in a second process that leaves CUPTI alone; adds to `run` what it says. After this process is done with the
// device.
void measure_cost_of_cupti(const ProfileOptions& options, ProfileRun& run);

}  // namespace app
