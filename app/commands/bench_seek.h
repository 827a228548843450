// mambascope bench seek: how long it takes to come back to a token.
#pragma once

#include "app/commands/command_line.h"

namespace app {

// Adds the subcommand `seek` to `bench`.
CLI::App* add_bench_seek(CLI::App& bench, Action& action);

}  // namespace app
