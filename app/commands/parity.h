// mambascope verify --parity: the parity bench on the last token of a text.
#pragma once

#include "app/commands/step_tokens.h"

#include <string>
#include <vector>

namespace app {

struct ParityOptions : StepOptions {
  double rtol = 2e-4;
  bool parity = false;
  std::vector<std::string> changes;  // interventions in force
  std::string plant;                 // a sign to turn in every candidate; empty: none
};

// --parity and what belongs to it.
CLI::Option* add_parity_options(CLI::App& command, ParityOptions& options);

// The exit code: 1 where a candidate fails.
int run_parity(const ParityOptions& options);

}  // namespace app
