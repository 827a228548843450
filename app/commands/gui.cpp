#include "app/commands/command_line.h"
#include "app/shell/app.h"
#include "app/shell/screenshot.h"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <cstdio>
#include <memory>

namespace app {
namespace {

int fail(const engine::Error& error) {
  fmt::print(stderr, "mambascope: {}\n", error.message);
  return engine::exit_code(error);
}

int run_gui(GuiOptions options) {
  if (!options.offscreen && !have_display()) {
    fmt::print(stderr, "mambascope: no display (DISPLAY and WAYLAND_DISPLAY are empty): drawing offscreen\n");
    options.offscreen = true;
  }
  auto app = App::open(options);
  if (!app) return fail(app.error());
  if (!options.offscreen) {
    (*app)->run();
    return 0;
  }
  for (int i = 0; i < 6; ++i) (*app)->frame();
  if (!options.screenshot.empty()) {
    const auto written = write_png(options.screenshot, read_pixels((*app)->surface().size()));
    if (!written) return fail(written.error());
    fmt::print(stderr, "mambascope: {}\n", options.screenshot);
  }
  return 0;
}

}  // namespace

void add_gui(CLI::App& program, Action& action) {
  auto options = std::make_shared<GuiOptions>();
  CLI::App* command = program.add_subcommand("gui", "the window (also without a subcommand)");
  command->add_flag("--offscreen", options->offscreen, "draw without a display");
  command->add_option("--screenshot", options->screenshot, "write the last frame to this PNG file");
  command->add_option("--ui-scale", options->ui_scale, "0.75 to 2; default: the monitor's")
      ->check(CLI::Range(0.75, 2.0));
  command->add_flag("--light", options->light, "the light theme");
  command->callback([options, &action] { action = [options] { return run_gui(*options); }; });
}

}  // namespace app
