#include "tests/support/byte_model.h"
#include "tests/support/run_program.h"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <cstdlib>
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

nlohmann::json step(const std::string& arguments, const std::string& backend = "cpu") {
  const auto run = run_words("step " + arguments + " --json --backend " + backend);
  CAPTURE(run.err);
  REQUIRE(run.exit_code == 0);
  return nlohmann::json::parse(run.out);
}

const std::string siso = std::string(TEST_GOLDEN) + "/siso-fp32";

}  // namespace

TEST_CASE("step: a model that labels positions says its class and the truth at each") {
  const auto json = step("parity --tokens 1,0,1,1 --steps 3 --seed 5");
  REQUIRE(json["tokens"].size() == 7);
  const int truth[] = {1, 1, 0, 1};
  for (int t = 0; t < 4; ++t) {
    CAPTURE(t);
    CHECK(json["tokens"][t]["origin"] == "given");
    CHECK(json["tokens"][t]["truth"] == truth[t]);
    CHECK(json["tokens"][t]["predicted"] == truth[t]);
  }
  CHECK(json["tokens"][0]["predicted_text"] == "odd");
  int parity = 1;
  for (int t = 4; t < 7; ++t) {
    CHECK(json["tokens"][t]["origin"] == "task");
    parity ^= json["tokens"][t]["id"].get<int>();
    CHECK(json["tokens"][t]["truth"] == parity);
  }
  CHECK(json["accuracy"] == 1.0);
  // A prompt in symbols is the same as its ids; without either, the example prompt.
  CHECK(step("parity --prompt 1011")["tokens"][3]["top"] == json["tokens"][3]["top"]);
  CHECK(step("parity")["tokens"].size() == 16);
}

TEST_CASE("step: what is drawn goes on from the prompt's grammar, and nothing is claimed where that is broken") {
  const tests::TemporaryFolder folder;
  for (const char* file : {"config.json", "model.safetensors"}) {
    std::filesystem::copy_file(siso + "/" + file, folder.file(file));
  }
  folder.write("task.json",
               R"json({"task":"modular-brackets","kind":"labels","symbols":["0","1","2","3","4","+","-","x","(",")"],
                   "labels":["0","1","2","3","4"]})json");
  const auto json = step(folder.path().string() + " --prompt ((2x3)-1) --steps 60");
  REQUIRE(json["tokens"].size() == 69);
  CHECK(json["tokens"][8]["truth"] == 0);
  CHECK(json["tokens"][7]["truth"].is_null());
  CHECK(json["grammar_broken_at"].is_null());
  CHECK(json["tokens"][9]["id"].get<int>() >= 5);  // an operator is due

  const auto broken = step(folder.path().string() + " --prompt 3++2 --steps 9");
  CHECK(broken["grammar_broken_at"] == 2);
  CHECK(broken["tokens"][0]["truth"] == 3);
  for (int t = 1; t < 13; ++t) CHECK(broken["tokens"][t]["truth"].is_null());
  const auto text = run_words("step " + folder.path().string() + " --prompt 3++2 --backend cpu");
  CHECK(text.out.find("not known from token 2 on, where '+' breaks the grammar of modular-brackets") !=
        std::string::npos);
  const auto strange = run_words("step " + folder.path().string() + " --prompt 3*2 --backend cpu");
  CHECK(strange.exit_code == 2);
  CHECK(strange.err.find("'*2' at byte 1, which is none of the model's symbols: '0' '1' '2' '3' '4' '+'") !=
        std::string::npos);
}

