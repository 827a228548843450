// The program's command line: one subcommand per file in this folder; without one, the window.
#pragma once

#include <functional>
#include <string>

namespace CLI {
class App;
}

namespace app {

// Parses and runs; returns the exit code: 0 good, 1 check failed, 2 wrong use or input, 3 device or system failure.
int run_command_line(int argc, char** argv);

// Set by the subcommand that was chosen; run after parsing, returns the exit code.
using Action = std::function<int()>;

// Each adds its subcommand to the program (defined in <name>.cpp beside this).
void add_inspect(CLI::App& program, Action& action);
void add_record(CLI::App& program, Action& action);
void add_step(CLI::App& program, Action& action);
void add_verify(CLI::App& program, Action& action);
void add_effect(CLI::App& program, Action& action);
void add_intervene(CLI::App& program, Action& action);
void add_eval(CLI::App& program, Action& action);
void add_discretise(CLI::App& program, Action& action);
void add_profile(CLI::App& program, Action& action);
void add_compare(CLI::App& program, Action& action);
void add_bench(CLI::App& program, Action& action);
void add_gui(CLI::App& program, Action& action);

}  // namespace app
