#include "app/commands/command_line.h"

#include "profiler/activity/process.h"

#include <CLI/CLI.hpp>

#include <cstdio>
#include <exception>

namespace app {

int run_command_line(int argc, char** argv) {
  CLI::App program{
      "Mambascope: steps a Mamba-3 language model and shows its rotating state, its discretisation and its cost",
      "mambascope"};
  program.set_version_flag("--version", std::string("mambascope ") + MAMBASCOPE_VERSION);
  program.require_subcommand(0, 1);
  Action action;
  add_inspect(program, action);
  add_eval(program, action);
  add_profile(program, action);
  add_step(program, action);
  add_verify(program, action);
#ifdef MAMBASCOPE_HAVE_GUI
  add_gui(program, action);
#endif

  try {
    program.parse(argc, argv);
  } catch (const CLI::Success& success) {  // --help, --version
    return program.exit(success);
  } catch (const CLI::ParseError& error) {
    program.exit(error);
    return 2;
  }
  try {
    const int code = action ? action() : 2;
    profiler::stop_process_activity();
    return code;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "mambascope: %s\n", error.what());
    return 3;
  }
}

}  // namespace app
