// Files to write are looked at before a command runs, and not touched.
#include "app/commands/output_file.h"

#include "tests/support/run_program.h"

#include <doctest/doctest.h>

#include <filesystem>
#include <ostream>

TEST_CASE("outputs that cannot be written are found without touching anything") {
  const tests::TemporaryFolder folder;
  const std::string old = folder.write("old.json", "precious"), fresh = folder.file("fresh.json");
  CHECK(app::check_outputs({"", old, fresh, "fresh-without-folder.json", "/dev/null"}).has_value());
  CHECK(tests::content_of(old) == "precious");
  CHECK_FALSE(std::filesystem::exists(fresh));
  CHECK_FALSE(std::filesystem::exists("fresh-without-folder.json"));

  const std::string name_too_long(300, 'n');
  for (const std::string& wrong : {std::string("/nonexistent/file"), folder.path().string(), old + "/file",
                                   folder.file("fresh/"), folder.file(name_too_long)}) {
    const auto checked = app::check_outputs({fresh, wrong});
    CAPTURE(wrong);
    REQUIRE_FALSE(checked.has_value());
    CHECK(checked.error().kind == engine::ErrorKind::system);
    CHECK(checked.error().message.find(wrong) == 0);
    CHECK_FALSE(std::filesystem::exists(fresh));
  }
}

TEST_CASE("an output is no other file of the same command, and no part of a model") {
  const tests::TemporaryFolder folder;
  const std::string old = folder.write("old.json", "precious"), link = folder.file("link.json");
  std::filesystem::create_symlink(old, link);
  const auto refused = [](const std::vector<std::string>& outputs, const std::vector<std::string>& inputs) {
    const auto checked = app::check_outputs(outputs, inputs);
    return !checked && checked.error().kind == engine::ErrorKind::input;
  };
  CHECK(refused({old}, {old}));
  CHECK(refused({link}, {old}));
  CHECK(refused({folder.file("new"), folder.path().string() + "/./new"}, {}));
  CHECK_FALSE(refused({folder.file("new"), "/dev/null", "/dev/null"}, {"siso-1.5b"}));
  for (const char* name : {"model.safetensors", "pytorch_model.bin", "config.json", "task.json"}) {
    CAPTURE(name);
    CHECK(refused({folder.file(name)}, {}));
  }
}

TEST_CASE("a file is replaced when all is written, and stays when not") {
  const tests::TemporaryFolder folder;
  const std::string old = folder.write("old.json", "precious");
  CHECK_FALSE(app::write_output(old, [](std::ostream& out) { out.setstate(std::ios::badbit); }).has_value());
  CHECK(tests::content_of(old) == "precious");
  CHECK(app::write_output(old, [](std::ostream& out) { out << "new"; }).has_value());
  CHECK(tests::content_of(old) == "new");
  CHECK_FALSE(std::filesystem::exists(old + ".part"));
  CHECK(app::write_output("/dev/null", [](std::ostream& out) { out << "gone"; }).has_value());
}

TEST_CASE("profile refuses outputs before it runs: without a name 2, not writable 3") {
  const tests::TemporaryFolder folder;
  const std::string trace = folder.file("trace.json"), model = TEST_GOLDEN "/siso-fp32";
  const auto late = tests::run_program({"profile", model, "--backend", "cpu", "--steps", "10000", "--trace", trace,
                                        "--csv", folder.file("no/times.csv")});
  CHECK(late.exit_code == 3);
  CHECK(late.err.find("no/times.csv") != std::string::npos);
  CHECK(late.out.empty());
  CHECK_FALSE(std::filesystem::exists(trace));
  for (const char* option : {"--trace", "--csv"}) {
    const auto nameless = tests::run_program({"profile", model, "--backend", "cpu", "--steps", "1", option, ""});
    CHECK(nameless.exit_code == 2);
    CHECK(nameless.err.find(option) != std::string::npos);
    CHECK(nameless.out.empty());
  }
}
