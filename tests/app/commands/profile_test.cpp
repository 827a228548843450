// The profile command, run as its user runs it.
#include "app/commands/profile_report.h"
#include "tests/support/run_program.h"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <fstream>
#include <string>
#include <vector>

using tests::run_program;

namespace {

const std::string siso = TEST_GOLDEN "/siso-fp32";

}  // namespace

TEST_CASE("profile on the CPU: every stage is timed and the parts add up") {
  const tests::TemporaryFolder folder;
  const std::string trace = folder.file("trace.json"), table = folder.file("times.csv");
  const auto ran = run_program({"profile", siso, "--backend", "cpu", "--threads", "1", "--steps", "6", "--warmup", "2",
                                "--json", "--trace", trace, "--csv", table});
  CAPTURE(ran.err);
  REQUIRE(ran.exit_code == 0);
  const auto json = nlohmann::json::parse(ran.out);
  CHECK(json["time_source"] == "cpu_clock");
  CHECK(json["steps"] == 6);
  CHECK(json["warmup"] == 2);
  CHECK(json["records_dropped"] == 0);
  CHECK(json["cost_of_cupti"].is_null());
  CHECK(json["clock_uncertainty_ns"].get<int>() > 0);
  const auto& step = json["step_us"];
  const double wall = step["wall"]["mean"], stages = step["stages"]["mean"], gaps = step["gaps"]["mean"];
  CHECK(stages > 0);
  CHECK(wall == doctest::Approx(stages + gaps).epsilon(1e-9));
  double shares = 0;
  std::size_t in_kinds = 0;
  for (const auto& row : json["kinds"]) {
    CHECK(row["tokens"] == 6);
    CHECK(row["bytes"].get<std::uint64_t>() > 0);
    shares += row["share_of_step"].get<double>();
    in_kinds += row["stages"].get<std::size_t>();
  }
  CHECK(shares == doctest::Approx(stages / wall).epsilon(1e-6));
  CHECK(in_kinds == json["stages"].size());
  CHECK(json["layers"].size() == 3);  // two layers and what is outside of them

  std::ifstream in(trace);
  const auto events = nlohmann::json::parse(in)["traceEvents"];
  CHECK(events.size() == 3 + 6 * (1 + json["stages"].size()));
  std::ifstream lines(table);
  std::size_t count = 0;
  for (std::string line; std::getline(lines, line);) count += line[0] == '#' ? 0 : 1;
  CHECK(count == 1 + 6 * json["stages"].size());
}

TEST_CASE("profile --errors: the stage that measures errors is timed with the others") {
  const auto stages_of = [](std::vector<std::string> more) {
    std::vector<std::string> words = {"profile", siso, "--backend", "cpu", "--threads", "1", "--steps", "2", "--json"};
    words.insert(words.end(), more.begin(), more.end());
    const auto ran = run_program(words);
    REQUIRE(ran.exit_code == 0);
    std::vector<std::string> kinds;
    const auto json = nlohmann::json::parse(ran.out);
    for (const auto& row : json["kinds"]) kinds.push_back(row["kind"]);
    return kinds;
  };
  const auto with = stages_of({"--errors"}), without = stages_of({});
  CHECK(std::count(with.begin(), with.end(), "errors") == 1);
  CHECK(std::count(without.begin(), without.end(), "errors") == 0);
}

TEST_CASE("profile prints a table, by kind, layer or stage") {
  const auto kinds = run_program({"profile", siso, "--backend", "reference", "--steps", "2"});
  CHECK(kinds.exit_code == 0);
  CHECK(kinds.out.find("state_update") != std::string::npos);
  CHECK(kinds.out.find("steady clock") != std::string::npos);
  const auto layers =
      run_program({"profile", siso, "--backend", "reference", "--steps", "2", "--by", "layer", "--tokens", "1,2,3"});
  CHECK(layers.out.find("layer 1") != std::string::npos);
}

TEST_CASE("wrong use of profile is exit code 2, a file that cannot be written 3") {
  const std::vector<std::vector<std::string>> wrong = {{},
                                                       {"/nonexistent"},
                                                       {siso, "--steps", "0"},
                                                       {siso, "--by", "token"},
                                                       {siso, "--backend", "cpu", "--tokens", "1,99999999"},
                                                       {siso, "--backend", "cpu", "--tokens", "1", "--prompt", "a"},
                                                       {siso, "--preset", "siso-187m"},
                                                       {"--preset", "siso-2b"}};
  for (std::vector<std::string> arguments : wrong) {
    CAPTURE(arguments.size());
    arguments.insert(arguments.begin(), "profile");
    const auto ran = run_program(arguments);
    CHECK(ran.exit_code == 2);
    CHECK_FALSE(ran.err.empty());
    CHECK(ran.out.empty());
  }
  const auto unwritable =
      run_program({"profile", siso, "--backend", "cpu", "--steps", "1", "--trace", "/nonexistent/trace.json"});
  CHECK(unwritable.exit_code == 3);
  CHECK(unwritable.err.find("/nonexistent/trace.json") != std::string::npos);
}

TEST_CASE("times of a device are reported with their records, their kernels and what profiling cost") {
  app::ProfileResult result;
  result.model = "m";
  result.backend.name = "cuda";
  result.backend.device = "a GPU";
  for (int id = 0; id < 2; ++id) {
    engine::Stage stage;
    stage.id = id;
    stage.layer = id - 1;
    stage.kind = id == 0 ? engine::StageKind::embed : engine::StageKind::norm;
    stage.cost.bytes_read = 1000;
    result.plan.stages.push_back(stage);
  }
  auto token = std::make_shared<profiler::TokenTimes>();
  token->source = profiler::TimeSource::cupti;
  token->wall_ns = 10'000;
  for (const int id : {0, 1}) {
    profiler::StageTime time;
    time.tag.stage = static_cast<std::uint16_t>(id);
    time.start_ns = std::int64_t{4000} * id;
    time.duration_ns = 2000;
    token->stages.push_back(time);
  }
  result.tokens = {token};
  result.kernels = {"embed_kernel", ""};
  result.status.source = profiler::TimeSource::cupti;
  result.status.version = "13.0.1";
  result.status.records = 20;
  result.status.dropped = 3;
  result.status.untagged = 5;
  result.status.unattributed = 1;
  result.cost = app::ProfilingCost{11, 10, {}};

  const auto json = app::profile_json(result);
  CHECK(json["time_source"] == "cupti");
  CHECK(json["records_dropped"] == 3);
  CHECK(json["records_outside_steps"] == 4);
  CHECK(json["records_unattributed"] == 1);
  CHECK(json["cost_of_cupti"]["fraction"].get<double>() == doctest::Approx(0.1));
  CHECK(json["stages"][0]["us"]["median"].get<double>() == doctest::Approx(2));
  CHECK(json["stages"][0]["gb_per_s"].get<double>() == doctest::Approx(0.5));
  CHECK(json["stages"][0]["kernel"] == "embed_kernel");
  CHECK(json["stages"][1]["kernel"].is_null());
  CHECK(json["step_us"]["gaps"]["median"].get<double>() == doctest::Approx(6));
  const std::string text = app::profile_text(result, app::ProfileRows::stages);
  CHECK(text.find("3 dropped") != std::string::npos);
  CHECK(text.find("+10.0 %") != std::string::npos);
  CHECK(text.find("CUPTI 13.0.1") != std::string::npos);

  result.cost->problem = "no second process.";
  CHECK(app::profile_json(result)["cost_of_cupti"]["problem"] == "no second process.");
  CHECK(app::profile_text(result, app::ProfileRows::layers).find("not measured") != std::string::npos);
}
