#include "app/wiring/child_process.h"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <string_view>
#include <utility>

extern char** environ;  // NOLINT(readability-redundant-declaration): POSIX leaves it to the program

namespace app {

namespace {

constexpr std::size_t most_output = std::size_t{64} << 20, most_errors = std::size_t{64} << 10;
constexpr const char* progress_wanted = "MAMBASCOPE_PROGRESS=lines";
constexpr std::string_view progress_word = "progress ";

std::vector<char*> pointers_to(std::vector<std::string>& words) {
  std::vector<char*> out;
  out.reserve(words.size() + 1);
  for (std::string& word : words) out.push_back(word.data());
  out.push_back(nullptr);
  return out;
}

}  // namespace

ChildProcess::ChildProcess(const std::string& program, const std::vector<std::string>& arguments,
                           std::function<void()> on_change)
    : on_change_(std::move(on_change)) {
  std::array<int, 2> out{-1, -1}, err{-1, -1};
  const auto fail = [&](int reason) {
    for (const int end : {out[0], out[1], err[0], err[1]})
      if (end >= 0) close(end);
    ended_.err = std::string("A second process could not be started: ") + std::strerror(reason) + ".";
    done_ = true;
  };
  if (pipe2(out.data(), O_CLOEXEC) != 0 || pipe2(err.data(), O_CLOEXEC) != 0) {
    fail(errno);
    return;
  }
  std::vector<std::string> words = {"mambascope"}, variables = {progress_wanted};
  words.insert(words.end(), arguments.begin(), arguments.end());
  for (char** variable = environ; *variable != nullptr; ++variable) variables.emplace_back(*variable);
  const std::vector<char*> argv = pointers_to(words), environment = pointers_to(variables);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&actions, out[1], STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&actions, err[1], STDERR_FILENO);
  const int failed = posix_spawn(&child_, program.c_str(), &actions, nullptr, argv.data(), environment.data());
  posix_spawn_file_actions_destroy(&actions);
  if (failed != 0) {
    child_ = 0;
    fail(failed);
    return;
  }
  close(out[1]);
  close(err[1]);
  reader_ = std::thread([this, from_out = out[0], from_err = err[0]] { read(from_out, from_err); });
}

ChildProcess::~ChildProcess() {
  cancel();
  if (reader_.joinable()) reader_.join();
}

bool ChildProcess::running() const {
  const std::lock_guard lock(mutex_);
  return !done_;
}

double ChildProcess::progress() const {
  const std::lock_guard lock(mutex_);
  return progress_;
}

void ChildProcess::cancel() {
  const std::lock_guard lock(mutex_);
  if (child_ <= 0 || done_) return;
  cancelled_ = true;
  kill(child_, SIGKILL);  // it holds nothing but its own work
}

std::optional<ChildProcess::Ended> ChildProcess::ended() const {
  const std::lock_guard lock(mutex_);
  return done_ ? std::optional(ended_) : std::nullopt;
}

void ChildProcess::take_error_output(std::string& line, const char* bytes, std::size_t count) {
  bool moved = false;
  {
    const std::lock_guard lock(mutex_);
    for (std::size_t i = 0; i < count; ++i) {
      if (bytes[i] != '\n') {
        if (line.size() < most_errors) line += bytes[i];
        continue;
      }
      if (line.rfind(progress_word, 0) == 0) {
        progress_ = std::min(1.0, std::max(0.0, std::strtod(line.c_str() + progress_word.size(), nullptr)));
        moved = true;
      } else if (ended_.err.size() + line.size() < most_errors) {
        ended_.err += line + "\n";
      }
      line.clear();
    }
  }
  if (moved && on_change_) on_change_();
}

void ChildProcess::read(int out, int err) {
  std::array<pollfd, 2> ends{{{out, POLLIN, 0}, {err, POLLIN, 0}}};
  std::array<char, 4096> chunk{};
  std::string line, printed;
  while (ends[0].fd >= 0 || ends[1].fd >= 0) {
    if (poll(ends.data(), ends.size(), -1) < 0) {
      if (errno == EINTR) continue;
      break;
    }
    for (std::size_t i = 0; i < ends.size(); ++i) {
      if (ends[i].fd < 0 || ends[i].revents == 0) continue;
      const ssize_t got = ::read(ends[i].fd, chunk.data(), chunk.size());
      if (got < 0 && errno == EINTR) continue;
      if (got <= 0) {
        ends[i].fd = -1;
      } else if (i == 1) {
        take_error_output(line, chunk.data(), static_cast<std::size_t>(got));
      } else if (printed.size() < most_output) {
        printed.append(chunk.data(), static_cast<std::size_t>(got));
      }
    }
  }
  close(out);
  close(err);
  // Waits without taking the process away, so that cancel() never hits another one with its number.
  siginfo_t info{};
  while (waitid(P_PID, static_cast<id_t>(child_), &info, WEXITED | WNOWAIT) < 0 && errno == EINTR) {
  }
  {
    const std::lock_guard lock(mutex_);
    int state = 0;
    while (waitpid(child_, &state, 0) < 0 && errno == EINTR) {
    }
    child_ = 0;
    ended_.exit_code = WIFEXITED(state) ? WEXITSTATUS(state) : -1;
    ended_.cancelled = cancelled_ && !WIFEXITED(state);
    ended_.out = std::move(printed);
    if (!line.empty()) ended_.err += line;
    done_ = true;
  }
  if (on_change_) on_change_();
}

}  // namespace app
