// A model with a tokenizer.json beside it, as the commands show it.
#include "tests/support/run_program.h"
#include "tests/support/tokenizer_model.h"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <string>
#include <vector>

namespace {

using Words = std::vector<std::string>;

tests::Run run(const tests::TemporaryFolder& folder, const std::string& command, const Words& more) {
  Words words = {command, folder.path().string()};
  words.insert(words.end(), more.begin(), more.end());
  return tests::run_program(words);
}

nlohmann::json json_of(const tests::Run& run) {
  CAPTURE(run.err);
  REQUIRE(run.exit_code == 0);
  return nlohmann::json::parse(run.out);
}

}  // namespace

TEST_CASE("step: a prompt is text, and its tokens show what they say") {
  const tests::TemporaryFolder folder;
  tests::write_tokenizer_model(folder);
  const auto json = json_of(run(folder, "step", {"--prompt", "a the\n\u00e9", "--backend", "cpu", "--json"}));
  std::string symbols;
  for (const auto& token : json["tokens"]) symbols += token["symbol"].get<std::string>() + " ";
  CHECK(symbols == "<s> a ␣the ↵ \\xC3 \\xA9 ");
  CHECK(json["text"] == "<s>a the\n\u00e9");
  CHECK(json["generated"] == "");
  const auto plain = json_of(run(folder, "step", {"--prompt", "the", "--no-special", "--backend", "cpu", "--json"}));
  CHECK(plain["tokens"].size() == 1);
  CHECK(plain["text"] == "the");
  const auto stream = run(folder, "step", {"--prompt", "a the\n\u00e9\x07", "--stream", "--backend", "cpu"});
  CHECK(stream.exit_code == 0);
  CHECK(stream.out == "<s>a the\n\u00e9\n");  // the tokenizer has no token for U+0007
}

TEST_CASE("eval: bits per byte count the bytes of the text, not its tokens") {
  const tests::TemporaryFolder folder;
  tests::write_tokenizer_model(folder);
  folder.write("text.txt", "the thin the\nother the");
  const auto json = json_of(run(folder, "eval", {"--text", folder.file("text.txt"), "--backend", "cpu", "--json"}));
  CHECK(json["predicted_bytes"] == 22);
  CHECK(json["predicted"].get<int>() < 22);
  const double bits = json["bits_per_token"].get<double>() * json["predicted"].get<double>();
  CHECK(json["bits_per_byte"].get<double>() == doctest::Approx(bits / 22));
}

TEST_CASE("inspect: the tokenizer's size and special tokens") {
  const tests::TemporaryFolder folder;
  tests::write_tokenizer_model(folder);
  const auto json = json_of(run(folder, "inspect", {"--json"}))["tokenizer"];
  CHECK(json["kind"] == "BPE");
  CHECK(json["tokens"] == 102);
  CHECK(json["before"][0]["text"] == "<s>");
  const auto text = run(folder, "inspect", {});
  CHECK(text.out.find("Tokenizer") != std::string::npos);
  CHECK(text.out.find("<s> = 0") != std::string::npos);
}

TEST_CASE("a broken tokenizer leaves the model to be looked at by ids, and is told") {
  const tests::TemporaryFolder folder;
  tests::write_tokenizer_model(folder, R"({"version":"9.9"})");
  const auto by_ids = run(folder, "step", {"--tokens", "1,2", "--backend", "cpu", "--json"});
  CHECK(json_of(by_ids)["tokens"][1]["symbol"] == "#2");
  CHECK(by_ids.err.find("warning: Token ids are shown instead of text") != std::string::npos);
  CHECK(by_ids.err.find("version is '9.9'") != std::string::npos);
  const auto by_text = run(folder, "step", {"--prompt", "a"});
  CHECK(by_text.exit_code == 2);
  CHECK(by_text.err.find("version is '9.9'") != std::string::npos);
  CHECK(run(folder, "eval", {"--text", folder.file("config.json")}).exit_code == 2);
  CHECK(run(folder, "step", {"--tokens", "1", "--stream"}).exit_code == 2);
  CHECK(json_of(run(folder, "inspect", {"--json"}))["tokenizer"].contains("fault"));
}

TEST_CASE("a tokenizer of another model is not used") {
  const tests::TemporaryFolder folder;
  std::string tokenizer = tests::ascii_tokenizer();
  tokenizer.replace(tokenizer.find("\"th\":99"), 7, "\"th\":999");
  tests::write_tokenizer_model(folder, tokenizer);
  const auto run_of = run(folder, "step", {"--tokens", "1", "--backend", "cpu"});
  CHECK(run_of.exit_code == 0);
  CHECK(run_of.err.find("is for another model") != std::string::npos);
}
