#include "engine/base/utf8.h"
#include "engine/tokenizer/text_stream.h"
#include "engine/tokenizer/tokenizer_json.h"
#include "tests/fuzz/entries.h"

#include <cstdlib>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace fuzz {

namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

std::string_view text_of(std::span<const std::uint8_t> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

void check_error(const engine::Error& error) {
  require(error.kind == engine::ErrorKind::input);
  require(!error.message.empty() && error.message.size() < 20000);
}

// The text before a zero byte, and what is behind it.
std::pair<std::string_view, std::string_view> split(std::string_view text) {
  const std::size_t zero = text.find('\0');
  if (zero == std::string_view::npos) return {text, {}};
  return {text.substr(0, zero), text.substr(zero + 1)};
}

// Encodes a text and looks at every id: each has a token, and pieces and the whole decode to the same text.
void encode(const engine::Tokenizer& tokenizer, std::string_view text) {
  for (const bool special : {true, false}) {
    const auto ids = tokenizer.encode(text, special);
    if (!ids) {
      check_error(ids.error());
      return;
    }
    engine::TextStream stream(&tokenizer);
    std::string pieces;
    for (const std::int32_t id : *ids) {
      require(tokenizer.has(id) && id <= tokenizer.largest_id());
      pieces += stream.push(id);
    }
    pieces += stream.finish();
    require(pieces == tokenizer.decode(*ids));
    require(engine::find_not_utf8(pieces) == std::string::npos);
  }
}

}  // namespace

bool tokenizer_json(std::span<const std::uint8_t> bytes) {
  const auto [file, text] = split(text_of(bytes));
  const auto tokenizer = engine::parse_tokenizer(file, "input");
  if (!tokenizer) {
    check_error(tokenizer.error());
    return false;
  }
  for (const engine::AddedToken& token : (*tokenizer)->added()) encode(**tokenizer, token.content);
  encode(**tokenizer, text);
  encode(**tokenizer, "It's  12345 \xC3\xA9\r\n\xF0\x9F\x98\x80");
  return true;
}

bool tokenizer_text(std::span<const std::uint8_t> bytes) {
  // Every byte is a token, and three are special or added: nothing of a text is lost.
  static const auto tokenizer = [] {
    std::string vocab;
    int id = 0;
    for (unsigned b = 0; b < 256; ++b) {
      const bool itself = (b >= '!' && b <= '~') || (b >= 0xA1 && b <= 0xAC) || b >= 0xAE;
      static char32_t next = 0x100;
      std::string character;
      engine::append_utf8(character, itself ? static_cast<char32_t>(b) : next++);
      if (b == '"' || b == '\\') character.insert(0, 1, '\\');
      vocab += "\"" + character + "\":" + std::to_string(id++) + ",";
    }
    const std::string flags = R"("single_word":false,"lstrip":false,"rstrip":false,"normalized":false,"special":true)";
    return *engine::parse_tokenizer(
        R"({"version":"1.0","added_tokens":[{"id":261,"content":"<s>",)" + flags + R"(},{"id":262,"content":"<s>x",)" +
            flags +
            R"(}],"pre_tokenizer":{"type":"Sequence","pretokenizers":[{"type":"Split","pattern":{"Regex":)"
            R"("(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+"},)"
            R"("behavior":"Isolated","invert":false},{"type":"ByteLevel","add_prefix_space":false,"use_regex":false}]},)"
            R"("decoder":{"type":"ByteLevel"},"model":{"type":"BPE","vocab":{)" +
            vocab + R"("th":256,"the":257,"in":258,"Ġt":259,"Ġthe":260},"merges":["t h","th e","i n","Ġ t","Ġ the"]}})",
        "built in");
  }();
  const std::string_view text = text_of(bytes);
  const auto ids = tokenizer->encode(text, true);
  const bool valid = engine::find_not_utf8(text) == std::string_view::npos;
  require(ids.has_value() == valid);
  if (!ids) return false;
  require(tokenizer->decode(*ids) == text);
  encode(*tokenizer, text);
  // Ids of any kind decode to valid text.
  std::vector<std::int32_t> any;
  for (const std::uint8_t byte : bytes) any.push_back(byte * 2 - 100);
  require(engine::find_not_utf8(tokenizer->decode(any)) == std::string::npos);
  return true;
}

}  // namespace fuzz