TEST_CASE("step: sampled tokens follow the given ones and carry the probability the model gave them") {
  const auto greedy = step(siso + " --tokens 5,9 --steps 3");
  REQUIRE(greedy["tokens"].size() == 5);
  CHECK(greedy["tokens"][0]["probability"].is_null());
  for (int t = 2; t < 5; ++t) {
    CHECK(greedy["tokens"][t]["origin"] == "sampled");
    CHECK(greedy["tokens"][t]["id"] == greedy["tokens"][t - 1]["predicted"]);
    CHECK(greedy["tokens"][t]["probability"] ==
          doctest::Approx(greedy["tokens"][t - 1]["predicted_probability"].get<double>()));
  }
  CHECK(greedy["tokens"][4]["state_norms"].size() == 2);
  CHECK(greedy["tokens_per_s"].get<double>() > 0);
  // A long run comes in pieces, and what is told of each token is what is told when it is given.
  const auto long_run = step(siso + " --tokens 5,9 --steps 300 --sampler top-p --seed 4");
  REQUIRE(long_run["tokens"].size() == 302);
  std::string line = "5";
  for (std::size_t t = 1; t < 302; ++t) line += "," + long_run["tokens"][t]["id"].dump();
  const auto again = step(siso + " --tokens " + line);
  for (std::size_t t = 0; t < 302; ++t) {
    CHECK(again["tokens"][t]["top"] == long_run["tokens"][t]["top"]);
    CHECK(again["tokens"][t]["state_norms"] == long_run["tokens"][t]["state_norms"]);
    CHECK(again["tokens"][t]["probability"] == long_run["tokens"][t]["probability"]);
  }

  const std::string random = siso + " --tokens 5 --steps 6 --sampler temperature --temperature 2 --seed ";
  const auto ids = [](const nlohmann::json& json) {
    std::string text;
    for (const auto& token : json["tokens"]) text += token["id"].dump() + " ";
    return text;
  };
  const std::string first = ids(step(random + "1"));
  CHECK(first == ids(step(random + "1")));
  CHECK(first != ids(step(random + "2")));  // 250^-6 by chance
}

TEST_CASE("step --prefill: the given tokens at once; what follows is what follows them token by token") {
  const auto stepped = step(siso + " --tokens 5,9,3,7 --steps 3", "reference");
  const auto prefilled = step(siso + " --tokens 5,9,3,7 --steps 3 --prefill", "reference");
  CHECK(stepped["prefill"].is_null());
  CHECK(prefilled["prefill"]["tokens"] == 4);
  CHECK(prefilled["prefill"]["chunked"] == true);
  REQUIRE(prefilled["tokens"].size() == 4);  // the last given one and those that follow
  for (int t = 0; t < 4; ++t) {
    CHECK(prefilled["tokens"][t]["position"] == t + 3);
    CHECK(prefilled["tokens"][t]["id"] == stepped["tokens"][t + 3]["id"]);
    CHECK(prefilled["tokens"][t]["predicted"] == stepped["tokens"][t + 3]["predicted"]);
  }
  CHECK(prefilled["tokens"][0]["probability"].is_null());
}

TEST_CASE("step: where tokens are bytes, a prompt is any text, and what comes is text too") {
  const tests::TemporaryFolder folder;
  tests::write_byte_model(folder);
  const std::vector<std::string> line = {
      "step",      folder.path().string(), "--prompt", " a b\né\\", "--steps", "40", "--backend", "cpu", "--seed", "3",
      "--sampler", "temperature"};
  const auto text = tests::run_program(line);
  CAPTURE(text.err);
  REQUIRE(text.exit_code == 0);
  CHECK(text.out.find("\n  text\n  |  a b\n  | é\\") != std::string::npos);
  CHECK(text.out.find("␣") != std::string::npos);
  std::vector<std::string> with_json = line;
  with_json.push_back("--json");
  const auto json = nlohmann::json::parse(tests::run_program(with_json).out);
  REQUIRE(json["tokens"].size() == 48);
  CHECK(json["tokens"][0]["id"] == ' ');
  CHECK(json["tokens"][4]["symbol"] == "↵");
  CHECK(json["tokens"][5]["symbol"] == "\\xC3");
  CHECK(json["text"].get<std::string>().rfind(" a b\né\\", 0) == 0);
  const std::string generated = json["generated"];
  CHECK(json["text"] == " a b\né\\" + generated);
  CHECK(generated.find("\\x") != std::string::npos);  // random bytes are seldom UTF-8

  const auto nothing = tests::run_program({"step", folder.path().string(), "--steps", "3"});
  CHECK(nothing.exit_code == 2);
  CHECK(nothing.err.find("--prompt TEXT") != std::string::npos);
}

