#include "engine/session/command_queue.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace engine {

namespace {

template <class T>
bool is(const Command& command) {
  return std::holds_alternative<T>(command);
}

// The newer one says everything that the older one did.
bool replaceable(const Command& command) {
  return is<command::Seek>(command) || is<command::Prompt>(command) || is<command::Speed>(command) ||
         is<command::Watch>(command) || is<command::Tiles>(command) || is<command::Run>(command) ||
         is<command::Pause>(command) || is<command::Intervene>(command) || is<command::SwitchTo>(command) ||
         is<command::HistoryBudget>(command) || is<command::StepLast>(command) || is<Sampler>(command);
}

// Order does not matter between these and any command of another kind.
bool independent(const Command& command) {
  return is<command::Speed>(command) || is<command::Watch>(command) || is<command::Tiles>(command);
}

}  // namespace

void CommandQueue::post(Command command) {
  {
    const std::lock_guard lock(mutex_);
    // Looks back for a command of the same kind, as long as nothing lies between whose order matters.
    for (auto at = commands_.rbegin(); at != commands_.rend(); ++at) {
      if (at->index() == command.index()) {
        if (auto* step = std::get_if<command::Step>(&command)) {
          step->count += std::max(0, std::get<command::Step>(*at).count);
          commands_.erase(std::next(at).base());
        } else if (replaceable(command)) {
          commands_.erase(std::next(at).base());
        }
        break;
      }
      if (!independent(*at) && !independent(command)) break;
    }
    commands_.push_back(std::move(command));
  }
  posted_.notify_one();
}

std::vector<Command> CommandQueue::take() {
  const std::lock_guard lock(mutex_);
  std::vector<Command> taken(std::make_move_iterator(commands_.begin()), std::make_move_iterator(commands_.end()));
  commands_.clear();
  if (!taken.empty()) resting_ = false;
  return taken;
}

void CommandQueue::wait_until(const std::stop_token& stop, Clock::time_point time) {
  std::unique_lock lock(mutex_);
  posted_.wait_until(lock, stop, time, [this] { return !commands_.empty(); });
}

void CommandQueue::wait(const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  if (commands_.empty()) {
    resting_ = true;
    rested_.notify_all();
  }
  posted_.wait(lock, stop, [this] { return !commands_.empty(); });
}

void CommandQueue::wait_idle() {
  std::unique_lock lock(mutex_);
  rested_.wait(lock, [this] { return closed_ || (resting_ && commands_.empty()); });
}

void CommandQueue::close() {
  {
    const std::lock_guard lock(mutex_);
    closed_ = true;
  }
  rested_.notify_all();
}

}  // namespace engine
