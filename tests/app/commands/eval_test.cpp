// mambascope eval, run as a program, on the built-in trained model.
#include "tests/support/byte_model.h"
#include "tests/support/run_program.h"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <cmath>

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

TEST_CASE("eval: bits per byte of a model of bytes, on a text or on its own held-out one") {
  const tests::TemporaryFolder folder, texts;
  tests::write_byte_model(folder);
  const std::string model = folder.path().string();
  std::string text;
  for (int i = 0; i < 40; ++i) text += "line " + std::to_string(i) + "\n";
  const std::string file = texts.write("a text.txt", text);
  const std::vector<std::string> line = {"eval", model, "--text", file, "--length", "50", "--backend", "cpu", "--json"};
  const tests::Run run = tests::run_program(line);
  CAPTURE(run.err);
  REQUIRE(run.exit_code == 0);
  CHECK(run.err.empty());
  const auto object = nlohmann::json::parse(run.out);
  CHECK(object["text"] == file);
  CHECK(object["bytes"] == text.size());
  CHECK(object["predicted"] == text.size() - 1);
  CHECK(object["length"] == 50);
  const double bits = object["bits_per_byte"];
  CHECK(bits > 6);  // it has learned nothing
  CHECK(bits < 12);
  std::vector<std::string> other = line;
  other.insert(other.end(), {"--batch", "3"});
  CHECK(nlohmann::json::parse(tests::run_program(other).out)["bits_per_byte"] == bits);
  other = {"eval", model, "--text", file, "--length", "50", "--backend", "reference", "--json"};
  CHECK(nlohmann::json::parse(tests::run_program(other).out)["bits_per_byte"].get<double>() ==
        doctest::Approx(bits).epsilon(1e-5));

  // One window over the first bytes: what step says of each of them.
  const std::string few = text.substr(0, 30);
  other = {"step", model, "--prompt", few, "--backend", "cpu", "--json"};
  double expected = 0;
  const auto stepped = nlohmann::json::parse(tests::run_program(other).out);
  for (std::size_t t = 1; t < 30; ++t) expected -= std::log2(stepped["tokens"][t]["probability"].get<double>()) / 29;
  other = {"eval", model, "--text", texts.write("few", few), "--backend", "cpu", "--json"};
  CHECK(nlohmann::json::parse(tests::run_program(other).out)["bits_per_byte"].get<double>() ==
        doctest::Approx(expected).epsilon(1e-6));

  const auto refused = [&](const std::vector<std::string>& arguments, const std::string& says) {
    const tests::Run wrong = tests::run_program(arguments);
    CAPTURE(wrong.err);
    CHECK(wrong.exit_code == 2);
    CHECK(wrong.out.empty());
    CHECK(wrong.err.find(says) != std::string::npos);
  };
  refused({"eval", model}, "held_out.txt");
  folder.write("held_out.txt", few);
  const tests::Run own = tests::run_program({"eval", model, "--backend", "cpu"});
  CHECK(own.exit_code == 0);
  CHECK(own.out.find("over 29 bytes") != std::string::npos);
  folder.write("held_out.txt", std::string((1U << 20U) + 1, 'a'));
  refused({"eval", model}, "1048576");
  refused({"eval", model, "--text", texts.write("one", "a")}, "fewer than two");
  refused({"eval", model, "--text", texts.file("none")}, "none");
  refused({"eval", model, "--text", file, "--task", "parity"}, "--task");
  refused({"eval", model, "--task", "parity"}, "predicts next tokens");
  refused({"eval", "parity", "--text", file}, "tokens are bytes");
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
