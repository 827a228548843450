// What `mambascope record` does, apart from reading its arguments and printing.
#pragma once

#include "app/commands/step_tokens.h"
#include "engine/base/result.h"

#include <cstdint>
#include <string>
#include <vector>

namespace app {

struct RecordOptions : StepOptions {
  std::string output;
  std::vector<int> layers;  // empty: by the size of the state
  std::int64_t every = 1;   // tokens whose matrix states are kept; 0: none
  bool timings = true;
  std::vector<std::string> changes;  // interventions in force, as text
};

struct Recorded {
  bool stopped = false;  // by the user, before all tokens were stepped
  std::uint64_t journal_bytes = 0;
  double step_s = 0, append_s = 0, finish_s = 0;
};

// Steps and writes. SIGINT and SIGTERM end the stepping, and what was stepped is kept. Errors: as tokens_to_step and
// make_backend; a layer that the model lacks (input); the file cannot be written (system).
engine::Result<Recorded> run_record(const engine::Model& model, const RecordOptions& options);

// Makes the file of a journal, which stays.
engine::Result<void> recover_recording(const std::string& journal, const std::string& output);

}  // namespace app
