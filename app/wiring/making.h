// A value that is made behind the window: on a thread of its own, with its progress, and given up once nobody wants it any more.
// Asked from the window's thread, which never waits: not for a value, and not for the end of one that was given up.
#pragma once

#include "profiler/report/statistics.h"

#include <functional>
#include <memory>
#include <utility>

namespace app {

// The thread of a Making, whatever it makes.
class BehindTask {
 public:
  // `work` is told whether to go on, and tells what share is done. It must own, or share, all that it reads.
  explicit BehindTask(std::function<void(const profiler::GoesOn&)> work);
  // Gives it up; the thread ends by itself, and at the latest with the program.
  ~BehindTask();
  BehindTask(const BehindTask&) = delete;
  BehindTask& operator=(const BehindTask&) = delete;

  double progress() const;  // 0..1
  bool ended() const;
  // Threads that were given up and still run. For tests.
  static std::size_t leaving();

 private:
  struct State;
  std::shared_ptr<State> state_;
};

template <class Value>
class Making {
 public:
  using Make = std::function<Value(const profiler::GoesOn&)>;
  explicit Making(Make make)
      : made_(std::make_shared<std::shared_ptr<const Value>>()),
        task_([made = made_, make = std::move(make)](const profiler::GoesOn& goes_on) {
          *made = std::make_shared<const Value>(make(goes_on));
        }) {}

  double progress() const { return task_.progress(); }
  // What was made, once; null before, and after it was taken.
  std::shared_ptr<const Value> take() { return task_.ended() ? std::move(*made_) : nullptr; }

 private:
  std::shared_ptr<std::shared_ptr<const Value>> made_;  // the task's until it has ended
  BehindTask task_;
};

// A value and what it was made from, so that it is made again only for something else; and the next one while it is made.
template <class Key, class Value>
struct Kept {
  Key of{};
  std::shared_ptr<const Value> values;  // of `of`; null: none was made yet
  Key making_of{};
  std::unique_ptr<Making<Value>> making;  // null: nothing is being made

  // Takes what has become ready. True: something is still being made.
  bool poll() {
    if (!making) return false;
    if (auto made = making->take()) {
      values = std::move(made);
      of = making_of;
      making.reset();
    }
    return making != nullptr;
  }
  // The value where it is of `key`; whatever is made for another key is given up then.
  const Value* get(const Key& key) {
    if (!values || !(of == key)) return nullptr;
    making.reset();
    return values.get();
  }
  void put(const Key& key, Value value) {
    making.reset();
    values = std::make_shared<const Value>(std::move(value));
    of = key;
  }
  // In place of what is being made for something else, which is given up.
  void start(const Key& key, typename Making<Value>::Make make) {
    if (making && making_of == key) return;
    making = std::make_unique<Making<Value>>(std::move(make));
    making_of = key;
  }
};

}  // namespace app
