// The bench command, run as its user runs it.
#include "app/commands/bench_sweep.h"
#include "engine/model/presets.h"
#include "engine/model/supported.h"
#include "tests/support/run_program.h"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <fstream>
#include <string>

using tests::run_program;

namespace {

const std::string mimo = TEST_GOLDEN "/mimo-bf16";

}  // namespace

TEST_CASE("bench on the CPU: the fields that other programs read") {
  const auto ran = run_program(
      {"bench", mimo, "--backend", "cpu", "--threads", "1", "--steps", "4", "--warmup", "1", "--batch", "2", "--json"});
  CAPTURE(ran.err);
  REQUIRE(ran.exit_code == 0);
  const auto json = nlohmann::json::parse(ran.out);
  CHECK(json["batch"] == 2);
  CHECK(json["rank"].get<int>() > 1);
  CHECK(json["weights"] == "bf16");
  CHECK(json["state"] == "fp32");
  CHECK(json["state_effect"].is_null());
  CHECK(json["publishing"].is_null());
  CHECK(json["errors"].is_null());
  CHECK(json["variant"] == "staged");
  CHECK(json["graph"] == false);
  CHECK(json["verified"] == true);
  const double min = json["ms_per_token"]["min"], median = json["ms_per_token"]["median"],
               p95 = json["ms_per_token"]["p95"];
  CHECK(min > 0);
  CHECK(median >= min);
  CHECK(p95 >= median);
  CHECK(json["l2"].is_null());
  CHECK(json["clocks"]["unavailable"].is_string());
  CHECK(json["first_token_ms"].get<double>() > 0);
  CHECK(json["tokens_per_s"].get<double>() == doctest::Approx(2e3 / median));
  CHECK(json["fraction_of_copy"].get<double>() ==
        doctest::Approx(json["bytes_per_token"].get<double>() / (median / 1e3) /
                        (json["copy_gbps"].get<double>() * 1e9)));
}

TEST_CASE("bench --publish: steps that publish beside steps that don't; a layer that is not there is refused") {
  const auto ran = run_program({"bench", mimo, "--backend", "cpu", "--threads", "1", "--steps", "16", "--warmup", "1",
                                "--publish", "1", "--json"});
  CAPTURE(ran.err);
  REQUIRE(ran.exit_code == 0);
  const auto json = nlohmann::json::parse(ran.out)["publishing"];
  CHECK(json["layer"] == 1);
  CHECK(json["bytes"].get<int>() > 0);
  CHECK(json["complete"] == true);
  CHECK(json["same_bits"] == true);
  const double with = json["ms_with"], without = json["ms_without"];
  CHECK(with > 0);
  CHECK(json["cost"].get<double>() == doctest::Approx(with / without - 1));
  const auto missing = run_program({"bench", mimo, "--backend", "cpu", "--publish", "99"});
  CHECK(missing.exit_code == 2);
  CHECK(missing.err.find("Layer 99") != std::string::npos);
  const auto narrow = run_program({"bench", mimo, "--backend", "cpu", "--state", "bf16"});
  CHECK(narrow.exit_code == 2);
  CHECK(narrow.err.find("--variant fused") != std::string::npos);
}

TEST_CASE(
    "bench --errors: steps that measure errors beside steps that don't, and what they found is held to the analysis") {
  const auto ran = run_program({"bench", mimo, "--backend", "cpu", "--threads", "1", "--steps", "16", "--warmup", "1",
                                "--batch", "2", "--errors", "--json"});
  CAPTURE(ran.err);
  REQUIRE(ran.exit_code == 0);
  const auto json = nlohmann::json::parse(ran.out)["errors"];
  CHECK(json["compared"].get<int>() > 0);
  CHECK(json["worst_difference"].get<double>() < 1e-4);
  const double with = json["ms_with"], without = json["ms_without"];
  CHECK(without > 0);
  CHECK(json["cost"].get<double>() == doctest::Approx(with / without - 1));
  const auto plain = run_program({"bench", mimo, "--backend", "cpu", "--steps", "1", "--errors"});
  REQUIRE(plain.exit_code == 0);
  CHECK(plain.out.find("Measuring three rules' errors") != std::string::npos);
}

TEST_CASE("bench --generate: a model on its own draws beside steps whose ids are given") {
  const auto ran = run_program({"bench", mimo, "--backend", "cpu", "--threads", "1", "--steps", "16", "--warmup", "1",
                                "--generate", "greedy,top-p", "--temperature", "0.7", "--json"});
  CAPTURE(ran.err);
  REQUIRE(ran.exit_code == 0);
  const auto json = nlohmann::json::parse(ran.out)["generating"];
  REQUIRE(json.size() == 2);
  CHECK(json[0]["sampler"] == "greedy");
  CHECK(json[1]["sampler"] == "top-p");
  CHECK(json[1]["temperature"].get<double>() == doctest::Approx(0.7));
  for (const auto& cost : json) {
    CHECK(cost["same_ids"] == true);
    CHECK(cost["draws_compared"] == 16);
    const double with = cost["ms_with"], without = cost["ms_without"];
    CHECK(with > 0);
    CHECK(cost["cost"].get<double>() == doctest::Approx(with / without - 1));
  }
  for (const char* samplers : {"", "greedy,", "beam", "greedy,,top-p", "top_p"}) {
    CAPTURE(samplers);
    CHECK(run_program({"bench", mimo, "--backend", "cpu", "--generate", samplers}).exit_code == 2);
  }
}

