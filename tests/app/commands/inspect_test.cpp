// mambascope inspect, run as a program: output, JSON, exit codes, and hostile models.
#include "tests/support/run_program.h"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

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

TEST_CASE("inspect --list names the built-in models, and each can be inspected") {
  const tests::Run run = tests::run_program({"inspect", "--list", "--json"});
  REQUIRE(run.exit_code == 0);
  const json names = json::parse(run.out)["models"];
  CHECK(std::find(names.begin(), names.end(), "parity") != names.end());
  for (const json& name : names) {
    const tests::Run one = tests::run_program({"inspect", name.get<std::string>(), "--json"});
    CAPTURE(one.err);
    REQUIRE(one.exit_code == 0);
    CHECK(json::parse(one.out)["model"] == name);
  }
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
