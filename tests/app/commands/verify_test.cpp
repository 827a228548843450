#include "tests/support/run_program.h"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <filesystem>
#include <sstream>
#include <string>
#include <vector>

namespace {

// Arguments as in a shell, none of them with a blank inside.
tests::Run run_words(const std::string& line) {
  std::istringstream in(line);
  std::vector<std::string> words;
  for (std::string word; in >> word;) words.push_back(word);
  return tests::run_program(words);
}

std::string of(const std::string& model, const std::string& golden) {
  return std::string(TEST_GOLDEN) + "/" + model + " --golden " + TEST_GOLDEN + "/" + golden + "/golden.safetensors";
}

}  // namespace

TEST_CASE("verify: a golden model passes, and the JSON says how far off it is") {
  const auto run = run_words("verify " + of("siso-fp32", "siso-fp32") + " --backend cpu --json");
  CHECK(run.exit_code == 0);
  CHECK(run.err.empty());
  const auto json = nlohmann::json::parse(run.out);
  CHECK(json["model"] == "siso-fp32");
  CHECK(json["backend"] == "cpu");
  CHECK(json["variant"] == "staged");
  CHECK(json["state"] == "fp32");
  CHECK_FALSE(json.contains("step_by_step"));
  CHECK(json["tokens"] == 40);
  CHECK(json["pass"] == true);
  CHECK(json["argmax_agreement"] == 1.0);
  CHECK(json["logits"]["max_rel"].get<double>() > 0);  // fp32 is not double
  CHECK(json["logits"]["max_rel"].get<double>() < 1e-5);
  REQUIRE(json["states"].size() == 8);
  for (const auto& state : json["states"]) CHECK(state["max_rel"].get<double>() < 1e-5);
  CHECK(json["states"][1]["name"] == "ssm");
  CHECK(json["official"]["logits"]["max_abs"].get<double>() > 1e-3);  // reported, not judged
}

TEST_CASE("verify: exit code 1 beyond the tolerance, 2 for wrong input") {
  const auto strict = run_words("verify " + of("siso-fp32", "siso-fp32") + " --rtol 1e-9 --backend cpu --json");
  CHECK(strict.exit_code == 1);
  CHECK(nlohmann::json::parse(strict.out)["pass"] == false);
  // The right shapes with other weights.
  const auto softplus = run_words("verify " + of("siso-fp32", "siso-fp32") + " --a-activation softplus --backend cpu");
  CHECK(softplus.exit_code == 1);
  CHECK(softplus.out.find("FAIL") != std::string::npos);

  const auto other = run_words("verify " + of("siso-fp32", "mimo-bf16"));
  CHECK(other.exit_code == 2);
  CHECK(other.out.empty());
  CHECK(other.err.find("reference.") != std::string::npos);
  CHECK(run_words("verify " + of("siso-fp32", "nothing-here")).exit_code == 2);
  CHECK(run_words("verify " + of("siso-fp32", "siso-fp32") + " --rtol nan").exit_code == 2);
  const auto narrow = run_words("verify " + of("siso-fp32", "siso-fp32") + " --backend cpu --state bf16");
  CHECK(narrow.exit_code == 2);
  CHECK(narrow.err.find("--state fp32") != std::string::npos);
  CHECK(run_words("verify " + of("nothing-here", "siso-fp32")).exit_code == 2);
  CHECK(run_words(std::string("verify ") + TEST_GOLDEN + "/siso-fp32").exit_code == 2);
}

TEST_CASE("an override of lambda is said by every command, and what it changes is seen") {
  const std::string golden = std::string(TEST_GOLDEN) + "/siso-fp32";
  const tests::TemporaryFolder folder;
  for (const char* file : {"config.json", "model.safetensors"}) {
    std::filesystem::copy_file(golden + "/" + file, folder.file(file));
  }
  folder.write("task.json", R"({"kind":"labels","symbols":["0","1"],"labels":["even","odd"],"override":{"lambda":1}})");
  const std::string model = folder.path().string(), mark = "λ = 1 override";
  const std::string verify = "verify " + model + " --golden " + golden + "/golden.safetensors --backend cpu";
  const std::string eval = "eval " + model + " --task parity --length 4 --sequences 2 --backend cpu";
  const std::string step = "step " + model + " --tokens 1,2 --backend cpu";
  for (const std::string& line : {verify, eval, step, "inspect " + model}) {
    CAPTURE(line);
    const auto text = run_words(line), json = run_words(line + " --json");
    CHECK(text.err.empty());
    CHECK((text.out.find(mark) != std::string::npos || text.out.find("fixed at 1 by task.json") != std::string::npos));
    CHECK(nlohmann::json::parse(json.out)["lambda_override"] == 1.0);
    // The recorded run is of the model's own lambda.
    CHECK(text.exit_code == (line == verify ? 1 : 0));
  }
  CHECK(run_words("step " + golden + " --tokens 1 --backend cpu").out.find("override") == std::string::npos);
  CHECK(nlohmann::json::parse(run_words("step " + golden + " --tokens 1 --backend cpu --json").out)["lambda_override"]
            .is_null());
}

