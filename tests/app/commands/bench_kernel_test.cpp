// The bench of one kernel family, run as its user runs it.
#include "tests/support/run_program.h"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <fstream>
#include <string>
#include <vector>

using tests::run_program;

namespace {

std::vector<std::string> small(const std::string& name, std::vector<std::string> more) {
  std::vector<std::string> words = {"bench", "kernel",    name,  "--heads",   "2",  "--headdim",
                                    "16",    "--d-state", "16",  "--d-model", "32", "--samples",
                                    "2",     "--backend", "cpu", "--threads", "1"};
  words.insert(words.end(), more.begin(), more.end());
  return words;
}

}  // namespace

TEST_CASE("bench kernel: ranks by batches, each verified") {
  const tests::TemporaryFolder folder;
  const std::string csv = folder.file("times.csv");
  const auto ran =
      run_program(small("state_update", {"--rank", "1,4", "--batch", "1,3", "--l2", "warm", "--json", "--csv", csv}));
  CAPTURE(ran.err);
  REQUIRE(ran.exit_code == 0);
  const auto runs = nlohmann::json::parse(ran.out)["runs"];
  REQUIRE(runs.size() == 4);
  CHECK(runs[3]["rank"] == 4);
  CHECK(runs[3]["batch"] == 3);
  for (const auto& run : runs) {
    CHECK(run["kernel"] == "state_update");
    CHECK(run["verified"] == true);
    CHECK(run["verified_against"] == "reference");
    const double us = run["us"]["median"];
    CHECK(us > 0);
    CHECK(run["gbps"].get<double>() == doctest::Approx(run["bytes"].get<double>() / us / 1e3));
  }
  std::ifstream in(csv);
  int lines = 0;
  for (std::string line; std::getline(in, line);) ++lines;
  CHECK(lines == 5);
}

TEST_CASE("bench kernel: several stages as one, and what it refuses") {
  const auto ran = run_program(small("rotate,state_update,readout", {}));
  CAPTURE(ran.err);
  CHECK(ran.exit_code == 0);
  CHECK(ran.out.find("rotate + state_update + readout") != std::string::npos);
  CHECK(run_program(small("attention", {})).exit_code == 2);
  CHECK(run_program({"bench", "--json", "kernel", "norm"}).exit_code ==
        2);  // nobody would read what stands before kernel
  CHECK(run_program({"bench", "parity", "kernel", "norm"}).exit_code == 2);
  CHECK(run_program(small("mimo_mix", {})).exit_code == 2);  // there is none at rank 1
  CHECK(run_program(small("rotate", {"--rank", "9"})).exit_code == 2);
  CHECK(run_program(small("rotate", {"--headdim", "7"})).exit_code == 2);
  CHECK(run_program(small("rotate,rotate", {})).exit_code == 2);
  CHECK(run_program(small("rotate,final_norm", {})).exit_code == 2);
  CHECK(run_program({"bench", "kernel"}).exit_code == 2);
}
