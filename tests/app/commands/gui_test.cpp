// The gui command's arguments, run as its user runs it. What it draws is the GUI tests' business.
#include "tests/support/environment.h"
#include "tests/support/run_program.h"

#include <doctest/doctest.h>

#include <filesystem>

using tests::run_program;

TEST_CASE("gui refuses outputs before it opens anything: without a name 2, not writable 3") {
  const tests::TemporaryFolder folder;
  const std::string fine = folder.file("fine"), refused = folder.file("no/file");
  for (const char* option : {"--screenshot", "--summary", "--trace"}) {
    CAPTURE(option);
    const auto nameless = run_program({"gui", "--offscreen", option, ""});
    CHECK(nameless.exit_code == 2);
    CHECK(nameless.err.find(option) != std::string::npos);
    CHECK(nameless.out.empty());

    // The model does not exist either: the output is looked at first.
    const char* other = std::string(option) == "--trace" ? "--summary" : "--trace";
    const auto late = run_program({"gui", "/nonexistent/model", "--offscreen", other, fine, option, refused});
    CHECK(late.exit_code == 3);
    CHECK(late.err.find(refused) != std::string::npos);
    CHECK(late.err.find("/nonexistent/model") == std::string::npos);
    CHECK_FALSE(std::filesystem::exists(fine));
  }
}

TEST_CASE("on a display gui does not ignore what works offscreen only") {
  const tests::Environment display("DISPLAY", "127.0.0.1:1");
  const tests::TemporaryFolder folder;
  for (const std::vector<std::string>& arguments :
       {std::vector<std::string>{"gui", "--screenshot", folder.file("picture.png")}, {"gui", "--evaluate"}}) {
    const auto ran = run_program(arguments);
    CHECK(ran.exit_code == 2);
    CHECK(ran.err.find("--offscreen") != std::string::npos);
  }
}

TEST_CASE("what has no weights is drawn, and gui refuses what would need them") {
  const tests::TemporaryFolder folder;
  const std::string tokens = folder.file("tokens.safetensors"), profile = folder.file("steps.profile");
  REQUIRE(run_program({"record", "parity", "--prompt", "101", "--steps", "2", "-o", tokens}).exit_code == 0);
  REQUIRE(run_program({"profile", "parity", "--steps", "2", "--save", profile}).exit_code == 0);
  const std::vector<std::vector<std::string>> sources = {{tokens}, {"--profile", profile}};
  const std::vector<std::vector<std::string>> asks = {
      {"--evaluate"},
      {"--evaluate", "--ablations"},
      {"--change", "rotation*0", "--page", "dose"},
      {"--page", "interventions"},
      {"--page", "patching"},
      {"--page", "effect"},
      {"--page", "parity", "--steps", "1"},
  };
  for (const auto& source : sources) {
    for (const auto& ask : asks) {
      std::vector<std::string> arguments = {"gui", "--offscreen", "--size", "320x240"};
      arguments.insert(arguments.end(), source.begin(), source.end());
      arguments.insert(arguments.end(), ask.begin(), ask.end());
      CAPTURE(source.front());
      CAPTURE(ask.front());
      const auto ran = run_program(arguments);
      if (ran.exit_code == 3) {  // no OpenGL here
        CHECK(ran.err.find("recorded") == std::string::npos);
        continue;
      }
      CHECK(ran.exit_code == 2);
      CHECK(ran.err.find(ask.front()) != std::string::npos);
    }
  }
}

TEST_CASE("gui names the pages of its panels where one is asked for that they do not have") {
  const auto wrong = run_program({"gui", "parity", "--offscreen", "--page", "lambdas"});
  CHECK(wrong.exit_code == 2);
  for (const char* page : {"own-input", "accumulated", "lambda", "test-signal", "stability", "formulas", "effect",
                           "timeline", "bars", "histogram", "roofline", "all-tokens", "ranks", "compare"})
    CHECK(wrong.err.find(page) != std::string::npos);
  CHECK(wrong.out.empty());
}
