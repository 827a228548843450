// mambascope discretise, run as a program.
#include "tests/support/run_program.h"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <cmath>
#include <map>
#include <sstream>

namespace {

nlohmann::json json_of(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), "discretise");
  arguments.emplace_back("--json");
  const tests::Run run = tests::run_program(arguments);
  CAPTURE(run.err);
  REQUIRE(run.exit_code == 0);
  CHECK(run.err.empty());
  return nlohmann::json::parse(run.out);
}

std::map<std::string, nlohmann::json> by_rule(const nlohmann::json& object) {
  std::map<std::string, nlohmann::json> rules;
  for (const auto& rule : object["rules"]) rules[rule["rule"]] = rule;
  return rules;
}

}  // namespace

TEST_CASE("discretise: every rule has the slopes of theory, and the range of the fit is told") {
  const auto object = json_of({"--signal", "sine", "--decay", "0.5", "--steps", "1e-3..1"});
  CHECK(object["signal"] == "sine");
  CHECK(object["a"] == -0.5);
  CHECK(object["fit"][0] == 1e-3);
  CHECK(object["fit"][1] == 0.1);
  REQUIRE(object["dt"].size() == 13);
  CHECK(object["dt"][12] == 1.0);
  CHECK(object["step_counts"][12] == 10);
  REQUIRE(object["rules"].size() == 8);
  for (const auto& rule : object["rules"]) {
    CAPTURE(rule["rule"].get<std::string>());
    for (const char* kind : {"local", "global"}) {
      const auto& curve = rule[kind];
      CHECK(std::abs(curve["slope"].get<double>() - curve["order"].get<int>()) < 0.05);
      CHECK(curve["slope_95"].get<double>() < 0.05);
      CHECK(curve["fitted_points"] == 9);
      CHECK(curve["error"].size() == 13);
      CHECK(curve["leading"][0].get<double>() / curve["error"][0].get<double>() == doctest::Approx(1).epsilon(0.01));
    }
  }
  CHECK(by_rule(object)["exponential_trapezoid"]["local"]["order"] == 3);
}

TEST_CASE("discretise: a varying A costs second order unless its middle is held") {
  const auto end = by_rule(json_of({"--varying-decay", "0.8"}));
  const auto middle = by_rule(json_of({"--varying-decay", "0.8", "--hold", "middle"}));
  CHECK(end.at("exponential_trapezoid")["global"]["slope"].get<double>() == doctest::Approx(1).epsilon(0.05));
  CHECK(middle.at("exponential_trapezoid")["global"]["slope"].get<double>() == doctest::Approx(2).epsilon(0.05));
}

TEST_CASE("discretise: exact is told as such, and the table is readable") {
  const auto run = tests::run_program({"discretise", "--signal", "linear", "--steps", "1e-2..1", "--points", "5"});
  REQUIRE(run.exit_code == 0);
  CHECK(run.err.empty());
  CHECK(run.out.find("first-order hold        exact to rounding") != std::string::npos);
  CHECK(run.out.find("Second order holds for constant A only.") != std::string::npos);
  std::istringstream lines(run.out);
  for (std::string line; std::getline(lines, line);) {
    CAPTURE(line);
    CHECK(line.size() < 240);
  }
}

TEST_CASE("discretise: the CSV has one line for each step size and rule") {
  const tests::TemporaryFolder folder;
  const std::string file = folder.file("errors.csv");
  const auto object = json_of({"--points", "4", "--csv", file});
  std::istringstream lines(tests::content_of(file));
  std::string line;
  std::getline(lines, line);
  CHECK(line == "dt,steps,rule,local_error,local_leading,local_rounding,global_error,global_leading,global_rounding");
  int count = 0;
  while (std::getline(lines, line)) ++count;
  CHECK(count == 4 * 8);
  CHECK(tests::content_of(file).find("0.001,10000,exponential_euler,") != std::string::npos);
}

TEST_CASE("discretise: wrong use is exit code 2 with a message, quickly") {
  for (const std::vector<std::string>& arguments :
       std::vector<std::vector<std::string>>{{"--steps", "1e-3"},
                                             {"--steps", "1..1e-3"},
                                             {"--steps", "-1..1"},
                                             {"--steps", "0..1"},
                                             {"--steps", "a..b"},
                                             {"--steps", "1e-3...1"},
                                             {"--steps", "nan..1"},
                                             {"--steps", "1e-12..1"},
                                             {"--steps", "1e-5..1e-5", "--duration", "1000"},
                                             {"--steps", "1e-300..1e-1"},
                                             {"--steps", "1..20"},
                                             {"--fit", "x"},
                                             {"--signal", "noise"},
                                             {"--decay", "-1"},
                                             {"--decay", "nan"},
                                             {"--duration", "0"},
                                             {"--points", "1"},
                                             {"--points", "1000000"},
                                             {"--lambda", "inf"},
                                             {"--varying-decay", "2"},
                                             {"--hold", "start"},
                                             {"--rate", "1e4", "--duration", "1000", "--steps", "0.1..1"},
                                             {"--signal", "exponential", "--rate", "90", "--steps", "1e-2..1"},
                                             {"--csv", ""},
                                             {"parity"}}) {
    std::vector<std::string> all = {"discretise"};
    all.insert(all.end(), arguments.begin(), arguments.end());
    const tests::Run run = tests::run_program(all);
    CAPTURE(arguments.back());
    CHECK(run.exit_code == 2);
    CHECK(run.out.empty());
    CHECK_FALSE(run.err.empty());
  }
  CHECK(tests::run_program({"discretise", "--csv", "/nonexistent/errors.csv"}).exit_code == 3);
}
