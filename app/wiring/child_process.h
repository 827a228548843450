// A second process of this program that works while the window draws: what it printed, how far it is, and its end, which may
// be asked for. A thread of its own reads; any thread asks.
#pragma once

#include <sys/types.h>

#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

namespace app {

class ChildProcess {
 public:
  struct Ended {
    bool cancelled = false;
    int exit_code = -1;  // -1: it could not be started, or a signal ended it
    std::string out;     // standard output, at most 64 MiB
    std::string err;     // standard error without lines of progress, at most 64 KiB
  };

  // Starts `program` with `arguments` (without its name). Lines "progress 0.25" on its standard error are not kept: they say
  // how far it is. `on_change` is called on the reading thread, after progress and after the end.
  ChildProcess(const std::string& program, const std::vector<std::string>& arguments, std::function<void()> on_change);
  ~ChildProcess();  // ends it
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;

  bool running() const;
  double progress() const;  // 0..1
  void cancel();
  // Nothing while it runs.
  std::optional<Ended> ended() const;

 private:
  void read(int out, int err);
  void take_error_output(std::string& line, const char* bytes, std::size_t count);

  mutable std::mutex mutex_;
  pid_t child_ = 0;  // 0: it has ended, or was never started
  double progress_ = 0;
  bool cancelled_ = false, done_ = false;
  Ended ended_;
  std::function<void()> on_change_;
  std::thread reader_;
};

}  // namespace app
