#include "app/commands/progress.h"

#include <fmt/format.h>

#include <unistd.h>

#include <cstdio>
#include <utility>

namespace app {

Progress::Progress(std::string what) : what_(std::move(what)), terminal_(::isatty(STDERR_FILENO) == 1) {}

Progress::~Progress() {
  if (!drawn_) return;
  fmt::print(stderr, "\r\x1b[K");
  std::fflush(stderr);
}

void Progress::show(double done) {
  const auto now = std::chrono::steady_clock::now();
  if (!terminal_ || now - last_ < std::chrono::milliseconds(100)) return;
  last_ = now;
  drawn_ = true;
  fmt::print(stderr, "\r\x1b[K{} {:.0f} %", what_, 100 * done);
  std::fflush(stderr);
}

}  // namespace app
