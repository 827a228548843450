#include "app/commands/progress.h"

#include <fmt/format.h>

#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <utility>

namespace app {

namespace {

bool wanted_in_lines() {
  const char* wanted = std::getenv(Progress::in_lines);
  return wanted != nullptr && std::string(wanted) == "lines";
}

}  // namespace

Progress::Progress(std::string what)
    : what_(std::move(what)), terminal_(::isatty(STDERR_FILENO) == 1), lines_(wanted_in_lines()) {}

Progress::~Progress() {
  if (!drawn_) return;
  fmt::print(stderr, "\r\x1b[K");
  std::fflush(stderr);
}

void Progress::show(double done) {
  const auto now = std::chrono::steady_clock::now();
  if (lines_) {
    fmt::print(stderr, "progress {:.4f}\n", done);
    return;
  }
  if (!terminal_ || now - last_ < std::chrono::milliseconds(100)) return;
  last_ = now;
  drawn_ = true;
  fmt::print(stderr, "\r\x1b[K{} {:.0f} %", what_, 100 * done);
  std::fflush(stderr);
}

}  // namespace app
