// A MODEL that is another file: a recording, a profile, or what is left of one.
#include "tests/support/run_program.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

namespace {

void refuses(const std::string& file, const std::vector<const char*>& says,
             const std::vector<std::vector<std::string>>& commands) {
  CAPTURE(file);
  for (const std::vector<std::string>& command : commands) {
    std::vector<std::string> arguments = command;
    arguments.push_back(file);
    CAPTURE(command.front());
    const auto run = tests::run_program(arguments);
    CAPTURE(run.err);
    CHECK(run.exit_code == 2);
    CHECK(run.out.empty());
    CHECK(run.err.find("config.json") == std::string::npos);
    CHECK(run.err.find("..") == std::string::npos);
    for (const char* words : says) CHECK(run.err.find(words) != std::string::npos);
  }
}

}  // namespace

TEST_CASE("a file that is no model: the error says what it is and what opens it") {
  const tests::TemporaryFolder folder;
  const std::string tokens = folder.file("tokens.safetensors"), profile = folder.file("steps.profile");
  REQUIRE(tests::run_program({"record", "parity", "--backend", "cpu", "--prompt", "1011", "-o", tokens}).exit_code ==
          0);
  REQUIRE(tests::run_program({"profile", "parity", "--backend", "cpu", "--steps", "2", "--save", profile}).exit_code ==
          0);
  const std::vector<std::vector<std::string>> steps = {{"step"}, {"eval"}, {"bench"}}, all = {{"step"}, {"inspect"}};

  refuses(tokens, {"is a recording of tokens", "mambascope inspect", "mambascope gui"}, steps);
  refuses(profile, {"is a recorded profile", "--profile", "mambascope compare", "profile --open"}, all);
  folder.write("renamed.dat", tests::content_of(profile));
  refuses(folder.file("renamed.dat"), {"is a recorded profile"}, all);

  const std::string whole = tests::content_of(tokens);
  folder.write("cut.safetensors", whole.substr(0, 100));
  refuses(folder.file("cut.safetensors"), {"truncated", "record the file again"}, all);
  folder.write("other.safetensors", "X" + whole.substr(1));
  refuses(folder.file("other.safetensors"), {"header", "record the file again"}, all);
  folder.write("empty.safetensors", "");
  refuses(folder.file("empty.safetensors"), {"is empty"}, all);
  folder.write("broken.safetensors.part", "MSCOPEJ2 and more");
  refuses(folder.file("broken.safetensors.part"), {"header", "record the file again"}, all);
}
