#include "app/wiring/step_pauses.h"

#include "app/wiring/timing_store.h"
#include "profiler/activity/process.h"

#include <doctest/doctest.h>

#include <atomic>
#include <thread>

namespace {

using app::StepPauses;
using namespace std::chrono_literals;
using Clock = StepPauses::Clock;

// By a clock that stands at `now`.
double waited_ms(const StepPauses& pauses, Clock::duration most, Clock::time_point now = Clock::now()) {
  const auto start = Clock::now();
  pauses.wait(start + most, now);
  return std::chrono::duration<double, std::milli>(Clock::now() - start).count();
}

constexpr double at_once = 5000;  // ms, on a machine that does other things

}  // namespace

TEST_CASE("where no step runs nobody waits for one: before the first, just behind one, and long after") {
  StepPauses pauses;
  CHECK(waited_ms(pauses, 10s) < at_once);
  const auto end = Clock::now();
  pauses.step_begins();
  pauses.step_ended(end);
  CHECK(waited_ms(pauses, 10s, end + 500us) < at_once);
  CHECK(waited_ms(pauses, 10s, end + 40ms) < at_once);
  CHECK(pauses.wait(end, end + 500us));
  CHECK_FALSE(pauses.wait(end, end + 40ms));
  // Another step is expected soon, and the pause may be over before anything is drawn in it.
  CHECK(waited_ms(pauses, 30ms, end + 3ms) >= 30);
}

TEST_CASE(
    "pauses that were long are taken to be long: half of one is begun on, its end is not, and a short one counts") {
  StepPauses pauses;
  auto now = Clock::now();
  const auto step = [&](Clock::duration pause) {
    pauses.step_begins(now);
    pauses.step_ended(now += 2ms);
    now += pause;
  };
  for (int i = 0; i < 10; ++i) step(7ms);
  const auto end = now - 7ms;  // of the last step
  CHECK(waited_ms(pauses, 10s, end + 4ms) < at_once);
  CHECK(waited_ms(pauses, 30ms, end + 6ms) >= 30);
  step(1ms);
  step(7ms);
  CHECK(waited_ms(pauses, 30ms, now - 4ms) >= 30);
}

TEST_CASE("while a step runs the wait is for its end, and no longer than was said") {
  StepPauses pauses;
  const auto begin = Clock::now();
  pauses.step_begins(begin);
  CHECK(waited_ms(pauses, 30ms, begin) >= 30);

  std::atomic<bool> ended{false};
  std::thread stepping([&] {
    std::this_thread::sleep_for(20ms);
    ended = true;
    pauses.step_ended();
  });
  pauses.wait(Clock::now() + 10s, begin);
  CHECK(ended);
  stepping.join();
}

TEST_CASE("a step that failed never ends: soon nobody waits for it, and the next ones count again") {
  StepPauses pauses;
  const auto begin = Clock::now();
  pauses.step_begins(begin);
  CHECK(waited_ms(pauses, 30ms, begin + 5ms) >= 30);
  CHECK(waited_ms(pauses, 10s, begin + 40ms) < at_once);
  CHECK_FALSE(pauses.wait(begin, begin + 40ms));
  pauses.step_begins(begin + 1s);
  CHECK(waited_ms(pauses, 30ms, begin + 1005ms) >= 30);
  pauses.step_ended(begin + 1006ms);
  CHECK(pauses.wait(begin, begin + 1006ms));
}

TEST_CASE("the times of a GPU's steps know their pauses, those of a CPU's have none") {
  CHECK(app::TimingStore::make(1, false)->pauses() == nullptr);
  const auto store = app::TimingStore::make(1, nullptr, {"no CUPTI", "none"});
  REQUIRE(store->pauses() != nullptr);
  const auto before = Clock::now();
  store->step_begin(0);
  store->step_queued();
  CHECK(waited_ms(*store->pauses(), 30ms, before) >= 30);
  store->step_end(0);
  CHECK(waited_ms(*store->pauses(), 10s, Clock::now() + 1h) < at_once);
}
