// Ranks against each other, on made-up times; and what the command refuses.
#include "app/commands/profile_ranks.h"

#include "tests/support/run_program.h"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <sstream>
#include <string>

using tests::run_program;

namespace {

engine::ModelConfig shape(int rank) {
  engine::ModelConfig config;
  config.d_state = 128;
  config.headdim = 64;
  config.is_mimo = rank > 1;
  config.mimo_rank = rank;
  return config;
}

app::RankRun run_of(int rank, bool good = true) {
  app::RankRun run;
  run.rank = rank;
  run.config = shape(rank);
  run.parameters = 1000 + 100 * rank;
  run.worst = good ? 1e-6 : 1;
  run.rtol = 1e-4;
  run.twin = "cpu";
  run.result.plan.variant = "staged";
  run.result.status.source = profiler::TimeSource::cupti;
  run.result.backend.is_gpu = true;
  auto token = std::make_shared<profiler::TokenTimes>();
  token->wall_ns = 100'000;
  std::vector<engine::StageKind> kinds = {engine::StageKind::state_update, engine::StageKind::readout};
  if (rank > 1) kinds.push_back(engine::StageKind::mimo_mix);
  for (const engine::StageKind kind : kinds) {
    engine::Stage stage;
    stage.id = static_cast<int>(run.result.plan.stages.size());
    stage.kind = kind;
    stage.cost.bytes_read = 1000;
    stage.cost.flops = static_cast<std::uint64_t>(1000 * rank);
    run.result.plan.stages.push_back(stage);
    profiler::StageTime time;
    time.tag.stage = static_cast<std::uint16_t>(stage.id);
    time.start_ns = 10'000 * stage.id;
    time.duration_ns = 1000 * (rank + stage.id);
    token->stages.push_back(time);
  }
  run.result.tokens = {token};
  return run;
}

}  // namespace

TEST_CASE("the paper's arithmetic intensity at N 128, P 64") {
  CHECK(app::paper_intensity(shape(1)) == doctest::Approx(2.40).epsilon(0.003));
  CHECK(app::paper_intensity(shape(2)) == doctest::Approx(4.17).epsilon(0.003));
  CHECK(app::paper_intensity(shape(4)) == doctest::Approx(7.34).epsilon(0.003));
  CHECK(app::paper_intensity(shape(8)) == doctest::Approx(12.55).epsilon(0.003));
}

TEST_CASE("the executed intensity is that of the recurrence's stages alone") {
  engine::StepPlan plan = run_of(4).result.plan;
  CHECK(app::executed_intensity(plan) == doctest::Approx(4));
  plan.stages[2].cost.flops = 1'000'000;  // mimo_mix is none of them
  CHECK(app::executed_intensity(plan) == doctest::Approx(4));
  CHECK(app::executed_intensity({}) == 0);
}

TEST_CASE("a table of ranks: a column each, a dash where a plan has no such stage, and what else differs") {
  const std::vector<app::RankRun> runs = {run_of(1), run_of(4)};
  const std::string text = app::ranks_text(runs, "siso-187m");
  CHECK(text.find("R = 4") != std::string::npos);
  CHECK(text.find("mimo_mix") != std::string::npos);
  CHECK(text.find("12.55") == std::string::npos);
  CHECK(text.find("7.34") != std::string::npos);
  CHECK(text.find("MLP keeps its width") != std::string::npos);
  CHECK(text.find("Parameters differ: 1,100 at rank 1, 1,400 at rank 4 (+27.3 %)") != std::string::npos);
  CHECK(text.find("Rank 1 is SISO") != std::string::npos);
  CHECK(app::ranks_text({}, "x").empty());

  const auto json = app::ranks_json(runs, "siso-187m");
  REQUIRE(json["ranks"].size() == 2);
  CHECK(json["ranks"][0]["siso"] == true);
  CHECK(json["ranks"][0]["kinds"].size() == 2);
  CHECK(json["ranks"][1]["kinds"].size() == 3);
  CHECK(json["ranks"][1]["kinds"][0]["us"].get<double>() == doctest::Approx(4));
  CHECK(json["ranks"][1]["executed_flops_per_byte"].get<double>() == doctest::Approx(4));
  CHECK(json["ranks"][1]["verified"] == true);
  CHECK(json["confounds"].size() >= 4);
  CHECK(app::ranks_text({run_of(2, false)}, "x").find("NO") != std::string::npos);

  std::ostringstream csv;
  app::write_ranks_csv(csv, runs);
  std::istringstream in(csv.str());
  int count = 0;
  for (std::string line; std::getline(in, line); ++count) CHECK(std::count(line.begin(), line.end(), ',') == 12);
  CHECK(count == 1 + 2 + 3);
}

