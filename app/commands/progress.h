// A line of progress on standard error while a command works; silent when that is not a terminal. One thread.
#pragma once

#include <chrono>
#include <string>

namespace app {

class Progress {
 public:
  // Set to "lines" in the environment: each step is a line "progress 0.25", for a program that reads them.
  static constexpr const char* in_lines = "MAMBASCOPE_PROGRESS";

  explicit Progress(std::string what);
  ~Progress();  // clears the line
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  // `done` in [0, 1]; cheap enough for every step, draws ten times a second at most.
  void show(double done);

 private:
  std::string what_;
  bool terminal_, lines_;
  bool drawn_ = false;
  std::chrono::steady_clock::time_point last_{};
};

}  // namespace app
