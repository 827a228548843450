// mambascope eval, run as a program, on the built-in trained model.
#include "tests/support/run_program.h"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

namespace {

const std::vector<std::string> quick = {"eval",   "parity", "--length", "40",        "--sequences", "20",
                                        "--json", "--seed", "7",        "--backend", "cpu"};

}  // namespace

TEST_CASE("eval: the trained model knows parity, and neither batch nor threads change the count") {
  const tests::Run run = tests::run_program(quick);
  CAPTURE(run.err);
  REQUIRE(run.exit_code == 0);
  CHECK(run.err.empty());
  const auto object = nlohmann::json::parse(run.out);
  CHECK(object["model"] == "parity");
  CHECK(object["task"] == "parity");
  CHECK(object["length"] == 40);
  CHECK(object["sequences"] == 20);
  CHECK(object["seed"] == 7);
  CHECK(object["classes"] == 2);
  CHECK(object["positions"] == 800);
  CHECK(object["accuracy"].get<double>() >= 0.995);
  CHECK(object["scaled_accuracy"].get<double>() == doctest::Approx(2 * object["accuracy"].get<double>() - 1));
  REQUIRE(object["by_length"].size() == 3);
  CHECK(object["by_length"][0]["length"] == 16);
  CHECK(object["by_length"][0]["positions"] == 320);
  CHECK(object["by_length"][1]["length"] == 32);
  CHECK(object["by_length"][2]["length"] == 40);
  CHECK(object["by_length"][2]["accuracy"] == object["accuracy"]);
  CHECK(object["by_length"][2]["scaled_accuracy"] == object["scaled_accuracy"]);

  std::vector<std::string> other = quick;
  other.insert(other.end(), {"--batch", "3", "--threads", "1"});
  CHECK(nlohmann::json::parse(tests::run_program(other).out)["right"] == object["right"]);
}

TEST_CASE("eval: a model that does not know the task is near chance, on the reference backend too") {
  const tests::Run run =
      tests::run_program({"eval", std::string(TEST_GOLDEN) + "/siso-1500-tokens", "--task", "parity", "--length", "20",
                          "--sequences", "10", "--json", "--backend", "reference"});
  CAPTURE(run.err);
  REQUIRE(run.exit_code == 0);
  CHECK(nlohmann::json::parse(run.out)["accuracy"].get<double>() < 0.8);
}

TEST_CASE("eval: wrong use is exit code 2 with a message") {
  const std::string golden = std::string(TEST_GOLDEN) + "/siso-fp32";
  for (const std::vector<std::string>& arguments :
       std::vector<std::vector<std::string>>{{"eval"},
                                             {"eval", golden},  // names no task
                                             {"eval", "parity", "--task", "sorting"},
                                             {"eval", "parity", "--length", "0"},
                                             {"eval", "parity", "--sequences", "-1"},
                                             {"eval", "parity", "--batch", "0"},
                                             {"eval", "parity", "--seed", "x"},
                                             {"eval", "parity", "--backend", "tpu"}}) {
    const tests::Run run = tests::run_program(arguments);
    CAPTURE(arguments.back());
    CHECK(run.exit_code == 2);
    CHECK(run.out.empty());
    CHECK_FALSE(run.err.empty());
  }
}
