#include "app/wiring/making.h"

#include <algorithm>
#include <atomic>
#include <thread>
#include <vector>

namespace app {

struct BehindTask::State {
  std::atomic<bool> given_up{false}, ended{false};
  std::atomic<double> done{0};
  std::thread thread;
};

namespace {

// Threads that nobody waits for. They read nothing but what they own; the program's end joins them.
template <class State>
class Leaving {
 public:
  Leaving() = default;
  Leaving(const Leaving&) = delete;
  Leaving& operator=(const Leaving&) = delete;
  ~Leaving() {
    for (const auto& state : states_) state->thread.join();
  }
  void add(std::shared_ptr<State> state) {
    tidy();
    states_.push_back(std::move(state));
  }
  std::size_t tidy() {
    const auto gone = std::partition(states_.begin(), states_.end(), [](const auto& state) { return !state->ended; });
    std::for_each(gone, states_.end(), [](const auto& state) { state->thread.join(); });
    states_.erase(gone, states_.end());
    return states_.size();
  }

 private:
  std::vector<std::shared_ptr<State>> states_;
};

template <class State>
Leaving<State>& leaving_threads() {
  static Leaving<State> threads;  // of the window's thread
  return threads;
}

}  // namespace

BehindTask::BehindTask(std::function<void(const profiler::GoesOn&)> work) : state_(std::make_shared<State>()) {
  leaving_threads<State>().tidy();
  state_->thread = std::thread([state = state_.get(), work = std::move(work)]() mutable {
    work([state](double done) {
      state->done = done;
      return !state->given_up;
    });
    work = nullptr;  // what it owned goes here, not on the window's thread
    state->ended = true;
  });
}

BehindTask::~BehindTask() {
  state_->given_up = true;
  if (state_->ended)
    state_->thread.join();
  else
    leaving_threads<State>().add(state_);
}

double BehindTask::progress() const { return state_->done; }
bool BehindTask::ended() const { return state_->ended; }
std::size_t BehindTask::leaving() { return leaving_threads<State>().tidy(); }

}  // namespace app
