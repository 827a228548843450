// The command `record` and what `inspect` says of its files: as a user runs them, interrupted ones too.
#include "engine/recording/recording.h"
#include "tests/support/run_program.h"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <cstdlib>
#include <filesystem>
#include <regex>
#include <string>
#include <vector>

namespace {

const std::string docs = std::string(TEST_SOURCE_ROOT) + "/docs/recordings.md";

// The first Python block of the page.
std::string snippet() {
  const std::string page = tests::content_of(docs);
  const std::size_t begin = page.find("```python\n"), end = page.find("```", begin + 10);
  REQUIRE(end != std::string::npos);
  return page.substr(begin + 10, end - begin - 10);
}

tests::Run record(const std::string& file, std::vector<std::string> more) {
  std::vector<std::string> arguments = {"record", "parity", "--backend", "cpu", "-o", file};
  arguments.insert(arguments.end(), more.begin(), more.end());
  return tests::run_program(arguments);
}

// Runs the program in a shell, which sets limits before.
void in_shell(const std::string& line) {
  const int status = std::system(("{ " + line + "; } >/dev/null 2>&1").c_str());
  static_cast<void>(status);
}

}  // namespace

TEST_CASE("record: what is in the file is what step prints, with times") {
  const tests::TemporaryFolder folder;
  const std::string file = folder.file("parity.safetensors");
  const auto run = record(file, {"--prompt", "10110", "--steps", "20", "--seed", "3", "--json"});
  CAPTURE(run.err);
  REQUIRE(run.exit_code == 0);
  const auto json = nlohmann::json::parse(run.out);
  CHECK(json["tokens"] == 25);
  CHECK(json["bytes"] == std::filesystem::file_size(file));
  const auto step = tests::run_program(
      {"step", "parity", "--backend", "cpu", "--prompt", "10110", "--steps", "20", "--seed", "3", "--json"});
  const auto tokens = nlohmann::json::parse(step.out)["tokens"];
  const auto recording = engine::Recording::open(file);
  REQUIRE(recording.has_value());
  for (std::int64_t i = 0; i < 25; ++i) {
    const auto token = (*recording)->token(i);
    const auto& expected = tokens[static_cast<std::size_t>(i)];
    CHECK(token->id == expected["id"].get<int>());
    CHECK(token->truth == expected["truth"].get<int>());
    CHECK(token->predicted == expected["predicted"].get<int>());
    CHECK(token->top.front().logit == expected["top"][0]["logit"].get<float>());
    const engine::StepTimes times = (*recording)->times(i);
    CHECK(times.wall_ns > 0);
    CHECK(times.duration_ns.size() == (*recording)->info().plan.stages.size());
    std::int64_t sum = 0;
    for (const std::int64_t ns : times.duration_ns) sum += std::max<std::int64_t>(0, ns);
    CHECK((sum > 0 && sum <= times.wall_ns));
  }
  const auto inspected = tests::run_program({"inspect", file, "--json"});
  REQUIRE(inspected.exit_code == 0);
  const auto said = nlohmann::json::parse(inspected.out);
  CHECK(said["tokens"] == 25);
  CHECK(said["model_here"] == "the built-in model of that name is the same");
  CHECK(tests::run_program({"inspect", file}).out.find("token,ssm_layer,head,row,channel") != std::string::npos);
  // Sampled tokens are those of `step`, too.
  const std::string austen = folder.file("austen.safetensors");
  const std::vector<std::string> sampling = {"--prompt", "It is", "--steps", "12", "--sampler", "top-p", "--seed", "5"};
  std::vector<std::string> first = {"record", "austen-siso", "--backend", "cpu", "-o", austen, "--states", "every 8"};
  std::vector<std::string> second = {"step", "austen-siso", "--backend", "cpu", "--json"};
  first.insert(first.end(), sampling.begin(), sampling.end());
  second.insert(second.end(), sampling.begin(), sampling.end());
  REQUIRE(tests::run_program(first).exit_code == 0);
  const auto stepped = nlohmann::json::parse(tests::run_program(second).out)["tokens"];
  const auto text = *engine::Recording::open(austen);
  REQUIRE(text->tokens() == static_cast<std::int64_t>(stepped.size()));
  for (std::int64_t i = 0; i < text->tokens(); ++i) CHECK(text->id(i) == stepped[static_cast<std::size_t>(i)]["id"]);
}

TEST_CASE("record: wrong use says so") {
  const tests::TemporaryFolder folder;
  const auto says = [](const tests::Run& run, int code, const char* words) {
    CAPTURE(run.err);
    CHECK(run.exit_code == code);
    CHECK(run.err.find(words) != std::string::npos);
  };
  says(tests::run_program({"record", "parity"}), 2, "-o FILE.safetensors");
  says(record(folder.file("a.bin"), {}), 2, "ends in .safetensors");
  says(record(folder.file("a.safetensors"), {"--layers", "9"}), 2, "has the layers 0 to");
  says(record(folder.file("a.safetensors"), {"--states", "often"}), 2, "all, none or");
  says(record(folder.file("no/a.safetensors"), {}), 3, "Choose a folder");
  folder.write("weights.safetensors", "nobody's recording");
  says(record(folder.file("weights.safetensors"), {}), 2, "may be a part of a model");
  CHECK(tests::content_of(folder.file("weights.safetensors")) == "nobody's recording");
}