TEST_CASE("verify --prefill: the text whole, in two and in small pieces, in double without a device") {
  const auto run =
      run_words("verify " + of("mimo-bf16", "mimo-bf16") + " --backend reference --rtol 1e-6 --prefill --json");
  REQUIRE(run.exit_code == 0);
  const auto prefill = nlohmann::json::parse(run.out)["prefill"];
  REQUIRE(prefill.size() == 4);  // 40 tokens: whole, 20, 7 and 1 at a time
  for (const auto& piece : prefill) {
    CHECK(piece["chunked"] == true);
    CHECK(piece["logits"]["max_rel"].get<double>() < 1e-6);
    CHECK(piece["worst_state"]["max_rel"].get<double>() < 1e-6);
  }
  CHECK(prefill[0]["tokens_at_a_time"] == 40);
  CHECK(prefill[3]["tokens_at_a_time"] == 1);
}

TEST_CASE("verify --parity: every backend of this machine passes, and a turned sign is found where it is") {
  const auto good = run_words("verify parity-mimo --parity --tokens 1,0,1,1,0,1 --json");
  CHECK(good.exit_code == 0);
  const auto json = nlohmann::json::parse(good.out);
  CHECK(json["pass"] == true);
  CHECK(json["tokens"] == 6);
  REQUIRE(json["candidates"].size() == 8);
  for (const auto& row : json["candidates"]) {
    if (row["outcome"] == "absent") {
      CHECK_FALSE(row["message"].get<std::string>().empty());
      continue;
    }
    CHECK(row["pass"] == true);
    CHECK(row["repeatable"] == true);
    CHECK(row["begins"].is_null());
    CHECK(row["text"].size() > 10);
    for (const auto& cell : row["step"]) CHECK(cell["times_the_limit"].get<double>() <= 1);
  }
  const std::string planted = "verify parity-mimo --parity --tokens 1,0,1,1,0,1 --backend cpu --plant ";
  const auto wrong = run_words(planted + "layers.0.mixer.B_bias[5] --json");
  CHECK(wrong.exit_code == 1);
  const auto found = nlohmann::json::parse(wrong.out)["candidates"];
  REQUIRE(found.size() == 2);  // it steps, and its prefill does
  CHECK(found[0]["begins"]["layer"] == 0);
  CHECK(found[0]["begins"]["tensor"] == "k");
  CHECK(found[0]["begins"]["where"].get<std::string>().find("head 0") != std::string::npos);
  const auto text = run_words(planted + "layers.0.mixer.D[0]");
  CHECK(text.exit_code == 1);
  CHECK(text.out.find("begins in layer 0 mixer") != std::string::npos);
  // The row that is prefilled has no mixer to look at: where that shows first is not where it begins.
  CHECK(text.out.find("begins in logits") == std::string::npos);
  CHECK(text.out.find("first seen in logits") != std::string::npos);
  CHECK(run_words(planted + "layers.0.mixer.E").exit_code == 2);
  CHECK(run_words("verify parity --parity --tokens 1,7").exit_code == 2);
  CHECK(run_words("verify parity").exit_code == 2);
  CHECK(run_words("verify parity --plant layers.0.mixer.D").exit_code == 2);
  CHECK(run_words("verify parity --parity --tokens 1 --change nonsense").exit_code == 2);
  CHECK(run_words("verify parity --parity --prompt 1011 --backend cpu --change rotation*0").exit_code == 0);
}

TEST_CASE("verify: the reference backend meets a far stricter tolerance") {
  const auto run = run_words("verify " + of("mimo-bf16", "mimo-bf16") + " --backend reference --rtol 1e-6");
  CHECK(run.exit_code == 0);
  CHECK(run.out.find("pass") != std::string::npos);
}