TEST_CASE("step: ids are read to the letter") {
  const auto ids = [](const std::string& list) {
    return tests::run_program({"step", "parity", "--backend", "cpu", "--json", "--tokens", list});
  };
  const auto blanks = ids(" 1, 0 ,1");
  REQUIRE(blanks.exit_code == 0);
  CHECK(nlohmann::json::parse(blanks.out)["tokens"].size() == 3);
  for (const char* list : {"", ",", "1,", ",1", "1,,0", "1 0", "0x1", "1.0", "+1", "1;0", "99999999999999999999"}) {
    CAPTURE(list);
    const auto run = ids(list);
    CHECK(run.exit_code == 2);
    CHECK(run.out.empty());
    CHECK(run.err.find("--tokens") != std::string::npos);
  }
}

TEST_CASE("step: numbers that are none are refused") {
  for (const char* option : {"--temperature nan", "--temperature inf", "--temperature -1", "--top-p nan", "--top-p 1.5",
                             "--top-k 0", "--seed -1", "--seed 18446744073709551616", "--seed 1.5"}) {
    CAPTURE(option);
    const auto run = run_words(std::string("step parity --backend cpu ") + option);
    CHECK(run.exit_code == 2);
    CHECK(run.out.empty());
    CHECK(run.err.size() < 200);
  }
  CHECK(step("parity --seed 18446744073709551615")["seed"] == 18446744073709551615ULL);
}

TEST_CASE("step: a model whose logits are NaN gets no probabilities") {
  const tests::TemporaryFolder folder;
  std::string config = tests::content_of(std::string(TEST_GOLDEN) + "/siso-1500-tokens/config.json");
  config.replace(config.rfind("true"), 4, "false");  // tie_embeddings: the head is the last tensor of the file
  folder.write("config.json", config);
  std::string weights = tests::content_of(std::string(TEST_GOLDEN) + "/siso-1500-tokens/model.safetensors");
  for (std::size_t at = weights.size() - 32768; at < weights.size(); at += 4) {
    weights.replace(at, 4, std::string("\0\0\xC0\x7F", 4));
  }
  folder.write("model.safetensors", weights);
  const auto run = run_words("step " + folder.path().string() + " --backend cpu --tokens 1 --json");
  CHECK(run.exit_code == 2);
  CHECK(run.out.empty());
  CHECK(run.err.find("not finite") != std::string::npos);
}

TEST_CASE("a result that standard output does not take is a system failure") {
  if (!std::filesystem::exists("/dev/full")) return;
  for (const char* command : {"step parity --backend cpu --json", "inspect parity", "--help", "step --help"}) {
    CAPTURE(command);
    const std::string line = std::string(TEST_PROGRAM) + " " + command + " > /dev/full 2> /dev/null";
    CHECK(WEXITSTATUS(std::system(line.c_str())) == 3);
  }
}

TEST_CASE("step: wrong use and wrong input end with code 2 and say what is wrong") {
  const auto message = [](const std::string& arguments) {
    const auto run = run_words("step " + arguments);
    CHECK(run.exit_code == 2);
    CHECK(run.out.empty());
    return run.err;
  };
  CHECK(message(siso + " --tokens 5,250").find("250") != std::string::npos);
  CHECK(message(siso + " --tokens=-1").find("-1") != std::string::npos);
  CHECK(message(siso + " --prompt hello").find("--tokens") != std::string::npos);
  CHECK(message(siso + " --steps 4").find("--tokens") != std::string::npos);
  CHECK(message("parity --prompt 10x").find("'x'") != std::string::npos);
  CHECK(message("parity --prompt 1 --tokens 1").find("--prompt") != std::string::npos);
  CHECK(message("parity --steps -1").find("--steps") != std::string::npos);
  CHECK(message("no-such-model --steps 1").find("no-such-model") != std::string::npos);
}
