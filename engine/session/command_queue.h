// Commands on their way to the stepping thread. Posting never waits for a step; a newer seek, prompt, speed or watch
// replaces one that still waits, as far as the order allows it. Any thread posts, one thread takes.
#pragma once

#include "engine/session/session.h"

#include <chrono>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <stop_token>
#include <vector>

namespace engine {

class CommandQueue {
 public:
  using Clock = std::chrono::steady_clock;

  void post(Command command);
  // Everything that waits, oldest first.
  std::vector<Command> take();
  // Until a command waits, the time has come, or a stop is asked for.
  void wait_until(const std::stop_token& stop, Clock::time_point time);
  // The same without an end; the taking thread has nothing to do meanwhile, which is what wait_idle waits for.
  void wait(const std::stop_token& stop);

  // Until no command waits and the taking thread has nothing to do, or has closed the queue.
  void wait_idle();
  // The taking thread ends: nobody waits for it any more.
  void close();

 private:
  std::mutex mutex_;
  std::condition_variable_any posted_, rested_;
  std::deque<Command> commands_;
  bool resting_ = false, closed_ = false;
};

}  // namespace engine
