// mambascope bench kernel NAME: one kernel family by itself.
#pragma once

#include "app/commands/command_line.h"

namespace app {

// Adds the subcommand `kernel` to `bench`.
CLI::App* add_bench_kernel(CLI::App& bench, Action& action);

}  // namespace app
