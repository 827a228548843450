// What is not done, or is wrong, is refused by name.
#include "engine/tokenizer/tokenizer_json.h"

#include "tests/engine/tokenizer/small_tokenizer.h"

#include <doctest/doctest.h>

namespace {

// The small tokenizer with one part of its text replaced.
std::string changed(const std::string& from, const std::string& to) {
  std::string text = tests::small_tokenizer_text({"a", "b", "ab"}, {"a b"});
  const std::size_t at = text.find(from);
  REQUIRE(at != std::string::npos);
  return text.replace(at, from.size(), to);
}

void check_refused(const std::string& text, const std::string& says) {
  const auto tokenizer = engine::parse_tokenizer(text, "tokenizer.json");
  CAPTURE(text);
  REQUIRE_FALSE(tokenizer.has_value());
  CAPTURE(tokenizer.error().message);
  CHECK(tokenizer.error().kind == engine::ErrorKind::input);
  CHECK(tokenizer.error().message.find(says) != std::string::npos);
  CHECK(tokenizer.error().message.find("'tokenizer.json'") != std::string::npos);
}

std::string with_step(const std::string& step) {
  return changed(R"({"type":"ByteLevel","add_prefix_space":false,"use_regex":false})", step);
}

std::string with_added(const std::string& fields) {
  return tests::small_tokenizer_text(
      {"a", "b"}, {}, "",
      R"(,"added_tokens":[{"single_word":false,"lstrip":false,"rstrip":false,"normalized":false,"special":true,)" +
          fields + "}]");
}

}  // namespace

TEST_CASE("the small tokenizer that the others are made from is taken") {
  CHECK(tests::small_tokenizer({"a", "b", "ab"}, {"a b"}).has_value());
}

TEST_CASE("parts that are not done are refused by name") {
  check_refused(changed(R"("version":"1.0",)", R"("version":"2.0",)"), "version is '2.0'");
  check_refused(changed(R"("version":"1.0",)", R"("version":"1.0","truncation":{},)"), "truncation is set");
  check_refused(changed(R"("version":"1.0",)", R"("version":"1.0","padding":{},)"), "padding is set");
  check_refused(changed(R"("version":"1.0",)", R"("version":"1.0","secret":1,)"), "'secret'");
  check_refused(changed(R"("version":"1.0",)", R"("version":"1.0","normalizer":{"type":"NFKC"},)"),
                "normalizer is 'NFKC'");
  check_refused(changed(R"("type":"BPE")", R"("type":"Unigram")"), "model.type is 'Unigram'");
  check_refused(changed(R"("type":"BPE")", R"("type":"BPE","dropout":0.1)"), "model.dropout");
  check_refused(changed(R"("type":"BPE")", R"("type":"BPE","end_of_word_suffix":"</w>")"), "model.end_of_word_suffix");
  check_refused(changed(R"("type":"BPE")", R"("type":"BPE","continuing_subword_prefix":"##")"), "continuing_subword");
  check_refused(changed(R"("type":"BPE")", R"("type":"BPE","unk_token":"?")"), "unk_token '?' is no token");
  check_refused(changed(R"("decoder":{"type":"ByteLevel"})", R"("decoder":{"type":"WordPiece"})"),
                "decoder is 'WordPiece'");
  check_refused(changed(R"("decoder":{"type":"ByteLevel"})", R"("decoder":null)"), "decoder is missing");
  check_refused(with_step(R"({"type":"Metaspace"})"), "pre_tokenizer is 'Metaspace'");
  check_refused(with_step(R"({"type":"Split","pattern":{"Regex":"a"},"behavior":"MergedWithNext","invert":false})"),
                "'MergedWithNext'");
  check_refused(with_step(R"({"type":"Split","pattern":{"Regex":"\\p{Han}"},"behavior":"Isolated","invert":false})"),
                "the escape '\\p{Han'");
  check_refused(with_step(R"({"type":"Split","pattern":{"Regex":"a*"},"behavior":"Isolated","invert":false})"),
                "can match nothing");
  check_refused(changed(R"("version":"1.0",)", R"("version":"1.0","post_processor":{"type":"BertProcessing"},)"),
                "post_processor is 'BertProcessing'");
}

TEST_CASE("a vocabulary that does not hold together is refused") {
  check_refused("[1]", "not a JSON object");
  check_refused(changed(R"("b":1)", R"("b":0)"), "the id 0 of the token 'b' is there twice");
  check_refused(changed(R"("b":1)", R"("b":-1)"), "'b'");
  check_refused(changed(R"("b":1)", R"("b":4194304)"), "4194303");
  check_refused(changed(R"("b":1)", R"("b":1.5)"), "'b'");
  check_refused(changed(R"("b":1)", R"("a":1)"), "the key 'a' twice");
  check_refused(changed(R"("a b")", R"("a c")"), "needs the token 'c'");
  check_refused(changed(R"("a b")", R"("b a")"), "needs the token 'ba'");
  check_refused(changed(R"("a b")", R"("a b c")"), "one blank between");
  check_refused(changed(R"("a b")", R"(["a","b"],"a b")"), "texts and pairs");
  check_refused(changed(R"("a b")", R"(["a"])"), "no pair");
  check_refused(changed(R"("b":1)", '"' + std::string(5000, 'x') + R"(":1)"), "more than 4096 bytes");
  CHECK(engine::parse_tokenizer(changed(R"("a b")", R"(["a","b"])"), "x").has_value());
  CHECK(engine::parse_tokenizer(changed(R"("a b")", R"("#version: 0.2","a b")"), "x").has_value());
}

TEST_CASE("an added token has the id that Hugging Face gives it, or the file is refused") {
  CHECK(engine::parse_tokenizer(with_added(R"("id":2,"content":"<s>")"), "x").has_value());
  CHECK(engine::parse_tokenizer(with_added(R"("id":1,"content":"b")"), "x").has_value());
  check_refused(with_added(R"("id":7,"content":"<s>")"), "has the id 7, where Hugging Face tokenizers counts 2");
  check_refused(with_added(R"("id":2,"content":"b")"), "counts 1");
  check_refused(with_added(R"("id":2,"content":"")"), "is empty");
  check_refused(with_added(R"("id":2)"), "content is missing");
}
