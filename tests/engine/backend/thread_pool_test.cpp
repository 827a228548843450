#include "engine/backend/thread_pool.h"

#include <doctest/doctest.h>

#include <chrono>
#include <numeric>
#include <thread>
#include <vector>

TEST_CASE("thread pool: every item once, whatever the numbers of threads, items and chunks") {
  for (const int threads : {1, 2, 3, 5}) {
    engine::ThreadPool pool(threads);
    CHECK(pool.threads() == threads);
    for (const int items : {0, 1, 2, 7, 64, 1000}) {
      for (const int chunks : {0, 1, 3, 16, 2000}) {
        std::vector<int> touched(static_cast<std::size_t>(items));  // not atomic: no item is shared
        pool.run(items, chunks, [&](int begin, int end) {
          for (int i = begin; i < end; ++i) ++touched[static_cast<std::size_t>(i)];
        });
        CHECK(std::accumulate(touched.begin(), touched.end(), 0) == items);
        for (const int count : touched) REQUIRE(count == 1);
      }
    }
  }
}

TEST_CASE("thread pool: many jobs in a row, and jobs after the workers have gone to sleep") {
  engine::ThreadPool pool(3);
  std::vector<long> sums(12);
  for (int job = 0; job < 3000; ++job) {
    pool.run(12, 12, [&](int begin, int end) {
      for (int i = begin; i < end; ++i) sums[static_cast<std::size_t>(i)] += job;
    });
    if (job % 1000 == 999) std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  for (const long sum : sums) CHECK(sum == 3000L * 2999 / 2);
}
