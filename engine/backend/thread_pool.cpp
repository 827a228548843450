#include "engine/backend/thread_pool.h"

namespace engine {
namespace {

constexpr std::uint64_t left_mask = 0xFFFFFFFFU;
constexpr std::uint64_t one_job = std::uint64_t{1} << 32U;
// About 50 microseconds: longer than the gaps inside a step, shorter than a frame.
constexpr int spins_before_sleep = 2000;
constexpr int spins_before_yield = 500;

void relax() {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

}  // namespace

ThreadPool::ThreadPool(int threads) {
  for (int i = 1; i < threads; ++i) workers_.emplace_back([this] { work_until_stopped(); });
}

ThreadPool::~ThreadPool() {
  stopping_.store(true, std::memory_order_relaxed);
  state_.fetch_add(one_job, std::memory_order_release);
  state_.notify_all();
}

bool ThreadPool::take_chunk() {
  std::uint64_t state = state_.load(std::memory_order_acquire);
  do {
    if ((state & left_mask) == 0) return false;
  } while (!state_.compare_exchange_weak(state, state - 1, std::memory_order_acquire, std::memory_order_acquire));
  const auto chunk = static_cast<std::int64_t>((state & left_mask) - 1);
  const auto begin = static_cast<int>(chunk * job_.items / job_.chunks);
  const auto end = static_cast<int>((chunk + 1) * job_.items / job_.chunks);
  job_.call(job_.context, begin, end);
  done_.fetch_add(1, std::memory_order_release);
  return true;
}

void ThreadPool::run_chunks(const Job& job) {
  job_ = job;
  done_.store(0, std::memory_order_relaxed);
  const std::uint64_t number = (state_.load(std::memory_order_relaxed) & ~left_mask) + one_job;
  state_.store(number | static_cast<std::uint64_t>(job.chunks), std::memory_order_release);
  state_.notify_all();
  while (take_chunk()) {
  }
  for (int spins = 0; done_.load(std::memory_order_acquire) != job.chunks; ++spins) {
    if (spins < spins_before_yield) {
      relax();
    } else {
      std::this_thread::yield();
    }
  }
}

void ThreadPool::work_until_stopped() {
  while (true) {
    std::uint64_t state = state_.load(std::memory_order_acquire);
    for (int spins = 0; (state & left_mask) == 0 && spins < spins_before_sleep; ++spins) {
      relax();
      state = state_.load(std::memory_order_acquire);
      if (stopping_.load(std::memory_order_relaxed)) return;
    }
    if ((state & left_mask) == 0) state_.wait(state, std::memory_order_acquire);
    if (stopping_.load(std::memory_order_relaxed)) return;
    while (take_chunk()) {
    }
  }
}

}  // namespace engine
