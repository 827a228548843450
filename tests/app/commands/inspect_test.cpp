// mambascope inspect, run as a program: output, JSON, exit codes, and hostile models.
#include "tests/support/run_program.h"
#include "tests/support/zip_writer.h"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <cstdlib>
#include <filesystem>

namespace {

namespace fs = std::filesystem;
using nlohmann::json;
const std::string golden = TEST_GOLDEN;

bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

// Wrong input: one message on standard error, nothing on standard output, exit code 2.
void check_refused(const tests::Run& run, const std::string& says) {
  CAPTURE(run.err);
  CHECK(run.exit_code == 2);
  CHECK(run.out.empty());
  CHECK(has(run.err, says));
  CHECK(run.err.size() < 3000);
}

}  // namespace

TEST_CASE("inspect prints what a model is made of") {
  const tests::Run run = tests::run_program({"inspect", golden + "/mimo-bf16"});
  CHECK(run.exit_code == 0);
  CHECK(run.err.empty());
  CHECK(has(run.out, "MIMO of rank 4, 1,055,896 parameters, BF16, F32"));
  CHECK(has(run.out, "heavy-tail"));
  CHECK(has(run.out, "backbone.layers.2.mixer.mimo_o"));
}

TEST_CASE("inspect --json prints one object with the derived sizes and the memory") {
  const tests::Run run = tests::run_program({"inspect", golden + "/siso-fp32", "--json", "--a-activation", "softplus"});
  REQUIRE(run.exit_code == 0);
  const json object = json::parse(run.out);
  CHECK(object["model"] == "siso-fp32");
  CHECK(object["parameters"] == 134984);
  CHECK(object["a_activation"] == "softplus");
  CHECK(object["derived"]["heads"] == 2);
  CHECK(object["derived"]["in_proj_rows"] == 406);
  CHECK(object["memory"]["weight_bytes_fp32"] == 134984 * 4);
  // Per layer, in values: angle and turns (H, S) each, ssm (H, P, N), k (R, H, N), v (H, P).
  CHECK(object["memory"]["state_bytes_per_sequence"] == 2 * 4 * (2 * 2 * 16 + 2 * 64 * 64 + 1 * 2 * 64 + 2 * 64));
  CHECK(object["tensors"].size() == 27);
  for (const json& tensor : object["tensors"]) CHECK(tensor["not_finite"] == 0);
  CHECK(object["task"].is_null());
}

TEST_CASE("inspect --list says of every built-in model what inspecting it says") {
  const tests::Run run = tests::run_program({"inspect", "--list", "--json"}),
                   text = tests::run_program({"inspect", "--list"});
  REQUIRE(run.exit_code == 0);
  REQUIRE(text.exit_code == 0);
  const json object = json::parse(run.out);
  bool parity = false;
  for (const json& entry : object["models"]) {
    const std::string name = entry["model"];
    const tests::Run one = tests::run_program({"inspect", name, "--json"});
    CAPTURE(one.err);
    REQUIRE(one.exit_code == 0);
    const json whole = json::parse(one.out);
    for (const char* field : {"model", "mixer", "parameters", "file_bytes", "lambda_override", "task"}) {
      CHECK(entry[field] == whole[field]);
    }
    CHECK(has(text.out, "\n" + name + " "));
    CHECK(has(text.out, entry["task"]["origin"].get<std::string>()));
    CHECK(has(text.out, entry["task"]["description"].get<std::string>()));
    if (name != "parity") continue;
    parity = true;
    CHECK(entry["task"]["task"] == "parity");
    CHECK(has(text.out, "100.00 % at 256"));
  }
  CHECK(parity);
}

TEST_CASE("inspect --list: a language model, an ablation, and one that cannot be opened") {
  const tests::TemporaryFolder folder;
  for (const char* name : {"models/broken", "models/language", "models/bare"}) {
    fs::create_directories(folder.path() / name);
  }
  const std::string weights = tests::content_of(golden + "/siso-fp32/model.safetensors");
  std::string config = tests::content_of(golden + "/siso-fp32/config.json");
  folder.write("models/broken/config.json", "{");
  folder.write("models/broken/model.safetensors", weights);
  folder.write("models/bare/config.json", config);
  folder.write("models/bare/model.safetensors", weights);
  config.replace(config.find("250"), 3, "256");
  folder.write("models/language/config.json", config);
  folder.write("models/language/model.safetensors", weights);
  folder.write("models/language/task.json",
               R"({"kind":"next-token","vocabulary":"bytes","family":"language","variant":"SISO\u001b[2J",
                   "bits_per_byte":2.125,"origin":"nowhere","override":{"lambda":1}})");
  REQUIRE(setenv("MAMBASCOPE_ASSETS", folder.path().c_str(), 1) == 0);
  const tests::Run text = tests::run_program({"inspect", "--list"}),
                   as_json = tests::run_program({"inspect", "--list", "--json"});
  REQUIRE(unsetenv("MAMBASCOPE_ASSETS") == 0);
  CHECK(text.exit_code == 2);
  CHECK(has(text.out, "2.125 bits per byte"));
  CHECK(has(text.out, "next byte"));
  CHECK(has(text.out, "SISO\\x1b[2J, λ = 1 override"));
  CHECK(has(text.out, "134,984"));
  CHECK(has(text.out, "cannot be opened: "));
  CHECK_FALSE(has(text.out, "\x1b"));
  const json models = json::parse(as_json.out)["models"];
  REQUIRE(models.size() == 3);
  CHECK(models[0]["task"].is_null());
  CHECK(has(models[1]["error"].get<std::string>(), "not valid JSON"));
  CHECK(models[2]["task"]["bits_per_byte"] == 2.125);
  CHECK(models[2]["task"]["vocabulary"] == "bytes");
  CHECK(models[2]["task"]["family"] == "language");
  CHECK(models[2]["lambda_override"] == 1.0);
}

