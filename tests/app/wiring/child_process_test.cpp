// A second process: what it prints, how far it says it is, that it can be ended; on little shell scripts.
#include "app/wiring/child_process.h"

#include "app/wiring/measurement_job.h"
#include "tests/support/temporary_folder.h"

#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <filesystem>
#include <fstream>

namespace {

std::string script(const tests::TemporaryFolder& folder, const std::string& body) {
  const std::string path = folder.file("program");
  std::ofstream(path) << "#!/bin/sh\n" << body;
  std::filesystem::permissions(path, std::filesystem::perms::owner_all);
  return path;
}

template <class Done>
bool wait_for(Done done) {
  for (int i = 0; i < 2000 && !done(); ++i) std::this_thread::sleep_for(std::chrono::milliseconds(5));
  return done();
}

}  // namespace

TEST_CASE("a second process: its output, its progress, its exit code") {
  const tests::TemporaryFolder folder;
  std::atomic<int> changes{0};
  app::ChildProcess child(script(folder,
                                 "echo progress 0.25 >&2; echo a word >&2; echo \"$@\"; echo progress 1 >&2\n"
                                 "echo $MAMBASCOPE_PROGRESS; exit 7\n"),
                          {"one", "two words"}, [&] { ++changes; });
  REQUIRE(wait_for([&] { return !child.running(); }));
  const auto ended = child.ended();
  REQUIRE(ended.has_value());
  CHECK(ended->exit_code == 7);
  CHECK_FALSE(ended->cancelled);
  CHECK(ended->out == "one two words\nlines\n");
  CHECK(ended->err == "a word\n");
  CHECK(child.progress() == 1);
  CHECK(changes >= 2);
}

TEST_CASE("a second process ends when it is asked to, and when nobody wants it any more") {
  const tests::TemporaryFolder folder;
  const std::string sleeper = script(folder, "echo progress 0.5 >&2; exec sleep 600\n");
  app::ChildProcess child(sleeper, {}, {});
  REQUIRE(wait_for([&] { return child.progress() == 0.5; }));
  CHECK(child.running());
  CHECK_FALSE(child.ended().has_value());
  child.cancel();
  REQUIRE(wait_for([&] { return !child.running(); }));
  CHECK(child.ended()->cancelled);
  const auto begin = std::chrono::steady_clock::now();
  { app::ChildProcess forgotten(sleeper, {}, {}); }
  CHECK(std::chrono::steady_clock::now() - begin < std::chrono::seconds(30));
}

TEST_CASE("a program that cannot be started has ended, and says why") {
  app::ChildProcess child("/nonexistent/program", {}, {});
  REQUIRE(wait_for([&] { return !child.running(); }));
  CHECK(child.ended()->exit_code != 0);
  CHECK_FALSE(child.ended()->cancelled);
}

TEST_CASE("counters come from what the second process prints, and so does the reason why there are none") {
  const tests::TemporaryFolder folder;
  app::MeasuredStep step;
  step.model = "m";
  step.backend.name = "cpu";
  const auto counters_of = [&](const std::string& body) {
    step.program = script(folder, body);
    const auto job = app::MeasurementJob::counters(step, {});
    REQUIRE(wait_for([&] { return !job->running(); }));
    auto found = job->take_counters();
    REQUIRE(found.has_value());
    CHECK_FALSE(job->take_counters().has_value());
    return *found;
  };
  const auto good = counters_of(
      R"(echo '{"available":true,"chip":"FK100","library":"l","passes":2,"seconds":1,"same_bits_in_every_pass":true,)"
      R"("ranges_dropped":0,"metrics":["a"],"not_on_this_chip":[],"stages":[[1.5],[null]]}')"
      "\n");
  CHECK(good.why.reason.empty());
  CHECK(good.chip == "FK100");
  CHECK(good.values[0][0] == 1.5);
  const auto refused = counters_of("echo '{\"available\":false,\"reason\":\"R.\",\"remedy\":\"S.\"}'\n");
  CHECK(refused.why.reason == "R.");
  CHECK(refused.why.remedy == "S.");
  CHECK(counters_of("echo nonsense\n").why.reason.find("printed no counters") != std::string::npos);
  CHECK(counters_of("echo mambascope: a reason >&2; exit 3\n").why.reason.find("a reason") != std::string::npos);

  step.program = TEST_PROGRAM;
  step.model = TEST_GOLDEN "/siso-fp32";
  const auto job = app::MeasurementJob::counters(step, {});
  REQUIRE(wait_for([&] { return !job->running(); }));
  const auto real = job->take_counters();
  REQUIRE(real.has_value());
  CHECK(real->why.reason.find("cpu") != std::string::npos);
  CHECK(real->why.remedy.find("--backend cuda") != std::string::npos);
}

TEST_CASE("ranks of a model's shape come back as a family, measured now") {
  app::MeasuredStep step;
  step.model = TEST_GOLDEN "/siso-fp32";
  step.backend.name = "cpu";
  step.program = TEST_PROGRAM;
  const auto job = app::MeasurementJob::ranks(step, {});
  REQUIRE(wait_for([&] { return !job->running(); }));
  auto found = job->take_ranks();
  REQUIRE(found.has_value());
  if (!*found) FAIL(found->error().message);
  REQUIRE((*found)->runs.size() == 4);
  CHECK((*found)->runs[3].rank == 8);
  CHECK((*found)->runs[3].verified());
  CHECK((*found)->runs[0].result.recording.empty());
  CHECK((*found)->runs[0].result.tokens.size() == 32);

  step.model = "/nonexistent";
  const auto wrong = app::MeasurementJob::ranks(step, {});
  REQUIRE(wait_for([&] { return !wrong->running(); }));
  const auto failed = wrong->take_ranks();
  REQUIRE(failed.has_value());
  REQUIRE_FALSE(failed->has_value());
  CHECK(failed->error().message.find("/nonexistent") != std::string::npos);
}
