// Names from the disk and the command line that a terminal must not get raw: bytes that are no UTF-8, control characters.
#include "tests/support/run_program.h"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <filesystem>
#include <string>
#include <vector>

namespace {

constexpr const char* raw = "na\xff\x1b[31m";
constexpr const char* shown = "na\\xff\\x1b[31m";

tests::Run run(const std::vector<std::string>& arguments, int code) {
  CAPTURE(arguments.front());
  const auto run = tests::run_program(arguments);
  const std::string all = run.out + run.err;
  CAPTURE(all);
  CHECK(run.exit_code == code);
  CHECK(all.find(shown) != std::string::npos);
  CHECK(all.find('\xff') == std::string::npos);
  CHECK(all.find('\x1b') == std::string::npos);
  return run;
}

}  // namespace

TEST_CASE("names that are no text are escaped wherever they are printed") {
  const tests::TemporaryFolder folder;
  const std::string model = folder.file(raw), recording = folder.file(std::string(raw) + ".safetensors");
  std::filesystem::create_directory(model);
  for (const char* file : {"config.json", "model.safetensors"})
    std::filesystem::copy_file(std::string(TEST_GOLDEN) + "/siso-fp32/" + file, model + "/" + file);
  run({"step", model, "--backend", "cpu", "--tokens", "1"}, 0);
  run({"step", model, "--backend", "cpu", "--tokens", "1,999"}, 2);
  run({"step", model, "--backend", "cpu"}, 2);
  run({"eval", model}, 2);
  run({"record", model, "--backend", "cpu", "--tokens", "1", "-o", recording}, 0);
  run({"record", model, "--backend", "cpu", "--tokens", "1", "-o", recording}, 2);  // it is there
  run({"inspect", recording}, 0);
  run({"step", recording}, 2);
  run({"discretise", "--csv", folder.file(std::string("no/") + raw)}, 3);
  run({"step", "parity", "--sampler", raw}, 2);
  run({"step", "parity", raw}, 2);
  run({"compare", model + "/a", model + "/b"}, 2);

  const auto json = tests::run_program({"step", model, "--backend", "cpu", "--tokens", "1", "--json"});
  CHECK(nlohmann::json::parse(json.out)["model"] == shown);
}
