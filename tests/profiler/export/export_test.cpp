#include "profiler/export/table.h"
#include "profiler/export/trace.h"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <sstream>
#include <string>
#include <vector>

namespace {

profiler::Export example() {
  profiler::Export rows;
  rows.header = {"mambascope 0.1",         "a \"model\"\\path", "H100", "cuda", "staged", "cupti", 12, 1, 2, 345, {},
                 {"mixer: fetches\nahead"}};
  rows.steps = {{7, 5'000'000'000'123, 20'500}};
  rows.stages = {
      {7, -1, -1, "between stages", "memcpy", 5'000'000'000'123 - 1'001, 999, 0},
      {7, 3, 1, "state_update", "void kernels::state_update<float>(int, char)", 5'000'000'001'123, 4'250, 4096}};
  return rows;
}

std::vector<std::string> lines(const std::string& text) {
  std::vector<std::string> out;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) out.push_back(line);
  return out;
}

}  // namespace

TEST_CASE("the trace is JSON that Perfetto reads") {
  std::ostringstream out;
  write_chrome_trace(out, example());
  const auto trace = nlohmann::json::parse(out.str());
  CHECK(trace["otherData"]["time_source"] == "cupti");
  CHECK(trace["otherData"]["notes"][0] == "mixer: fetches\nahead");
  CHECK(trace["otherData"]["records_dropped"] == 1);
  CHECK(trace["otherData"]["records_unattributed"] == 2);
  CHECK(trace["otherData"]["clock_uncertainty_ns"] == 345);
  CHECK(trace["otherData"]["model"] == "a \"model\"\\path");
  int named = 0;
  std::vector<nlohmann::json> work;
  for (const auto& event : trace["traceEvents"]) {
    if (event["ph"] == "M") ++named;
    if (event["ph"] == "X") work.push_back(event);
  }
  CHECK(named == 3);
  REQUIRE(work.size() == 3);
  CHECK(work[0]["cat"] == "step");
  CHECK(work[0]["ts"].get<double>() == doctest::Approx(1.001));
  CHECK(work[0]["dur"].get<double>() == doctest::Approx(20.5));
  CHECK(work[2]["name"] == "state_update");
  CHECK(work[2]["ts"].get<double>() == doctest::Approx(2.001));
  CHECK(work[2]["dur"].get<double>() == doctest::Approx(4.25));
  CHECK(work[2]["args"]["layer"] == 1);
  CHECK(work[2]["args"]["stage"] == 3);
  CHECK(work[2]["args"]["token"] == 7);
  CHECK(work[2]["args"]["bytes"] == 4096);
  CHECK(work[2]["args"]["kernel"] == "void kernels::state_update<float>(int, char)");
  CHECK(work[1]["ts"].get<double>() == 0);
  CHECK(work[1]["tid"] != work[0]["tid"]);
}

TEST_CASE("a trace without a single step is still JSON") {
  std::ostringstream out;
  profiler::write_chrome_trace(out, {});
  CHECK(nlohmann::json::parse(out.str())["traceEvents"].size() == 3);
}

TEST_CASE("work that overlaps gets a track of its own, because a track's events must nest") {
  profiler::Export rows = example();
  rows.header.recorded = "recorded on a GPU, 2026-11-23";
  rows.stages = {{7, 0, 0, "in_proj", "a", 1000, 500, 1},
                 {7, 1, 0, "mixer", "b", 1400, 300, 1},
                 {7, 2, 0, "out_proj", "c", 1500, 300, 1},
                 {7, 3, 0, "mlp_up", "d", 1800, 10, 1}};
  std::ostringstream out;
  CHECK(write_chrome_trace(out, rows).tokens == 0);
  const auto trace = nlohmann::json::parse(out.str());
  CHECK(trace["otherData"]["recorded"] == "recorded on a GPU, 2026-11-23");
  std::vector<int> tracks;
  std::vector<std::string> names;
  for (const auto& event : trace["traceEvents"]) {
    if (event.value("cat", "") == "stage") tracks.push_back(event["tid"]);
    if (event["name"] == "thread_name") names.push_back(event["args"]["name"]);
  }
  CHECK(tracks == std::vector<int>{2, 3, 2, 2});
  CHECK(names == std::vector<std::string>{"steps (host, steady clock)", "stages (device, CUPTI)",
                                          "stages (device, CUPTI), overlapping 1"});
}

TEST_CASE("a trace holds whole tokens, as many as fit, and none where none fits") {
  profiler::Export rows = example();
  rows.steps.clear();
  rows.stages.clear();
  for (std::uint32_t token = 0; token < 200; ++token) {
    rows.steps.push_back({token, 1000 * token, 900});
    for (int stage = 0; stage < 3; ++stage)
      rows.stages.push_back({token, stage, 0, "norm", "kernel", 1000 * token + 100 * stage, 50, 1});
  }
  std::ostringstream all;
  CHECK(write_chrome_trace(all, rows).tokens == 0);
  for (const std::size_t most : {std::size_t{1}, std::size_t{20'000}, all.str().size() - 1, all.str().size() + 2000}) {
    std::ostringstream out;
    const std::size_t left_out = write_chrome_trace(out, rows, most).tokens;
    const auto trace = nlohmann::json::parse(out.str());
    std::size_t steps = 0, stages = 0;
    for (const auto& event : trace["traceEvents"]) {
      steps += event.value("cat", "") == "step" ? 1U : 0U;
      stages += event.value("cat", "") == "stage" ? 1U : 0U;
    }
    CAPTURE(most);
    CHECK(steps + left_out == 200);
    CHECK(stages == 3 * steps);
    CHECK(trace["otherData"]["tokens_left_out"] == left_out);
    CHECK(trace["otherData"]["tokens"] == 200);
    if (most == 1) CHECK(steps == 0);
    if (most > 1) CHECK(out.str().size() <= most);
    if (most > all.str().size()) CHECK(left_out == 0);
    if (most == 20'000) CHECK(out.str().size() > 16'000);
  }
}

TEST_CASE("samples that do not fit into a trace are left out before their token is") {
  profiler::Export rows = example();
  rows.sampled = {"SM active", "DRAM read"};
  for (int i = 0; i < 500; ++i) rows.samples.push_back({rows.steps[0].token, 1000 + 2000 * i, {50.0, 20.0}});
  for (const std::size_t most : {std::size_t{8'000}, std::size_t{1'000'000}}) {
    CAPTURE(most);
    std::ostringstream out;
    const profiler::LeftOut left_out = write_chrome_trace(out, rows, most);
    const auto trace = nlohmann::json::parse(out.str());
    const auto counters = std::count_if(trace["traceEvents"].begin(), trace["traceEvents"].end(),
                                        [](const auto& event) { return event["ph"] == "C"; });
    CHECK(out.str().size() <= most);
    CHECK(left_out.tokens == 0);
    CHECK(left_out.samples == (most < 10'000 ? 1 : 0));
    CHECK(counters == (most < 10'000 ? 0 : 2 * 501));
    CHECK(trace["otherData"]["tokens_without_their_samples"] == left_out.samples);
  }
}

TEST_CASE("the table has one line for each piece and quotes what needs it") {
  std::ostringstream out;
  write_csv(out, example());
  const std::vector<std::string> found = lines(out.str());
  REQUIRE(found.size() == 14);
  CHECK(found[5] == "# time_source: cupti");
  CHECK(found[10] == "# note: mixer: fetches ahead");
  CHECK(found[11] == "token,stage,layer,name,kernel,start_ns,duration_ns,bytes");
  CHECK(found[13] == "7,3,1,state_update,\"void kernels::state_update<float>(int, char)\",5000000001123,4250,4096");
  CHECK(found[12] == "7,-1,-1,between stages,memcpy,4999999999122,999,0");
}
