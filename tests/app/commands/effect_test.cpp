// mambascope effect, run as a program.
#include "tests/support/run_program.h"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <algorithm>

namespace {

nlohmann::json json_of(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), "effect");
  for (const char* more : {"--json", "--backend", "cpu"}) arguments.emplace_back(more);
  const tests::Run run = tests::run_program(arguments);
  CAPTURE(run.err);
  REQUIRE(run.exit_code == 0);
  return nlohmann::json::parse(run.out);
}

}  // namespace

TEST_CASE("effect: the model as it is beside Euler and the trapezoid, on the same tokens") {
  const auto object = json_of({"modular", "--tokens", "1,5,2,7,3", "--sequences", "20", "--length", "48"});
  CHECK(object["model"] == "modular");
  CHECK(object["count"] == 5);
  REQUIRE(object["tokens"].size() == 5);
  const auto& runs = object["tokens"][4]["runs"];
  REQUIRE(runs.size() == 3);
  CHECK(runs[0]["lambda"].is_null());
  CHECK(runs[1]["lambda"] == 1.0);
  CHECK(runs[2]["lambda"] == 0.5);
  CHECK(runs[0]["kl_bits"] == 0.0);
  CHECK(runs[1]["kl_bits"].get<double>() > 0);
  CHECK(runs[1]["state_distance"].size() == 3);
  CHECK(runs[1]["state_distance"][0].get<double>() > 0);
  CHECK(runs[0]["next_bits"].is_null());  // a model that labels positions predicts no token
  double sum = 0;
  for (const auto& entry : runs[2]["top"]) sum += entry["probability"].get<double>();
  CHECK(sum == doctest::Approx(1));  // five classes, five best
  REQUIRE(object["accuracy"].size() == 3);
  CHECK(object["accuracy"][0]["accuracy"].get<double>() > object["accuracy"][1]["accuracy"].get<double>());
  CHECK(object["summary"][0]["same_prediction"] == 5);
  CHECK(object["summary"][1]["mean_kl_bits"].get<double>() > 0);
}

TEST_CASE("effect: a model whose lambda is fixed at 1 is not changed by Euler") {
  const auto object = json_of({"modular-mamba2", "--tokens", "1,5,2,7,3", "--lambda", "1,0.25"});
  CHECK(object["lambda_override"] == 1.0);
  CHECK(object["summary"][1]["mean_kl_bits"] == 0.0);
  CHECK(object["summary"][1]["mean_state_distance"][0] == 0.0);
  CHECK(object["summary"][2]["mean_kl_bits"].get<double>() > 0);
}

TEST_CASE("effect: sampled tokens are the model's own, and what each run pays for the text is told") {
  const auto object = json_of({"austen-siso", "--prompt", "Mr. ", "--steps", "6"});
  CHECK(object["count"] == 10);
  CHECK(object["summary"][0]["bits_per_token"].get<double>() > 0);
  CHECK(object["summary"][1]["bits_per_token"].get<double>() > object["summary"][0]["bits_per_token"].get<double>());
  const auto& tokens = object["tokens"];
  for (std::size_t t = 4; t < 10; ++t) CHECK(tokens[t]["id"] == tokens[t - 1]["runs"][0]["predicted"]);
  CHECK(tokens[9]["runs"][0]["next_bits"].is_null());
}

TEST_CASE("effect: text names the runs and says that it is no error; CSV has a line for each token and run") {
  const tests::TemporaryFolder folder;
  const std::string csv = folder.file("effect.csv");
  const tests::Run run = tests::run_program({"effect", "parity", "--prompt", "1011", "--csv", csv, "--backend", "cpu"});
  CHECK(run.exit_code == 0);
  CHECK(run.out.find("Effect, not error") != std::string::npos);
  CHECK(run.out.find("Euler, 1") != std::string::npos);
  CHECK(run.out.find("trapezoid, 0.5") != std::string::npos);
  const std::string text = tests::content_of(csv);
  CHECK(text.find("token,id,lambda,predicted,entropy_bits,kl_bits,next_bits,state_distance_0\n") == 0);
  CHECK(std::count(text.begin(), text.end(), '\n') == 1 + 4 * 3);
}

TEST_CASE("effect: wrong input is a message and exit code 2") {
  const std::vector<std::vector<std::string>> wrong = {
      {"effect"},
      {"effect", "parity", "--lambda", "1.5"},
      {"effect", "parity", "--lambda", "nan"},
      {"effect", "parity", "--lambda", ""},
      {"effect", "parity", "--tokens", "1,9"},
      {"effect", "parity", "--prompt", "1x"},
      {"effect", "austen-siso", "--prompt", "Mr", "--sequences", "4"},  // it has no task
      {"effect", "no-such-model"},
      {"effect", "parity", "--csv", "/no/such/folder/a.csv"},
  };
  for (const auto& arguments : wrong) {
    std::string line;
    for (const std::string& word : arguments) line += word + " ";
    CAPTURE(line);
    const tests::Run run = tests::run_program(arguments);
    CHECK((run.exit_code == 2 || (run.exit_code == 3 && line.find("/no/such") != std::string::npos)));
    CHECK(run.out.empty());
    CHECK_FALSE(run.err.empty());
  }
}

TEST_CASE("effect: accuracy is refused before anything long runs where there is no task") {
  const tests::Run run =
      tests::run_program({"effect", "austen-siso", "--prompt", "a", "--steps", "1000000", "--sequences", "5"});
  CHECK(run.exit_code == 2);
}
