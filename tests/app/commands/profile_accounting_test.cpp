// Where a token's wall time went, on made-up tokens of a device; and the command's new options as their user gives them.
#include "app/commands/profile_accounting.h"

#include "tests/support/run_program.h"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <string>

using tests::run_program;

namespace {

// Two stages of each of two layers; each piece lasts `length` us and begins `stride` us after the one before it.
app::ProfileResult run_of(bool graph, std::int64_t stride, std::int64_t length) {
  app::ProfileResult result;
  result.backend.name = "cuda";
  result.backend.is_gpu = true;
  result.backend.graph = graph;
  result.backend.weight_bytes = 100;
  result.backend.l2_bytes = 1000;
  result.plan.variant = "fused";
  auto token = std::make_shared<profiler::TokenTimes>();
  token->wall_start_ns = 1'000'000;
  token->wall_ns = 100'000;
  for (int id = 0; id < 4; ++id) {
    engine::Stage stage;
    stage.id = id;
    stage.layer = id / 2;
    stage.kind = id % 2 == 0 ? engine::StageKind::in_proj : engine::StageKind::mixer;
    stage.cost.bytes_read = 10'000;
    result.plan.stages.push_back(stage);
    profiler::StageTime time;
    time.tag.stage = static_cast<std::uint16_t>(id);
    time.start_ns = 1'010'000 + 1000 * stride * id;
    time.duration_ns = 1000 * length;
    token->stages.push_back(time);
  }
  result.tokens = {token};
  result.status.source = profiler::TimeSource::cupti;
  return result;
}

const std::string siso = TEST_GOLDEN "/siso-fp32";

}  // namespace

TEST_CASE("wall time is told apart, and what bounds it is named by the rule") {
  const app::ProfileResult eager = run_of(false, 10, 5);
  const auto json = app::accounting_json(eager, {1e9, ""});
  CHECK(json["launched"] == "kernel by kernel");
  CHECK(json["before_work_us"].get<double>() == doctest::Approx(10));
  CHECK(json["work_us"].get<double>() == doctest::Approx(20));
  CHECK(json["gaps_us"].get<double>() == doctest::Approx(15));
  CHECK(json["device_span_us"].get<double>() == doctest::Approx(35));
  CHECK(json["after_work_us"].get<double>() == doctest::Approx(55));
  CHECK(json["overlap_us"].get<double>() == doctest::Approx(0));
  CHECK(json["bound"] == "launch-bound");
  CHECK(json["bytes_per_s_of_work"].get<double>() == doctest::Approx(2e9));
  CHECK(json["fits_l2"] == true);
  const std::string text = app::accounting_text(eager, {1e9, ""});
  CHECK(text.find("launch-bound") != std::string::npos);
  CHECK(text.find("80 % of the wall time") != std::string::npos);
  CHECK(text.find("fit the L2") != std::string::npos);

  // Every piece begins while the one before it runs.
  const app::ProfileResult graph = run_of(true, 20, 25);
  const auto dense = app::accounting_json(graph, {1e9, ""});
  CHECK(dense["launched"] == "as one CUDA graph");
  CHECK(dense["work_us"].get<double>() == doctest::Approx(85));
  CHECK(dense["overlap_us"].get<double>() == doctest::Approx(15));
  CHECK(dense["gaps_us"].get<double>() == doctest::Approx(0));
  CHECK(dense["work_adds_us"]["in_proj"].get<double>() == doctest::Approx(45));
  CHECK(app::accounting_text(graph, {1e9, ""}).find("45.0 in_proj + 40.0 mixer = 85.0 us") != std::string::npos);
  CHECK(app::accounting_text(eager, {1e9, ""}).find("waiting left out") == std::string::npos);
  CHECK(app::accounting_text(graph, {1e9, ""}).find("work, waiting left out: 45.0") != std::string::npos);
  CHECK(dense["bound"] == "latency-bound");
  CHECK(app::accounting_json(graph, {6e8, ""})["bound"] == "bandwidth-bound");

  // Bytes that come faster than memory copies: one answer, and no other beside it.
  CHECK(app::accounting_json(graph, {1e8, ""})["bound"] == "not judged");
  const std::string cached = app::accounting_text(graph, {1e8, ""});
  CHECK(cached.find("bound               not judged: ") != std::string::npos);
  CHECK(cached.find("out of a cache") != std::string::npos);
  CHECK(cached.find("-bound above 60") == std::string::npos);
  CHECK(cached.find("bandwidth-bound") == std::string::npos);

  const auto unknown = app::accounting_json(graph, {0, "no memory"});
  CHECK(unknown["bound"].is_null());
  CHECK(unknown["why_no_copy_rate"] == "no memory");
  CHECK(app::accounting_text(graph, {0, "no memory"}).find("not judged") != std::string::npos);
}