TEST_CASE("a model's shape at several ranks is one file, which opens again with the same figures") {
  const tests::TemporaryFolder folder;
  const std::string file = folder.file("family.profile"), csv = folder.file("a.csv"), again = folder.file("b.csv");
  const auto measured = run_program({"profile", TEST_GOLDEN "/siso-fp32", "--ranks", "4,1,2", "--backend", "cpu",
                                     "--threads", "1", "--steps", "12", "--json", "--save", file, "--csv", csv});
  CAPTURE(measured.err);
  REQUIRE(measured.exit_code == 0);
  const auto opened = run_program({"profile", "--open", file, "--json", "--csv", again});
  CAPTURE(opened.err);
  REQUIRE(opened.exit_code == 0);
  auto a = nlohmann::json::parse(measured.out), b = nlohmann::json::parse(opened.out);
  REQUIRE(a["ranks"].size() == 3);
  CHECK(a["ranks"][0]["rank"] == 1);
  CHECK(a["ranks"][2]["rank"] == 4);
  CHECK(a["ranks"][2]["verified"] == true);
  CHECK(a["copy_gbps"].get<double>() > 0);
  CHECK(b["recorded"].get<std::string>().size() == 20);
  b["recorded"] = nullptr;
  CHECK(a == b);
  CHECK(tests::content_of(csv) == tests::content_of(again));

  // One of the ranks is a profile like any other.
  const auto one = run_program({"profile", "--open", file + "@2", "--json"});
  REQUIRE(one.exit_code == 0);
  CHECK(nlohmann::json::parse(one.out)["recorded"]["name"] == "family at rank 2");
  const auto compared = run_program({"compare", file + "@1", file + "@4", "--force"});
  CAPTURE(compared.err);
  CHECK(compared.exit_code <= 1);
  CHECK(compared.out.find("mimo_mix") != std::string::npos);
  for (const std::string& wrong : {file + "@3", file + "@", file + "@x"}) {
    const auto refused = run_program({"compare", file + "@1", wrong});
    CHECK(refused.exit_code == 2);
  }
  const auto whole = run_program({"compare", file, file});
  CHECK(whole.exit_code == 2);
  CHECK(whole.err.find(file + "@1") != std::string::npos);
  CHECK(run_program({"profile", "--open", file, "--trace", folder.file("t.json")}).exit_code == 2);
}

TEST_CASE("ranks need a shape, and go with neither --graph both nor --trace") {
  const std::string model = TEST_GOLDEN "/siso-fp32";
  const std::vector<std::vector<std::string>> wrong = {
      {"profile", "--ranks", "1,2"},
      {"profile", "--preset", "siso-187m", "--ranks", "0"},
      {"profile", "--preset", "siso-187m", "--ranks", "1,x"},
      {"profile", "--preset", "siso-187m", "--ranks", "1,2", "--graph", "both", "--backend", "cpu"},
      {"profile", "--preset", "siso-187m", "--ranks", "1,2", "--trace", "t.json", "--backend", "cpu"}};
  for (const auto& arguments : wrong) {
    const auto ran = run_program(arguments);
    CAPTURE(ran.err);
    CHECK(ran.exit_code == 2);
    CHECK(ran.out.empty());
    CHECK_FALSE(ran.err.empty());
  }
}
