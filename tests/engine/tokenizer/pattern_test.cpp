#include "engine/tokenizer/pattern.h"

#include "engine/tokenizer/normal_form.h"
#include "engine/tokenizer/pattern_text.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

namespace {

std::vector<std::string> matches(const std::string& pattern, const std::string& text) {
  const auto translated = engine::translate_pattern(pattern);
  REQUIRE_MESSAGE(translated.has_value(), translated.error().message);
  const auto compiled = engine::Pattern::compile(*translated);
  REQUIRE_MESSAGE(compiled.has_value(), compiled.error().message);
  engine::Matcher matcher(*compiled);
  std::vector<engine::Span> spans;
  REQUIRE(matcher.find_all(text, spans).has_value());
  std::vector<std::string> out;
  for (const engine::Span& span : spans) out.push_back(text.substr(span.begin, span.end - span.begin));
  return out;
}

using Texts = std::vector<std::string>;

}  // namespace

TEST_CASE("parts that PCRE2 reads otherwise mean what they mean to Oniguruma") {
  CHECK(matches("\\s", "a\u180E\u0085\u3000").size() == 2);              // U+180E is no blank
  CHECK(matches("\\p{L}+", "a\U00031350b 1") == Texts{"a\U00031350b"});  // a letter since Unicode 15
  CHECK(matches("\\p{N}", "1\u00BD\U0001E4F0x").size() == 3);
  CHECK(matches("(?i:'s|'re)", "'S '\u017F 'Re 'x") == Texts{"'S", "'\u017F", "'Re"});
  CHECK(matches("(?i:[sk])", "sS\u017FkK\u212Ax").size() == 6);
  CHECK(matches(".+", "ab\ncd") == Texts{"ab", "cd"});
  CHECK(matches("[^\\r\\n\\p{L}\\p{N}]?\\p{L}+", " ab\ncd") == Texts{" ab", "cd"});
  CHECK(matches("\\s+(?!\\S)|\\s+", "a   b ") == Texts{"  ", " ", " "});
  CHECK(matches("\\p{N}{1,3}", "12345") == Texts{"123", "45"});
}

TEST_CASE("parts that are not known to mean the same are refused by name") {
  struct Row {
    const char *pattern, *says;
  };
  for (const Row& row : {Row{"^a", "the anchor ^"},
                         {"a$", "the anchor $"},
                         {"\\w+", "the escape '\\w"},
                         {"\\ba", "the escape"},
                         {"\\p{Lu}", "the escape"},
                         {"\\1", "the escape"},
                         {"(?<=a)b", "the group"},
                         {"(?<n>a)", "the group"},
                         {"(?s)a", "the group"},
                         {"(?i:ss)", "fold together"},
                         {"(?i:\u00e9)", "beyond ASCII"},
                         {"(?i:a+)", "repeats inside"},
                         {"[a[b]]", "class inside a class"},
                         {"[a&&b]", "class inside a class"},
                         {"[\\S]", "inverted property"},
                         {"[]a]", "empty class"},
                         {"[b-a]", "backwards"},
                         {"[a", "without its ]"},
                         {"(a", "without its )"},
                         {"a)", "a ) too many"},
                         {"a**", "repeats"},
                         {"a{2}{3}", "repeats"},
                         {"a{2}+", "repeats"},
                         {"a{,2}", "no {n}"},
                         {"a{2,1}", "no {n}"},
                         {"a{5000}", "no {n}"},
                         {"*a", "repeats nothing"},
                         {"(?!a)*", "lookahead"},
                         {"{", "of its own"},
                         {"\\", "the escape"}}) {
    CAPTURE(row.pattern);
    const auto translated = engine::translate_pattern(row.pattern);
    REQUIRE_FALSE(translated.has_value());
    CAPTURE(translated.error().message);
    CHECK(translated.error().message.find(row.says) != std::string::npos);
  }
  CHECK_FALSE(engine::translate_pattern(std::string(5000, 'a')).has_value());
  CHECK_FALSE(engine::translate_pattern(std::string(100, '(') + "a" + std::string(100, ')')).has_value());
  CHECK_FALSE(engine::Pattern::compile(*engine::translate_pattern("a*")).has_value());
}

TEST_CASE("a pattern that looks without an end is stopped") {
  const auto slow = engine::Pattern::compile(*engine::translate_pattern("(?:a+)+b"));
  REQUIRE(slow.has_value());
  engine::Matcher matcher(*slow);
  std::vector<engine::Span> spans;
  const auto found = matcher.find_all(std::string(200, 'a') + "cb", spans);
  REQUIRE_FALSE(found.has_value());
  CHECK(found.error().message.find("costly") != std::string::npos);
}

TEST_CASE("normal form C, with marks that came after Unicode 9 as characters of their own") {
  CHECK(engine::to_nfc("plain \u00e9") == "plain \u00e9");
  CHECK(engine::to_nfc("e\u0301") == "\u00e9");
  CHECK(engine::to_nfc("\u212b") == "\u00c5");
  CHECK(engine::to_nfc("\u1100\u1161\u11a8") == "\uac01");
  CHECK(engine::to_nfc("q\u0301\u0323") == "q\u0323\u0301");
  CHECK(engine::to_nfc("q\u0301\u08d3\u0323") == "q\u0301\u08d3\u0323");
  CHECK(engine::to_nfc("e\u08d3\u0301") == "e\u08d3\u0301");
}
