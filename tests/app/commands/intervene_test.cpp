// mambascope intervene, run as a program.
#include "tests/support/run_program.h"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <algorithm>

namespace {

nlohmann::json json_of(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), "intervene");
  for (const char* more : {"--json", "--backend", "cpu"}) arguments.emplace_back(more);
  const tests::Run run = tests::run_program(arguments);
  CAPTURE(run.err);
  REQUIRE(run.exit_code == 0);
  return nlohmann::json::parse(run.out);
}

}  // namespace

TEST_CASE("intervene: the model, what was changed, and controls on the same tokens") {
  const auto object = json_of({"parity", "--prompt", "1", "--steps", "63", "--change", "rotation*0.9", "--controls",
                               "2", "--sequences", "2", "--length", "64"});
  CHECK(object["changes"] == nlohmann::json::array({"rotation*0.9"}));
  CHECK(object["count"] == 64);
  REQUIRE(object["summary"].size() == 4);
  CHECK(object["summary"][0]["mean_kl_bits"] == 0.0);
  CHECK(object["summary"][0]["right"] == 64);
  CHECK(object["summary"][1]["mean_kl_bits"].get<double>() > 1);
  CHECK(object["summary"][2]["mean_kl_bits"].get<double>() < 1);
  CHECK(object["summary"][1]["mean_state_distance"] == object["summary"][3]["mean_state_distance"]);
  REQUIRE(object["tokens"][63]["runs"].size() == 4);
  CHECK(object["tokens"][63]["runs"][1]["head_distance"].size() == 4);
  CHECK(object["task"]["runs"][0]["accuracy"] == 1.0);
  CHECK(object["task"]["runs"][1]["accuracy"].get<double>() < 0.8);
}

TEST_CASE("intervene: doses from nothing to all of it") {
  const auto object =
      json_of({"parity", "--prompt", "1011010", "--preset", "zero-rotation", "--controls", "3", "--dose", "0,0.5,1"});
  REQUIRE(object["dose"].size() == 3);
  CHECK(object["dose"][0]["changed"]["mean_kl_bits"] == 0.0);
  CHECK(object["dose"][2]["controls"].size() == 3);
  CHECK(object["dose"][2]["changed"]["mean_kl_bits"] == object["summary"][1]["mean_kl_bits"]);
}

TEST_CASE("intervene: the head that carries the parity, by patching") {
  const auto object = json_of({"parity", "--prompt", "101101001101", "--patch-from", "1", "--at", "7"});
  const auto& patching = object["patching"];
  REQUIRE(patching["effects"].size() == 4);
  for (const auto& effect : patching["effects"]) {
    const auto& last = effect["tokens"].back();
    CHECK(last["donors_answer"].get<bool>() == (effect["head"] == 1));
    CHECK(last["share"].get<double>() == doctest::Approx(effect["head"] == 1 ? 1 : 0).epsilon(0.01));
  }
  const auto pairs = json_of({"parity", "--prompt", "1011", "--patch-from", "1", "--grid", "pairs"});
  CHECK(pairs["patching"]["effects"].size() == 4 * 32);
}

TEST_CASE("intervene: dt frozen at its mean, text and CSV") {
  const tests::TemporaryFolder folder;
  const std::string csv = folder.file("intervene.csv");
  const tests::Run run = tests::run_program(
      {"intervene", "parity", "--prompt", "1011", "--preset", "freeze-dt", "--csv", csv, "--backend", "cpu"});
  CAPTURE(run.err);
  CHECK(run.exit_code == 0);
  CHECK(run.out.find("dt = ") != std::string::npos);
  const std::string text = tests::content_of(csv);
  CHECK(text.find("token,id,run,predicted,truth,kl_bits") == 0);
  CHECK(std::count(text.begin(), text.end(), '\n') == 1 + 4 * 2);
}

TEST_CASE("intervene: a base is where all runs start, and what has no effect is named") {
  const auto object = json_of({"parity", "--prompt", "1011", "--steps", "12", "--base", "rotation*0", "--change",
                               "rotation*0.5", "--change", "dt*2 @ tokens 99-"});
  CHECK(object["base"] == nlohmann::json::array({"rotation*0"}));
  CHECK(object["summary"][0]["right"].get<int>() < 16);
  CHECK(object["summary"][1]["mean_kl_bits"] == 0.0);
  REQUIRE(object["without_effect"].size() == 2);
  CHECK(object["without_effect"][1] ==
        "dt x 2, from token 99 has no effect: its tokens begin at 99, and there are 16.");
  const auto plain = json_of({"parity", "--prompt", "1011", "--change", "rotation*0"});
  CHECK(plain["without_effect"].empty());
}

TEST_CASE("intervene: wrong input is a message and exit code 2") {
  const std::vector<std::vector<std::string>> wrong = {
      {"intervene"},
      {"intervene", "parity"},
      {"intervene", "parity", "--change", "rotate*0"},
      {"intervene", "parity", "--change", "rotation*0 @ layers 3"},
      {"intervene", "parity", "--change", "rotation*0", "--controls", "-1"},
      {"intervene", "parity", "--change", "rotation*0", "--control", "other"},
      {"intervene", "parity", "--change", "rotation*0", "--dose", "0,nan"},
      {"intervene", "parity", "--change", "rotation~1", "--dose", "0,0.5"},
      {"intervene", "parity", "--preset", "nothing"},
      {"intervene", "parity-no-rotation", "--preset", "nothing"},
      {"intervene", "parity", "--prompt", "101", "--patch-from", "2"},
      {"intervene", "parity", "--prompt", "101", "--patch-from", "1", "--at", "2"},
      {"intervene", "parity", "--prompt", "101", "--at", "1"},
      {"intervene", "parity", "--change", "rotation*0", "--grid", "layers"},
      {"intervene", "parity", "--prompt", "1", "--patch-from", "1"},
      {"intervene", "parity", "--prompt", "101", "--patch-from", "11", "--controls", "3"},
      {"intervene", "parity", "--prompt", "101", "--patch-from", "11", "--dose", "0,1"},
      {"intervene", "parity", "--prompt", "101", "--patch-from", "11", "--sequences", "5"},
      {"intervene", "parity", "--change", "dt*-1"},
      {"intervene", "parity", "--change", "dt*2", "--dose=-1,1,-2"},
      {"intervene", "austen-siso", "--prompt", "Mr", "--change", "dt*2", "--sequences", "4"},  // it has no task
  };
  for (const auto& arguments : wrong) {
    std::string line;
    for (const std::string& word : arguments) line += word + " ";
    CAPTURE(line);
    const tests::Run run = tests::run_program(arguments);
    CHECK(run.exit_code == 2);
    CHECK(run.out.empty());
    CHECK_FALSE(run.err.empty());
  }
}