TEST_CASE("record: killed, or out of space, what was recorded opens and becomes a file") {
  const tests::TemporaryFolder folder;
  const std::string program = TEST_PROGRAM;
  const std::string killed = folder.file("killed.safetensors"), full = folder.file("full.safetensors");
  in_shell("timeout -s KILL 2 '" + program + "' record parity --backend cpu --steps 300000 --states none -o '" +
           killed + "'");
  // SIGXFSZ kills by default; ignored, writing fails as on a full disk.
  in_shell("trap '' XFSZ; ulimit -f 4000; '" + program + "' record parity --backend cpu --steps 2000 -o '" + full +
           "'");
  for (const std::string& file : {killed, full}) {
    CAPTURE(file);
    CHECK_FALSE(std::filesystem::exists(file));
    const auto inspected = tests::run_program({"inspect", file + ".part", "--json"});
    CAPTURE(inspected.err);
    REQUIRE(inspected.exit_code == 0);
    const auto tokens = nlohmann::json::parse(inspected.out)["tokens"].get<int>();
    CHECK(tokens > 3);
    CHECK(nlohmann::json::parse(inspected.out)["complete"] == false);
    // The next recording of that name does not overwrite it.
    CHECK(record(file, {}).exit_code == 2);
    const auto recovered = tests::run_program({"record", "--recover", file + ".part", "-o", file, "--json"});
    CAPTURE(recovered.err);
    REQUIRE(recovered.exit_code == 0);
    CHECK(nlohmann::json::parse(recovered.out)["tokens"] == tokens);
    CHECK(recovered.err.find("stays as it is") != std::string::npos);
    CHECK(std::filesystem::exists(file + ".part"));
  }
}

TEST_CASE("record: the page about recordings names what is there, and its program runs where Python can") {
  const tests::TemporaryFolder folder;
  const std::string file = folder.file("parity.safetensors");
  REQUIRE(record(file, {"--steps", "48"}).exit_code == 0);
  const auto said = nlohmann::json::parse(tests::run_program({"inspect", file, "--json"}).out);
  std::vector<std::string> names;
  for (const auto& tensor : said["tensors"]) names.push_back(tensor["name"]);
  // Every tensor that the program takes is in the file, and every tensor of the file is on the page.
  const std::string python = snippet(), page = tests::content_of(docs);
  const std::regex taken("get_tensor\\(\"([a-z._0-9]+)\"\\)");
  int found = 0;
  for (auto at = std::sregex_iterator(python.begin(), python.end(), taken); at != std::sregex_iterator();
       ++at, ++found) {
    CAPTURE((*at)[1].str());
    CHECK(std::find(names.begin(), names.end(), (*at)[1].str()) != names.end());
  }
  CHECK(found >= 4);
  for (const std::string& name : names) {
    CAPTURE(name);
    CHECK(page.find("`" + name + "`") != std::string::npos);
  }
  if (std::system("python3 -c 'import safetensors, numpy' >/dev/null 2>&1") != 0) {
    MESSAGE("python3 has no safetensors: the page's program was not run");
    return;
  }
  const std::string script = folder.write("read.py", python);
  CHECK(std::system(("python3 '" + script + "' '" + file + "' > '" + folder.file("out") + "'").c_str()) == 0);
  CHECK(tests::content_of(folder.file("out")).find("turns") != std::string::npos);
}

TEST_CASE(
    "record: under interventions, which the file holds; a finished file is replaced only when that is asked for") {
  const tests::TemporaryFolder folder;
  const std::string file = folder.file("changed.safetensors");
  const auto run = record(file, {"--prompt", "1011", "--steps", "12", "--change", "rotation*0 @ tokens 8-11"});
  CAPTURE(run.err);
  REQUIRE(run.exit_code == 0);
  const auto said = nlohmann::json::parse(tests::run_program({"inspect", file, "--json"}).out);
  REQUIRE(said["interventions"].size() == 1);
  CHECK(said["interventions"][0]["tokens"] == nlohmann::json::array({8, 12}));
  CHECK(tests::run_program({"inspect", file}).out.find("in force at tokens 8 to 11") != std::string::npos);
  const std::string plain = folder.file("plain.safetensors");
  REQUIRE(record(plain, {"--prompt", "1011", "--steps", "12"}).exit_code == 0);
  const auto a = engine::Recording::open(file), b = engine::Recording::open(plain);
  REQUIRE((a.has_value() && b.has_value()));
  CHECK((*a)->token(7)->state->layers[0].ssm == (*b)->token(7)->state->layers[0].ssm);
  CHECK((*a)->token(9)->state->layers[0].ssm != (*b)->token(9)->state->layers[0].ssm);

  const std::string before = tests::content_of(plain);
  const auto refused = record(plain, {"--steps", "3"});
  CHECK(refused.exit_code == 2);
  CHECK(refused.err.find("--force") != std::string::npos);
  CHECK(tests::content_of(plain) == before);
  CHECK(record(plain, {"--steps", "3", "--force"}).exit_code == 0);
  CHECK(record(folder.file("x.safetensors"), {"--change", "rotation*0 @ heads 9"}).exit_code == 2);

  // A state of it in another text.
  const auto patched = tests::run_program({"intervene", "parity", "--prompt", "10110", "--patch-recording", file,
                                           "--donor-at", "5", "--json", "--backend", "cpu"});
  CAPTURE(patched.err);
  REQUIRE(patched.exit_code == 0);
  CHECK(nlohmann::json::parse(patched.out)["patching"]["donor"].size() == 6);
  for (const std::vector<std::string>& more : {std::vector<std::string>{"parity-mimo", "--patch-recording", file},
                                               {"parity", "--patch-recording", file, "--donor-at", "16"},
                                               {"parity", "--patch-recording", folder.file("none.safetensors")}}) {
    std::vector<std::string> arguments = {"intervene", "--prompt", "10110", "--backend", "cpu"};
    arguments.insert(arguments.begin() + 1, more.begin(), more.end());
    CHECK(tests::run_program(arguments).exit_code == 2);
  }
}
