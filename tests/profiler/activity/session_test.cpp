// The session's order of calls and every way in which CUPTI can fail, against a fake library.
#include "profiler/activity/session.h"

#include "tests/profiler/fake_cupti.h"

#include <doctest/doctest.h>

#include <algorithm>

using profiler::ActivityOptions;
using profiler::ActivitySession;
using profiler::CuptiFault;
using profiler::StageTime;

namespace {

struct Listener : profiler::TimesListener {
  std::mutex mutex;
  std::vector<StageTime> with, without;
  void tagged(std::span<const StageTime> times) override {
    const std::lock_guard lock(mutex);
    with.insert(with.end(), times.begin(), times.end());
  }
  void untagged(std::span<const StageTime> times) override {
    const std::lock_guard lock(mutex);
    without.insert(without.end(), times.begin(), times.end());
  }
};

auto start(fake::Script& script, ActivityOptions options = {}) {
  return ActivitySession::start(std::make_unique<fake::Cupti>(script), options);
}

std::size_t place(const std::vector<std::string>& calls, const std::string& call) {
  return static_cast<std::size_t>(std::find(calls.begin(), calls.end(), call) - calls.begin());
}

}  // namespace

TEST_CASE("the session makes its calls in the order that CUPTI needs") {
  fake::Script script;
  auto session = start(script);
  REQUIRE(session);
  (*session)->stop();
  (*session)->stop();  // twice is as good as once
  const std::vector<std::string>& calls = script.calls;
  CHECK(place(calls, "version") < place(calls, "subscribe"));
  CHECK(place(calls, "subscribe") < place(calls, "exchange_buffers"));
  CHECK(place(calls, "exchange_buffers") < place(calls, "enable 0"));
  for (int kind = 0; kind < 6; ++kind) CHECK(script.count("enable " + std::to_string(kind)) == 1);
  CHECK(script.count("timestamp") >= 21);
  CHECK(place(calls, "flush forced") < place(calls, "disable 0"));
  CHECK(place(calls, "disable 5") < place(calls, "unsubscribe"));
  CHECK(script.count("unsubscribe") == 1);
  CHECK(calls.back() == "unsubscribe");
}

TEST_CASE("work reaches the listener of its source with its stage") {
  fake::Script script;
  auto session = start(script);
  REQUIRE(session);
  ActivitySession& activity = **session;
  Listener one, two;
  activity.listen(1, &one);
  activity.listen(2, &two);

  activity.begin_work({1, 7, profiler::between_stages});
  script.launch(10, 11);
  activity.begin_work({1, 7, 3});
  script.launch(20, 25, "a");
  script.launch(25, 28, "b", false);
  activity.end_work();
  script.launch(30, 31);
  activity.end_work();
  activity.begin_work({2, 0, 0});
  script.launch(40, 44);
  activity.end_work();
  script.launch(50, 51);  // nobody's
  activity.flush();

  REQUIRE(one.with.size() == 4);
  CHECK(std::count_if(one.with.begin(), one.with.end(), [](const StageTime& t) { return t.tag.stage == 3; }) == 2);
  CHECK(std::count_if(one.with.begin(), one.with.end(),
                      [](const StageTime& t) { return t.tag.stage == profiler::between_stages; }) == 2);
  REQUIRE(two.with.size() == 1);
  CHECK(two.with[0].duration_ns == 4);
  CHECK(one.without.size() == 1);
  const profiler::ProfilerStatus status = activity.status();
  CHECK(status.available);
  CHECK(status.source == profiler::TimeSource::cupti);
  CHECK(status.tier == 1);
  CHECK(status.library == "/fake/libcupti.so");
  CHECK(status.version == "13.0.1");
  CHECK(status.records == 6);
  CHECK(status.untagged == 1);
  CHECK(status.dropped == 0);
  CHECK(status.reason.empty());
  activity.forget(1);
  activity.begin_work({1, 8, 3});
  script.launch(60, 65);
  activity.end_work();
  activity.flush();
  CHECK(one.with.size() == 4);
  CHECK(activity.status().records == 7);
}

