// Threads that share the items of one stage after another. Between stages of a step the workers spin, because the next
// stage is microseconds away; when nothing comes they sleep. One thread calls run(); which thread does which items is
// left to chance, so items must not depend on each other.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <thread>
#include <vector>

namespace engine {

class ThreadPool {
 public:
  // `threads` counts the caller: 1 starts none.
  explicit ThreadPool(int threads);
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  int threads() const { return static_cast<int>(workers_.size()) + 1; }

  // Calls work(begin, end) on ranges that cover [0, items) in about `chunks` pieces, on all threads; returns when all
  // is done. One chunk runs on the calling thread without any synchronisation.
  template <class Work>
  void run(int items, int chunks, const Work& work) {
    if (chunks > items) chunks = items;
    if (chunks <= 1 || workers_.empty()) {
      if (items > 0) work(0, items);
      return;
    }
    run_chunks({[](const void* context, int begin, int end) { (*static_cast<const Work*>(context))(begin, end); },
                &work, items, chunks});
  }

 private:
  struct Job {
    void (*call)(const void* context, int begin, int end) = nullptr;
    const void* context = nullptr;
    int items = 0;
    int chunks = 0;
  };

  void run_chunks(const Job& job);
  void work_until_stopped();
  bool take_chunk();  // false: none left

  // Number of the job in the upper half, chunks not yet taken in the lower. Job fields are written before a number is
  // published and read only by who has taken one of its chunks, which keeps the job alive.
  std::atomic<std::uint64_t> state_{0};
  std::atomic<int> done_{0};  // chunks of the job that are finished
  std::atomic<bool> stopping_{false};
  Job job_;
  std::vector<std::jthread> workers_;
};

}  // namespace engine