TEST_CASE("without times of stages only the wall time is told") {
  app::ProfileResult result = run_of(false, 10, 5);
  result.status.source = profiler::TimeSource::none;
  CHECK(app::accounting_text(result, {}).empty());
  CHECK_FALSE(app::accounting_json(result, {}).contains("gaps_us"));
}

TEST_CASE("eager and graph of the same tokens stand side by side") {
  const auto json = app::eager_and_graph_json(run_of(false, 10, 5), run_of(true, 20, 25));
  REQUIRE(json["kinds"].size() == 2);
  CHECK(json["kinds"][0]["kind"] == "in_proj");
  CHECK(json["kinds"][0]["stages"] == 2);
  CHECK(json["kinds"][0]["eager_us"].get<double>() == doctest::Approx(10));
  CHECK(json["kinds"][0]["graph_us"].get<double>() == doctest::Approx(50));
  REQUIRE(json["parts"].size() == 6);
  CHECK(json["parts"][3]["part"] == "gaps");
  CHECK(json["parts"][3]["eager_us"].get<double>() == doctest::Approx(15));
  const std::string text = app::eager_and_graph_text(run_of(false, 10, 5), run_of(true, 20, 25));
  CHECK(text.find("mixer") != std::string::npos);
  CHECK(json["kinds"][0]["graph_adds_us"].get<double>() == doctest::Approx(45));
  CHECK(json["kinds"][1]["graph_adds_us"].get<double>() == doctest::Approx(40));
  CHECK(text.find("+35.00") != std::string::npos);
}

TEST_CASE("profile --batch steps sequences together; the accounting of the CPU's stages adds up") {
  const auto ran = run_program({"profile", siso, "--backend", "cpu", "--threads", "1", "--steps", "5", "--warmup", "1",
                                "--batch", "3", "--tokens", "1,2", "--json"});
  CAPTURE(ran.err);
  REQUIRE(ran.exit_code == 0);
  const auto json = nlohmann::json::parse(ran.out);
  CHECK(json["batch"] == 3);
  CHECK(json["graph"] == false);
  const auto& parts = json["accounting"];
  const auto us = [&](const char* name) { return parts[name].get<double>(); };
  CHECK(us("before_work_us") + us("work_us") + us("gaps_us") + us("after_work_us") ==
        doctest::Approx(us("wall_us")).epsilon(1e-9));
  CHECK(us("device_span_us") == doctest::Approx(us("work_us") + us("gaps_us")));
  CHECK(us("pieces") == doctest::Approx(static_cast<double>(json["stages"].size())));
  CHECK(us("copy_bytes_per_s") > 1e8);
  CHECK(parts["bound"].is_string());
}

TEST_CASE("a graph is asked of the cuda backend alone, and its table is of one run") {
  for (const char* backend : {"cpu", "reference"}) {
    const auto ran = run_program({"profile", siso, "--backend", backend, "--graph", "on"});
    CHECK(ran.exit_code == 2);
    CHECK(ran.err.find("cuda backend") != std::string::npos);
  }
  const auto both = run_program({"profile", siso, "--graph", "both", "--csv", "/dev/null"});
  CHECK(both.exit_code == 2);
  CHECK(both.err.find("--graph on") != std::string::npos);
  CHECK(run_program({"profile", siso, "--graph", "yes"}).exit_code == 2);
}