TEST_CASE("finished work arrives without a flush of the caller's") {
  fake::Script script;
  auto session = start(script);
  REQUIRE(session);
  Listener listener;
  (*session)->listen(1, &listener);
  for (std::uint32_t token = 0; token < 3; ++token) {
    (*session)->begin_work({1, token, 0});
    script.launch(100 * token + 1, 100 * token + 5);
    (*session)->end_work();
    (*session)->work_finished();  // the first flushes at once, the others are too soon
  }
  for (int wait = 0; wait < 400; ++wait) {
    {
      const std::lock_guard lock(listener.mutex);
      if (listener.with.size() == 3) break;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  const std::lock_guard lock(listener.mutex);
  CHECK(listener.with.size() == 3);
}

TEST_CASE("every failure at the start is a reason and a remedy") {
  struct Row {
    const char* call;
    CuptiFault fault;
    const char* says;
    bool subscribed;
  };
  const Row rows[] = {
      {"version", CuptiFault::missing_symbol, "version", false},
      {"subscribe", CuptiFault::second_subscriber, "Another tool", false},
      {"subscribe", CuptiFault::no_driver, "driver", false},
      {"subscribe", CuptiFault::other, "subscribe", false},
      {"exchange_buffers", CuptiFault::other, "callbacks", true},
      {"enable 0", CuptiFault::no_privilege, "may not profile", true},
      {"enable 0", CuptiFault::hardware_busy, "DCGM", true},
      {"subscribe", CuptiFault::unsupported_device, "vGPU", false},
      {"enable 3", CuptiFault::out_of_memory, "enable", true},
      {"timestamp", CuptiFault::missing_symbol, "clock", true},
  };
  for (const Row& row : rows) {
    CAPTURE(row.call);
    fake::Script script;
    script.faults[row.call] = row.fault;
    const auto session = start(script);
    REQUIRE_FALSE(session);
    CHECK(session.error().reason.find(row.says) != std::string::npos);
    CHECK_FALSE(session.error().remedy.empty());
    CHECK(script.count("unsubscribe") == (row.subscribed ? 1 : 0));
  }
}

TEST_CASE("a library that is too old is refused before it is subscribed to") {
  fake::Script script;
  script.version = 26;
  const auto session = start(script);
  REQUIRE_FALSE(session);
  CHECK(session.error().reason.find("API 26") != std::string::npos);
  CHECK(session.error().reason.find("13.0.0") != std::string::npos);
  CHECK(script.count("subscribe") == 0);
}

TEST_CASE("without overhead records the session goes on") {
  fake::Script script;
  script.faults["enable 5"] = CuptiFault::other;
  CHECK(start(script));
}

TEST_CASE("a clock that only answers zero is no clock") {
  fake::Script script;
  script.now = 0;
  const auto session = start(script);
  REQUIRE_FALSE(session);
  CHECK(session.error().reason.find("clock") != std::string::npos);
}

TEST_CASE("failures while running are said and the session goes on") {
  fake::Script script;
  auto session = start(script);
  REQUIRE(session);
  Listener listener;
  (*session)->listen(1, &listener);

  SUBCASE("tags refused") {
    script.faults["push"] = CuptiFault::missing_symbol;
    (*session)->begin_work({1, 0, 0});
    script.launch(1, 2);
    (*session)->flush();
    CHECK(listener.without.size() == 1);
    CHECK((*session)->status().reason.find("tags") != std::string::npos);
  }
  SUBCASE("flush refused") {
    script.faults["flush"] = CuptiFault::other;
    (*session)->flush();
    CHECK((*session)->status().reason.find("flush") != std::string::npos);
  }
  SUBCASE("a buffer that cannot be read to its end") {
    script.faults["read"] = CuptiFault::other;
    (*session)->begin_work({1, 0, 0});
    script.launch(1, 2);
    (*session)->flush();
    CHECK((*session)->status().invalid == 1);
    CHECK(listener.with.size() == 1);
  }
  CHECK_FALSE((*session)->status().remedy.empty());
}

TEST_CASE("a device that is lost in the middle: what was recorded is kept, and the session still ends") {
  fake::Script script;
  auto session = start(script);
  REQUIRE(session);
  Listener listener;
  (*session)->listen(1, &listener);
  (*session)->begin_work({1, 0, 0});
  script.launch(1, 2);
  (*session)->end_work();
  (*session)->flush();
  REQUIRE(listener.with.size() == 1);
  // From now on every call that needs the device fails; what is still on the device never comes.
  for (const char* call : {"push", "pop", "flush", "flush forced", "timestamp", "dropped", "graph_node_id"}) {
    script.faults[call] = CuptiFault::no_driver;
  }
  (*session)->begin_work({1, 1, 0});
  script.launch(3, 4);
  (*session)->end_work();
  (*session)->work_finished();
  (*session)->flush();
  const std::uint64_t handle = 7;
  const profiler::NodeStage node{&handle, 1};
  CHECK_FALSE((*session)->know_graph({&node, 1}));
  const profiler::ProfilerStatus status = (*session)->status();
  CHECK(status.records == 1);
  CHECK_FALSE(status.reason.empty());
  CHECK_FALSE(status.remedy.empty());
  (*session)->stop();
  CHECK(script.count("unsubscribe") == 1);
  CHECK(listener.with.size() == 1);
}

TEST_CASE("buffers that run out are counted, and come back") {
  fake::Script script;
  ActivityOptions options;
  options.buffers = 1;
  options.buffer_bytes = 1;  // rounded up to one page
  auto session = start(script, options);
  REQUIRE(session);
  Listener listener;
  (*session)->listen(1, &listener);
  (*session)->begin_work({1, 0, 0});
  for (std::uint64_t i = 0; i < 1000; ++i) script.launch(i + 1, i + 2);
  (*session)->flush();
  const auto seen = listener.with.size();
  const profiler::ProfilerStatus status = (*session)->status();
  CHECK(seen > 0);
  CHECK(seen < 1000);
  CHECK(status.dropped > 0);
  CHECK(status.reason.find("no free buffer") != std::string::npos);
  script.launch(5000, 5001);
  (*session)->flush();
  CHECK(listener.with.size() == seen + 1);
}
