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

TEST_CASE("gui names the pages of its panels where one is asked for that they do not have") {
  const auto wrong = run_program({"gui", "parity", "--offscreen", "--page", "lambdas"});
  CHECK(wrong.exit_code == 2);
  for (const char* page : {"own-input", "accumulated", "lambda", "test-signal", "stability", "formulas", "effect",
                           "timeline", "bars", "histogram", "roofline", "all-tokens", "ranks", "compare"})
    CHECK(wrong.err.find(page) != std::string::npos);
  CHECK(wrong.out.empty());
}
