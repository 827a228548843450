// Sampling counters over time, and every way in which it can be refused, against a fake library.
#include "profiler/counters/sampling.h"

#include "profiler/counters/live_sampling.h"
#include "tests/profiler/counters/fake_sampling.h"

#include <doctest/doctest.h>

#include <algorithm>

using profiler::CuptiFault;
using profiler::SamplingSession;

namespace {

auto start(fake::SamplingScript& script) {
  return SamplingSession::start(std::make_unique<fake::Sampling>(script), {"a", "b", "c", "d"}, 2000, 1000);
}

}  // namespace

TEST_CASE("samples: what the chip lacks and what would take another pass is left out") {
  fake::SamplingScript script;
  script.unknown = {"b"};
  script.most_in_a_pass = 2;
  script.play(2, 3, 10, 2);
  {
    auto session = start(script);
    REQUIRE(session);
    CHECK(session->chip() == "FK100");
    CHECK(session->interval_ns() == 2000);
    CHECK(session->metrics() == std::vector<std::string>{"a", "c"});
    CHECK(session->missing() == std::vector<std::string>{"b", "d"});
    session->begin();
    session->end();
    const auto sampled = session->read();
    REQUIRE(sampled);
    CHECK(sampled->samples.size() == 5);
    CHECK_FALSE(sampled->overflow);
  }
  CHECK(script.count("choose") == 2);
  const auto place = [&](const char* call) { return std::find(script.calls.begin(), script.calls.end(), call); };
  CHECK(place("open") < place("choose"));
  CHECK(place("choose") < place("enable"));
  CHECK(place("enable") < place("start"));
  CHECK(place("start") < place("stop"));
  CHECK(place("stop") < place("read"));
  CHECK(place("read") < place("disable"));
}

TEST_CASE("samples: each refusal at the start is a reason and a remedy") {
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
      {"choose", CuptiFault::other, "plan the samples", "MAMBASCOPE_CUPTI"},
      {"enable", CuptiFault::hardware_busy, "DCGM", "dcgmi profile --pause"},
      {"enable", CuptiFault::out_of_memory, "sample the counters", "Free memory"},
      {"enable", CuptiFault::no_privilege, "may not profile", "CAP_SYS_ADMIN"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.call);
    CAPTURE(row.says);
    fake::SamplingScript script;
    script.faults[row.call] = row.fault;
    const auto session = start(script);
    REQUIRE_FALSE(session);
    CHECK(session.error().reason.find(row.says) != std::string::npos);
    CHECK(session.error().remedy.find(row.remedy) != std::string::npos);
    CHECK(script.count("start") == 0);
    CHECK(script.count("disable") == 1);  // whatever was taken is given back
  }
  fake::SamplingScript none;
  none.unknown = {"*"};
  const auto session = start(none);
  REQUIRE_FALSE(session);
  CHECK(session.error().reason.find("FK100") != std::string::npos);
  fake::SamplingScript narrow;
  narrow.most_in_a_pass = 0;
  CHECK_FALSE(start(narrow));
}

TEST_CASE("samples: a failure in the middle is a reason, and no call follows it but the end") {
  for (const char* call : {"start", "stop", "read"}) {
    CAPTURE(call);
    fake::SamplingScript script;
    script.faults[call] = CuptiFault::no_driver;
    auto session = start(script);
    REQUIRE(session);
    session->begin();
    session->end();
    const auto sampled = session->read();
    REQUIRE_FALSE(sampled);
    CHECK(sampled.error().reason.find("FAKE") != std::string::npos);
    CHECK_FALSE(sampled.error().remedy.empty());
    CHECK(script.count(call) == 1);
    CHECK(script.count("read") == (std::string(call) == "read" ? 1 : 0));
    CHECK(script.count("disable") >= 1);
  }
}

TEST_CASE("samples: pieces of work are told apart by the time between them") {
  fake::SamplingScript script;
  script.play(5, 10, 50, 1);
  script.play(2, 4, 50, 1);    // 4 us: a gap between kernels
  script.play(100, 6, 50, 1);  // 200 us: another token
  script.play(300, 0, 0, 1);
  const auto runs = profiler::busy_runs(script.samples, 0, 100'000);
  REQUIRE(runs.size() == 2);
  CHECK(runs[0] == std::pair<std::size_t, std::size_t>{5, 21});
  CHECK(runs[1] == std::pair<std::size_t, std::size_t>{121, 127});
  CHECK(profiler::busy_runs(script.samples, 7, 100'000).empty());
  CHECK(profiler::busy_runs({}, 0, 0).empty());
}

TEST_CASE("samples: a library without PM sampling says what it lacks") {
  const auto api = profiler::bind_sampling("/some/libcupti.so", [](const char*) -> void* { return nullptr; });
  REQUIRE_FALSE(api);
  CHECK_FALSE(api.error().remedy.empty());
#ifdef MAMBASCOPE_HAVE_SAMPLING
  CHECK(api.error().reason.find("cuptiPmSamplingEnable") != std::string::npos);
  CHECK(api.error().remedy.find("12.6") != std::string::npos);
#endif
}