TEST_CASE("inspect: a pickle that would run a command is refused by the name of its global, and runs nothing") {
  const tests::TemporaryFolder folder;
  fs::copy_file(golden + "/mimo-bf16/config.json", folder.file("config.json"));
  const std::string trace = folder.file("trace");
  const std::string command = "touch " + trace;
  const std::string text = "X" + std::string(1, static_cast<char>(command.size())) + std::string(3, '\0') + command;
  const std::string pickle = "\x80\x02}X" + std::string("\1\0\0\0", 4) + "acposix\nsystem\n" + text + "\x85Rs.";
  for (const char* name : {"pytorch_model.bin", "model.pt", "model"}) {
    const std::string path = folder.write(name, tests::write_zip({{"m/data.pkl", pickle}}));
    check_refused(tests::run_program({"inspect", path}),
                  "the global 'posix.system', which is refused (nothing was run)");
    folder.write(name, pickle);
    check_refused(tests::run_program({"inspect", path}), "bare pickle");
  }
  CHECK_FALSE(fs::exists(trace));
}

TEST_CASE("inspect and step take a pytorch_model.bin, and say the same as of its twin") {
  const std::string file = golden + "/mimo-bf16/pytorch_model.bin";
  const json torch = json::parse(tests::run_program({"inspect", file, "--json"}).out);
  const json twin = json::parse(tests::run_program({"inspect", golden + "/mimo-bf16", "--json"}).out);
  CHECK(torch["tensors"] == twin["tensors"]);
  CHECK(torch["parameters"] == twin["parameters"]);
  const auto step = [](const std::string& model) {
    return tests::run_program({"step", model, "--tokens", "1,2,3", "--steps", "4", "--backend", "cpu", "--json"}).out;
  };
  const json a = json::parse(step(file)), b = json::parse(step(golden + "/mimo-bf16/model.safetensors"));
  CHECK(a["tokens"].size() == 7);
  CHECK(a["tokens"] == b["tokens"]);
}

TEST_CASE("inspect reports values that are not finite") {
  const tests::TemporaryFolder folder;
  fs::copy_file(golden + "/siso-1500-tokens/config.json", folder.file("config.json"));
  std::string weights = tests::content_of(golden + "/siso-1500-tokens/model.safetensors");
  weights.replace(weights.size() - 4, 4, std::string("\0\0\xC0\x7F", 4));  // a quiet NaN at the end of the last tensor
  folder.write("model.safetensors", weights);
  const tests::Run run = tests::run_program({"inspect", folder.file("model.safetensors"), "--json"});
  // The last tensor is the tied head: it now differs from the embedding, which is refused by name.
  check_refused(run, "tie_embeddings");
  std::string config = tests::content_of(folder.file("config.json"));
  config.replace(config.rfind("true"), 4, "false");
  folder.write("config.json", config);
  const tests::Run untied = tests::run_program({"inspect", folder.path().string(), "--json"});
  REQUIRE(untied.exit_code == 0);
  int found = 0;
  const json object = json::parse(untied.out);
  for (const json& tensor : object["tensors"]) found += tensor["not_finite"].get<int>();
  CHECK(found == 1);
}

TEST_CASE("inspect refuses wrong use and hostile files with one message and exit code 2") {
  check_refused(tests::run_program({"inspect"}), "needs a MODEL");
  check_refused(tests::run_program({"inspect", "no-such-model"}), "There is no model 'no-such-model'");
  check_refused(tests::run_program({"inspect", "--json", "no-such-model"}), "parity");
  check_refused(tests::run_program({"inspect", "parity", "--a-activation", "relu"}), "not one of heavy-tail|softplus");
  check_refused(tests::run_program({"inspect", "parity", "--colour"}), "--colour");
  check_refused(tests::run_program({"inspect", "/dev/null"}), "config.json");

  const tests::TemporaryFolder folder;
  const std::string good_config = tests::content_of(golden + "/siso-fp32/config.json");
  const std::string good_weights = tests::content_of(golden + "/siso-fp32/model.safetensors");
  struct Row {
    const char* what;
    std::string config, weights, says;
  };
  std::string negative = good_weights;
  negative.replace(negative.find("\"shape\":["), 10, "\"shape\":[-");
  const Row rows[] = {
      {"truncated", good_config, good_weights.substr(0, good_weights.size() / 2), "truncated"},
      {"oversized", good_config, good_weights + std::string(1000, 'x'), "leaves 1000 bytes"},
      {"no header", good_config, "GGUF" + good_weights, "Is it a safetensors file"},
      {"negative", good_config, negative, "negative number"},
      {"empty", good_config, "", "is empty"},
      {"config of another", tests::content_of(golden + "/mimo-bf16/config.json"), good_weights, "does not fit"},
      {"broken config", good_config.substr(0, 30), good_weights, "not valid JSON"},
      {"deep config", std::string(1000000, '['), good_weights, "deeper"},
      {"long config", std::string(2000000, ' '), good_weights, "more than"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.what);
    folder.write("config.json", row.config);
    folder.write("model.safetensors", row.weights);
    check_refused(tests::run_program({"inspect", folder.path().string()}), row.says);
  }
}
