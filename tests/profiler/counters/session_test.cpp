// Counting in passes, and every way in which it can be refused, against a fake library.
#include "profiler/counters/session.h"

#include "profiler/counters/live.h"
#include "tests/profiler/counters/fake_counters.h"

#include <doctest/doctest.h>

#include <algorithm>

using profiler::CounterSession;
using profiler::CuptiFault;

namespace {

auto start(fake::CounterScript& script, std::size_t ranges = 8) {
  return CounterSession::start(std::make_unique<fake::Counters>(script), {"a.sum", "b.sum", "c.pct"}, ranges);
}

}  // namespace

TEST_CASE("counters: the work is run as often as the library wants, then read once") {
  fake::CounterScript script;
  script.unknown = {"b.sum"};
  {
    auto session = start(script);
    REQUIRE(session);
    CHECK(session->chip() == "FK100");
    CHECK(session->passes() == 3);
    CHECK(session->metrics() == std::vector<std::string>{"a.sum", "c.pct"});
    CHECK(session->missing() == std::vector<std::string>{"b.sum"});
    int passes = 0;
    for (bool more = true; more; ++passes) {
      session->begin_pass();
      for (const char* name : {"0", "1"}) {
        session->begin_range(name);
        session->end_range();
      }
      more = session->end_pass();
    }
    CHECK(passes == 3);
    const auto counted = session->read();
    REQUIRE(counted);
    REQUIRE(counted->ranges.size() == 2);
    CHECK(counted->ranges[1].name == "1");
    CHECK(counted->ranges[1].values == std::vector<double>{100, 101});
  }
  CHECK(script.count("begin_range") == 6);
  CHECK(script.count("disable") >= 1);
  const auto place = [&](const char* call) { return std::find(script.calls.begin(), script.calls.end(), call); };
  CHECK(place("open") < place("choose"));
  CHECK(place("choose") < place("enable"));
  CHECK(place("enable") < place("begin_pass"));
  CHECK(place("read") < place("disable"));
}

TEST_CASE("counters: each refusal at the start is a reason and a remedy") {
  struct Row {
    const char* call;
    CuptiFault fault;
    const char *says, *remedy;
  };
  const Row rows[] = {
      {"open", CuptiFault::no_privilege, "may not profile", "ERR_NVGPUCTRPERM"},
      {"open", CuptiFault::second_subscriber, "Another tool", "without that tool"},
      {"open", CuptiFault::no_driver, "driver", "nvidia-smi"},
      {"open", CuptiFault::unsupported_device, "MIG", "whole GPU"},
      {"choose", CuptiFault::other, "plan the passes", "MAMBASCOPE_CUPTI"},
      {"enable", CuptiFault::hardware_busy, "DCGM", "dcgmi profile --pause"},
      {"enable", CuptiFault::out_of_memory, "take the counters", "Free memory"},
      {"enable", CuptiFault::no_privilege, "may not profile", "CAP_SYS_ADMIN"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.call);
    CAPTURE(row.says);
    fake::CounterScript script;
    script.faults[row.call] = row.fault;
    const auto session = start(script);
    REQUIRE_FALSE(session);
    CHECK(session.error().reason.find(row.says) != std::string::npos);
    CHECK(session.error().remedy.find(row.remedy) != std::string::npos);
    CHECK(script.count("begin_pass") == 0);
    CHECK(script.count("disable") == 1);  // whatever was taken is given back
  }
  fake::CounterScript none;
  none.unknown = {"*"};
  const auto session = start(none);
  REQUIRE_FALSE(session);
  CHECK(session.error().reason.find("FK100") != std::string::npos);
}

TEST_CASE("counters: a failure in the middle ends the counting once, and no call follows it") {
  for (const char* call : {"begin_pass", "begin_range", "end_range", "end_pass", "read"}) {
    CAPTURE(call);
    fake::CounterScript script;
    script.faults[call] = CuptiFault::other;
    script.fails_at[call] = std::string(call) == "read" ? 1 : 2;
    auto session = start(script);
    REQUIRE(session);
    for (bool more = true; more;) {
      session->begin_pass();
      session->begin_range("0");
      session->end_range();
      more = session->end_pass();
    }
    const int made = script.count(call);
    const auto counted = session->read();
    REQUIRE_FALSE(counted);
    CHECK(counted.error().reason.find("FAKE") != std::string::npos);
    CHECK_FALSE(counted.error().remedy.empty());
    CHECK(script.count(call) == (std::string(call) == "read" ? 1 : made));
    session->begin_pass();
    CHECK(script.count("begin_pass") <= 3);
  }
}

TEST_CASE("counters: a library that never has enough is not asked for ever") {
  fake::CounterScript script;
  script.complete = false;
  auto session = start(script);
  REQUIRE(session);
  int passes = 0;
  for (bool more = true; more; ++passes) {
    session->begin_pass();
    more = session->end_pass();
  }
  CHECK(passes == 16);
  REQUIRE(session->failure());
  CHECK(session->failure()->reason.find("announced 3 passes") != std::string::npos);
}

TEST_CASE("counters: a library without the range profiler says what it lacks") {
  const auto api = profiler::bind_counters("/some/libcupti.so", [](const char*) -> void* { return nullptr; });
  REQUIRE_FALSE(api);
  CHECK_FALSE(api.error().remedy.empty());
#ifdef MAMBASCOPE_HAVE_COUNTERS
  CHECK(api.error().reason.find("cuptiRangeProfilerEnable") != std::string::npos);
  CHECK(api.error().remedy.find("12.6") != std::string::npos);
#endif
}
