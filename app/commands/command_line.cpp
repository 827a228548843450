#include "app/commands/command_line.h"

#include "app/commands/options.h"
#include "app/commands/text.h"
#include "profiler/activity/process.h"

#include <CLI/CLI.hpp>

#include <algorithm>
#include <cstdio>
#include <exception>
#include <iostream>
#include <new>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace app {

namespace {

// CLI11's words for an option that is given twice say it less plainly.
std::string plainer(std::string said) {
  constexpr std::string_view many = ": At Most 1 required but received ";
  const std::size_t at = said.find(many), number = at + many.size();
  if (at == std::string::npos) return said;
  const std::size_t end = std::min(said.find('\n', number), said.size());
  return said.substr(0, at) + " is given " + said.substr(number, end - number) + " times; give it once." +
         said.substr(end);
}

}  // namespace

int run_command_line(int argc, char** argv) {
  CLI::App program{
      "Mambascope: steps a Mamba-3 language model and shows its rotating state, its discretisation and its cost",
      "mambascope"};
  program.set_version_flag("--version", std::string("mambascope ") + MAMBASCOPE_VERSION);
  program.require_subcommand(0, 1);
  Action action;
  add_inspect(program, action);
  add_discretise(program, action);
  add_effect(program, action);
  add_intervene(program, action);
  add_eval(program, action);
  add_profile(program, action);
  add_compare(program, action);
  add_bench(program, action);
  add_record(program, action);
  add_step(program, action);
  add_verify(program, action);
#ifdef MAMBASCOPE_HAVE_GUI
  add_gui(program, action);
#endif

  // Without a subcommand the arguments are the window's.
  std::vector<std::string> arguments(argv + 1, argv + argc);
#ifdef MAMBASCOPE_HAVE_GUI
  const auto is_program_s = [&](const std::string& word) {
    const auto named = [&](const CLI::App* command) { return command->get_name() == word; };
    const auto commands = program.get_subcommands([](const CLI::App*) { return true; });
    return word == "-h" || word == "--help" || word == "--version" ||
           std::any_of(commands.begin(), commands.end(), named);
  };
  if (arguments.empty() || !is_program_s(arguments.front())) arguments.insert(arguments.begin(), "gui");
#endif
  std::reverse(arguments.begin(), arguments.end());  // CLI11 takes them from the back

  try {
    program.parse(std::move(arguments));
  } catch (const CLI::Success& success) {  // --help, --version
    program.exit(success);
    return after_output(std::cout.flush() ? 0 : 3);
  } catch (const CLI::ParseError& error) {
    std::ostringstream said;  // with words of the command line in it
    program.exit(error, said, said);
    std::fputs(printable_lines(plainer(said.str())).c_str(), stderr);
    return 2;
  }
  try {
    const int code = action ? action() : 2;
    profiler::stop_process_activity();
    return after_output(code);
  } catch (const std::bad_alloc&) {
    std::fputs("mambascope: There is not enough memory for this. Close other programs, or give less to do.\n", stderr);
    return 3;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "mambascope: %s\n", printable_lines(error.what()).c_str());
    return 3;
  }
}

}  // namespace app
