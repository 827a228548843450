// What is made behind the window: progress, the value once, giving up without waiting, and what large counts do when told to stop.
#include "app/wiring/making.h"

#include "app/viewmodel/timing_distribution.h"
#include "app/viewmodel/timing_rows.h"
#include "app/viewmodel/timing_view.h"
#include "tests/support/example_profile.h"

#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <thread>

namespace {

template <class Done>
bool soon(Done done) {
  for (int i = 0; i < 2000; ++i) {
    if (done()) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return false;
}

}  // namespace

TEST_CASE("a value is made behind, tells how far it is, and is taken once") {
  std::atomic<bool> go{false};
  app::Making<int> making([&](const profiler::GoesOn& goes_on) {
    CHECK(goes_on(0.25));
    while (!go) std::this_thread::yield();
    return 7;
  });
  CHECK(soon([&] { return making.progress() == 0.25; }));
  CHECK(making.take() == nullptr);
  go = true;
  std::shared_ptr<const int> made;
  REQUIRE(soon([&] { return (made = making.take()) != nullptr; }));
  CHECK(*made == 7);
  CHECK(making.take() == nullptr);
}

TEST_CASE("nobody waits for what was given up, and its thread ends") {
  std::atomic<bool> told{false}, may_end{false};
  app::Kept<int, int> kept;
  kept.start(1, [&](const profiler::GoesOn& goes_on) {
    while (goes_on(0.5)) std::this_thread::yield();
    told = true;
    while (!may_end) std::this_thread::yield();
    return 1;
  });
  kept.start(1, [](const profiler::GoesOn&) { return -1; });  // the same: it goes on
  CHECK(kept.poll());
  kept.start(2, [](const profiler::GoesOn&) { return 2; });  // another: returns although the first has not ended
  CHECK(app::BehindTask::leaving() == 1);
  CHECK(soon([&] { return told.load(); }));
  CHECK(soon([&] { return !kept.poll(); }));
  CHECK(kept.get(1) == nullptr);
  REQUIRE(kept.get(2) != nullptr);
  CHECK(*kept.get(2) == 2);
  CHECK(app::BehindTask::leaving() == 1);
  may_end = true;
  CHECK(soon([] { return app::BehindTask::leaving() == 0; }));
}

TEST_CASE("what was made stays until there is something else, and going back gives the other up") {
  app::Kept<int, int> kept;
  kept.put(1, 10);
  std::atomic<bool> given_up{false};
  kept.start(2, [&](const profiler::GoesOn& goes_on) {
    while (goes_on(0)) std::this_thread::yield();
    given_up = true;
    return 20;
  });
  CHECK(*kept.values == 10);
  CHECK(kept.get(2) == nullptr);
  CHECK(*kept.get(1) == 10);
  CHECK_FALSE(kept.poll());
  CHECK(soon([&] { return given_up.load(); }));
}

TEST_CASE("counts of many tokens ask whether to go on, with a share that rises to its end") {
  const app::ProfileResult profile = tests::example_profile(3, 1000);
  const auto watch = [](const auto& make) {
    double last = -1;
    int asked = 0;
    make([&](double done) {
      CHECK(done >= last);
      CHECK(done <= 1);
      last = done;
      ++asked;
      return true;
    });
    CHECK(asked > 15);
    CHECK(last > 0.6);
    // Told to stop at once, little is asked: nothing is counted to its end.
    int after = 0;
    make([&](double) {
      ++after;
      return false;
    });
    CHECK(after < 6);
  };
  watch([&](const profiler::GoesOn& g) { app::make_timing_table(profile.plan, app::CountedTimes(profile.tokens, g)); });
  watch([&](const profiler::GoesOn& g) {
    app::make_timing_rows(profile.plan, app::CountedTimes(profile.tokens, g), app::ProfileRows::stages);
  });
  watch([&](const profiler::GoesOn& g) {
    app::make_timing_distribution(profile.plan, app::CountedTimes(profile.tokens, g), 3, -1);
  });
  // Asked or not, the numbers are the same.
  const auto rows = app::make_timing_rows(profile.plan, profile.tokens, app::ProfileRows::kinds);
  const profiler::GoesOn always = [](double) { return true; };
  const auto asked =
      app::make_timing_rows(profile.plan, app::CountedTimes(profile.tokens, always), app::ProfileRows::kinds);
  REQUIRE(rows.size() == asked.size());
  for (std::size_t i = 0; i < rows.size(); ++i) CHECK(rows[i].median_us == asked[i].median_us);
}
