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
  rows.header = {"mambascope 0.1", "a \"model\"\\path", "H100", "cuda", "staged", "cupti", 12, 1, 2, 345};
  rows.steps = {{7, 5'000'000'000'123, 20'500}};
  rows.stages = {
      {7, 3, 1, "state_update", "void kernels::state_update<float>(int, char)", 5'000'000'001'123, 4'250, 4096},
      {7, -1, -1, "between stages", "memcpy", 5'000'000'000'123 - 1'001, 999, 0}};
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
  CHECK(work[1]["name"] == "state_update");
  CHECK(work[1]["ts"].get<double>() == doctest::Approx(2.001));
  CHECK(work[1]["dur"].get<double>() == doctest::Approx(4.25));
  CHECK(work[1]["args"]["layer"] == 1);
  CHECK(work[1]["args"]["stage"] == 3);
  CHECK(work[1]["args"]["token"] == 7);
  CHECK(work[1]["args"]["bytes"] == 4096);
  CHECK(work[1]["args"]["kernel"] == "void kernels::state_update<float>(int, char)");
  CHECK(work[2]["ts"].get<double>() == 0);
  CHECK(work[1]["tid"] != work[0]["tid"]);
}

TEST_CASE("a trace without a single step is still JSON") {
  std::ostringstream out;
  profiler::write_chrome_trace(out, {});
  CHECK(nlohmann::json::parse(out.str())["traceEvents"].size() == 3);
}

TEST_CASE("the table has one line for each piece and quotes what needs it") {
  std::ostringstream out;
  write_csv(out, example());
  const std::vector<std::string> found = lines(out.str());
  REQUIRE(found.size() == 13);
  CHECK(found[5] == "# time_source: cupti");
  CHECK(found[10] == "token,stage,layer,name,kernel,start_ns,duration_ns,bytes");
  CHECK(found[11] == "7,3,1,state_update,\"void kernels::state_update<float>(int, char)\",5000000001123,4250,4096");
  CHECK(found[12] == "7,-1,-1,between stages,memcpy,4999999999122,999,0");
}
