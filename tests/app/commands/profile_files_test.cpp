// `mambascope profile` with files: what is saved is what is opened.
#include "tests/support/run_program.h"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <sstream>
#include <string>
#include <vector>

using nlohmann::json;
using tests::content_of;
using tests::run_program;

namespace {

const std::string siso = TEST_GOLDEN "/siso-fp32";

std::vector<std::string> rows_of(const std::string& csv) {
  std::vector<std::string> rows;
  std::istringstream in(csv);
  for (std::string line; std::getline(in, line);)
    if (line[0] != '#') rows.push_back(line);
  return rows;
}

}  // namespace

TEST_CASE("a saved profile opens with the same figures, marked as recorded") {
  const tests::TemporaryFolder folder;
  const std::string file = folder.file("kept.profile"), csv = folder.file("a.csv"), again = folder.file("b.csv");
  const auto measured = run_program(
      {"profile", siso, "--backend", "cpu", "--threads", "1", "--steps", "40", "--json", "--save", file, "--csv", csv});
  CAPTURE(measured.err);
  REQUIRE(measured.exit_code == 0);
  CHECK(content_of(file).size() < 40'000);
  const auto opened = run_program({"profile", "--open", file, "--json", "--csv", again});
  REQUIRE(opened.exit_code == 0);
  json a = json::parse(measured.out), b = json::parse(opened.out);
  CHECK(a["recorded"].is_null());
  CHECK(b["recorded"]["name"] == "kept");
  CHECK(b["recorded"]["recorded_at"].get<std::string>().size() == 20);
  CHECK(a["copy_gbps"].get<double>() > 0);
  for (const char* rows : {"kinds", "layers", "stages"}) {
    for (const auto& row : b[rows]) {
      std::size_t counted = row["histogram"]["above"];
      for (const auto& count : row["histogram"]["counts"]) counted += count.get<std::size_t>();
      CHECK(counted == 40);
      CHECK(row["histogram"]["above"] == row["outliers"].size());
      CHECK(row["us"]["p25"] <= row["us"]["p75"]);
    }
  }
  b["recorded"] = nullptr;
  CHECK(a == b);
  const auto rows = rows_of(content_of(csv)), rows_again = rows_of(content_of(again));
  CHECK(rows.size() == rows_again.size());
  CHECK(content_of(again).find("# recorded on ") != std::string::npos);

  const auto text = run_program({"profile", "--open", file, "--by", "layer"});
  CHECK(text.exit_code == 0);
  CHECK(text.out.find("kept: recorded on ") != std::string::npos);
  CHECK(text.out.find("layer 1") != std::string::npos);
  CHECK(text.out.find("outliers ") != std::string::npos);
}

TEST_CASE("a trace stays within its limit and says what it left out") {
  const tests::TemporaryFolder folder;
  const std::string file = folder.file("kept.profile"), trace = folder.file("t.json");
  REQUIRE(run_program({"profile", siso, "--backend", "cpu", "--steps", "100", "--save", file, "--no-cost"}).exit_code ==
          0);
  const auto ran = run_program({"profile", "--open", file, "--trace", trace, "--trace-limit", "0.1"});
  CHECK(ran.exit_code == 0);
  const std::string written = content_of(trace);
  CHECK(written.size() <= 104858);
  CHECK(written.size() > 60'000);
  const json parsed = json::parse(written);
  const auto left_out = parsed["otherData"]["tokens_left_out"].get<std::size_t>();
  CHECK(left_out > 0);
  CHECK(ran.err.find(std::to_string(left_out) + " of 100 tokens") != std::string::npos);
  std::size_t steps = 0;
  for (const auto& event : parsed["traceEvents"])
    if (event.value("cat", "") == "step") ++steps;
  CHECK(steps + left_out == 100);
}

TEST_CASE("wrong use of recorded profiles is exit code 2") {
  const tests::TemporaryFolder folder;
  const std::string file = folder.file("kept.profile");
  REQUIRE(run_program({"profile", siso, "--backend", "cpu", "--steps", "2", "--save", file, "--no-cost"}).exit_code ==
          0);
  const std::string cut = folder.file("cut.profile");
  std::ofstream(cut, std::ios::binary) << content_of(file).substr(0, 100);
  for (const std::vector<std::string>& wrong : {std::vector<std::string>{"--open", "/nonexistent"},
                                                {"--open", cut},
                                                {"--open", file, siso},
                                                {"--open", file, "--steps", "3"},
                                                {"--open", file, "--save", cut},
                                                {"--open", file, "--backend", "cpu"},
                                                {"--open", file, "--variant", "staged"},
                                                {"--open", file, "--threads", "1"},
                                                {"--open", file, "--seed", "1"},
                                                {"--open", file, "--no-cost"},
                                                {"--open", file, "--trace-limit", "1"},
                                                {"--list", siso},
                                                {"--list", "--steps", "3"},
                                                {"--open", file, "--trace-limit", "0"}}) {
    std::vector<std::string> arguments = wrong;
    arguments.insert(arguments.begin(), "profile");
    CAPTURE(arguments.back());
    const auto ran = run_program(arguments);
    CHECK(ran.exit_code == 2);
    CHECK_FALSE(ran.err.empty());
    CHECK(ran.out.empty());
  }
  CHECK(run_program({"profile", siso, "--backend", "cpu", "--save", "/nonexistent/x.profile"}).exit_code == 3);
  const auto list = run_program({"profile", "--list", "--json"});
  CHECK(list.exit_code == 0);
  CHECK(json::parse(list.out)["profiles"].is_array());
}