TEST_CASE("bench --prefill: a text at once beside stepping it, and what both leave") {
  const auto ran = run_program(
      {"bench", mimo, "--backend", "reference", "--steps", "1", "--warmup", "0", "--prefill", "70", "--json"});
  CAPTURE(ran.err);
  REQUIRE(ran.exit_code == 0);
  const auto json = nlohmann::json::parse(ran.out)["prefill"];
  CHECK(json["tokens"] == 70);
  CHECK(json["chunked"] == true);
  CHECK(json["worst_difference"].get<double>() < 1e-6);
  CHECK(json["same_bits_after"] == true);
  CHECK(json["ratio"].get<double>() == doctest::Approx(json["stepping_ms"].get<double>() / json["ms"].get<double>()));
  CHECK(run_program({"bench", mimo, "--backend", "cpu", "--prefill", "0"}).exit_code == 2);
}

TEST_CASE("bench over several batches: a table, and a line of CSV for each") {
  const tests::TemporaryFolder folder;
  const std::string csv = folder.file("times.csv");
  const auto ran = run_program({"bench", mimo, "--backend", "cpu", "--steps", "2", "--batch", "1,3", "--csv", csv});
  CAPTURE(ran.err);
  REQUIRE(ran.exit_code == 0);
  CHECK(ran.out.find("tokens/s") != std::string::npos);
  std::ifstream in(csv);
  int lines = 0;
  for (std::string line; std::getline(in, line); ++lines) {
    if (lines == 1) CHECK(line.rfind("1,staged,false,true,", 0) == 0);
    if (lines == 2) CHECK(line.rfind("3,staged,false,true,", 0) == 0);
  }
  CHECK(lines == 3);
}

TEST_CASE("bench --sweep batch: ten batches, each verified") {
  const auto ran =
      run_program({"bench", mimo, "--backend", "cpu", "--steps", "1", "--warmup", "0", "--sweep", "batch", "--json"});
  CAPTURE(ran.err);
  REQUIRE(ran.exit_code == 0);
  const auto json = nlohmann::json::parse(ran.out);
  CHECK(json["sweep"] == "batch");
  REQUIRE(json["runs"].size() == 10);
  int batch = 1;
  for (const auto& run : json["runs"]) {
    CHECK(run["batch"] == batch);
    CHECK(run["verified"] == true);
    batch *= 2;
  }
}

TEST_CASE("swept shapes change one size of any preset, and all of them can be stepped") {
  for (const std::string& name : engine::preset_names()) {
    const auto config = engine::preset(name);
    REQUIRE(config);
    std::vector<int> ranks, states;
    for (const app::SweptShape& shape : app::swept_shapes("rank", *config)) {
      CHECK(engine::check_supported(shape.config).has_value());
      CHECK(shape.config.mlp_width() == config->mlp_width());
      ranks.push_back(shape.config.rank());
    }
    for (const app::SweptShape& shape : app::swept_shapes("state", *config)) {
      CHECK(engine::check_supported(shape.config).has_value());
      CHECK(shape.config.rank() == config->rank());
      states.push_back(shape.config.d_state);
    }
    CHECK(ranks == std::vector<int>{1, 2, 4, 8});
    CHECK(states == std::vector<int>{32, 64, 128, 256});
  }
}

TEST_CASE("bench reads numbers to the letter, and options of a GPU alone are refused elsewhere") {
  for (const char* batches : {"1,,2", ",1", "1,", "", "0x10", "010", "1e1", "+1", "1.0", "65536", "1 2"}) {
    CAPTURE(batches);
    const auto ran = run_program({"bench", mimo, "--backend", "cpu", "--batch", batches});
    CHECK(ran.exit_code == 2);
    CHECK(ran.err.find("--batch") != std::string::npos);
    CHECK(run_program({"bench", "kernel", "norm", "--backend", "cpu", "--batch", batches}).exit_code == 2);
  }
  for (const char* steps : {"0x10", "010", "1e1", "0"}) {
    CAPTURE(steps);
    CHECK(run_program({"bench", mimo, "--backend", "cpu", "--steps", steps}).exit_code == 2);
  }
  const auto graph = run_program({"bench", mimo, "--backend", "cpu", "--graph", "on"});
  CHECK(graph.exit_code == 2);
  CHECK(graph.err.find("--graph") != std::string::npos);
  const auto products = run_program({"bench", mimo, "--backend", "cpu", "--products", "library"});
  CHECK(products.exit_code == 2);
  CHECK(products.err.find("--products") != std::string::npos);
}

TEST_CASE("bench refuses what it cannot run") {
  CHECK(run_program({"bench"}).exit_code == 2);
  CHECK(run_program({"bench", "--preset", "siso-9b"}).exit_code == 2);
  CHECK(run_program({"bench", mimo, "--batch", "0"}).exit_code == 2);
  CHECK(run_program({"bench", mimo, "--graph", "maybe"}).exit_code == 2);
  CHECK(run_program({"bench", mimo, "--l2", "tepid"}).exit_code == 2);
  CHECK(run_program({"bench", mimo, "--backend", "cpu", "--variant", "fused"}).exit_code == 2);
  CHECK(run_program({"bench", mimo, "--variant", "confused"}).exit_code == 2);
  CHECK(run_program({"bench", mimo, "--sweep", "rank"}).exit_code == 2);  // its shape is what it is
  CHECK(run_program({"bench", mimo, "--sweep", "width"}).exit_code == 2);
  CHECK(run_program({"bench", mimo, "--sweep", "batch", "--batch", "4"}).exit_code == 2);
  CHECK(run_program({"bench", mimo, "--backend", "cpu", "--steps", "1", "--l2", "cold"}).exit_code == 2);
}
