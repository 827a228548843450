#include "engine/tokenizer/tokenizer.h"

#include "engine/base/utf8.h"
#include "engine/tokenizer/byte_alphabet.h"
#include "engine/tokenizer/normal_form.h"
#include "engine/tokenizer/text_stream.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace engine {

namespace {

constexpr std::size_t largest_text = std::size_t{256} << 20U;

std::vector<AddedToken> looked_for(const std::vector<AddedToken>& all, bool normalised, bool nfc) {
  std::vector<AddedToken> out;
  for (const AddedToken& token : all) {
    if (token.normalized != normalised) continue;
    out.push_back(token);
    if (normalised && nfc) out.back().content = to_nfc(token.content);
  }
  return out;
}

// The byte of a token <0x00> to <0xFF>, in either case; -1: it is none.
int fallback_byte(std::string_view text) {
  if (text.size() != 6 || text.substr(0, 3) != "<0x" || text[5] != '>') return -1;
  int byte = 0;
  for (const char c : text.substr(3, 2)) {
    const int digit = c >= '0' && c <= '9'   ? c - '0'
                      : c >= 'a' && c <= 'f' ? c - 'a' + 10
                      : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                             : -1;
    if (digit < 0) return -1;
    byte = byte * 16 + digit;
  }
  return byte;
}

// One text on its way through the steps.
class Encoding {
 public:
  Encoding(const TokenizerParts& parts, std::size_t text_bytes, std::vector<std::int32_t>& out)
      : parts_(parts), merging_(parts.bpe, text_bytes), out_(out) {
    for (const PreTokenisation& step : parts.steps) {
      matchers_.emplace_back();
      if (step.pattern) matchers_.back().emplace_back(*step.pattern);
      spans_.emplace_back();
    }
  }

  Result<void> piece(std::string_view text, std::size_t at = 0) {
    if (text.empty()) return {};
    if (at == parts_.steps.size()) {
      merging_.encode(text, out_);
      return {};
    }
    const PreTokenisation& step = parts_.steps[at];
    std::string with_blank;
    if (step.prefix_blank && text.front() != ' ') {
      with_blank = " " + std::string(text);
      text = with_blank;
    }
    if (!step.pattern) return pass(text, at);
    std::vector<Span>& spans = spans_[at];  // each step has its own: the ones behind it run within it
    if (auto found = matchers_[at].front().find_all(text, spans); !found) return found;
    std::size_t done = 0;
    for (const Span& span : spans) {
      if (step.keeps_rest && done < span.begin) {
        if (auto passed = pass(text.substr(done, span.begin - done), at); !passed) return passed;
      }
      if (step.keeps_matches) {
        if (auto passed = pass(text.substr(span.begin, span.end - span.begin), at); !passed) return passed;
      }
      done = span.end;
    }
    return step.keeps_rest ? pass(text.substr(done), at) : Result<void>();
  }

 private:
  Result<void> pass(std::string_view text, std::size_t at) {
    return parts_.steps[at].to_bytes ? piece(to_byte_alphabet(text), at + 1) : piece(text, at + 1);
  }

  const TokenizerParts& parts_;
  Merging merging_;
  std::vector<std::vector<Matcher>> matchers_;  // [step]: one, or none
  std::vector<std::vector<Span>> spans_;
  std::vector<std::int32_t>& out_;
};

}  // namespace

Tokenizer::Tokenizer(TokenizerParts parts)
    : parts_(std::move(parts)),
      in_raw_(looked_for(parts_.added, false, parts_.nfc)),
      in_normalised_(looked_for(parts_.added, true, parts_.nfc)) {
  for (const auto& [text, id] : parts_.bpe.tokens()) put(id, text, false);
  // Hugging Face keeps a token as it looks for it.
  for (const AddedToken& token : parts_.added) {
    put(token.id, token.normalized && parts_.nfc ? to_nfc(token.content) : token.content, token.special);
  }
}

void Tokenizer::put(std::int32_t id, std::string_view text, bool special) {
  const auto at = static_cast<std::size_t>(id);
  if (places_.size() <= at) places_.resize(at + 1);
  Place& place = places_[at];
  place.there = true;
  place.special = special;
  std::string bytes(text);
  if (parts_.decoding == Decoding::byte_level) {
    if (auto meant = from_byte_alphabet(text)) bytes = std::move(*meant);
  } else if (const int byte = fallback_byte(text); byte >= 0) {
    bytes.assign(1, static_cast<char>(static_cast<unsigned char>(byte)));
    place.fallback_byte = true;
  }
  place.begin = static_cast<std::uint32_t>(bytes_.size());
  place.size = static_cast<std::uint32_t>(bytes.size());
  bytes_ += bytes;
}

bool Tokenizer::has(std::int32_t id) const {
  return id >= 0 && static_cast<std::size_t>(id) < places_.size() && places_[static_cast<std::size_t>(id)].there;
}

std::string_view Tokenizer::bytes_of(std::int32_t id) const {
  if (!has(id)) return {};
  const Place& place = places_[static_cast<std::size_t>(id)];
  return std::string_view(bytes_).substr(place.begin, place.size);
}

bool Tokenizer::is_special(std::int32_t id) const { return has(id) && places_[static_cast<std::size_t>(id)].special; }

bool Tokenizer::is_fallback_byte(std::int32_t id) const {
  return has(id) && places_[static_cast<std::size_t>(id)].fallback_byte;
}

Result<std::vector<std::int32_t>> Tokenizer::encode(std::string_view text, bool with_special) const {
  if (text.size() > largest_text) {
    return input_error(fmt::format("The text has {} bytes; a tokenizer takes at most {}.", text.size(), largest_text));
  }
  if (const std::size_t wrong = find_not_utf8(text); wrong != std::string_view::npos) {
    return input_error(fmt::format("The text is not valid UTF-8 at its byte {}. Convert it to UTF-8.", wrong));
  }
  std::vector<std::int32_t> out;
  if (with_special) out = parts_.before;
  Encoding encoding(parts_, text.size(), out);
  for (const Piece& raw : in_raw_.cut(text)) {
    if (raw.id >= 0) {
      out.push_back(raw.id);
      continue;
    }
    std::string_view piece = text.substr(raw.span.begin, raw.span.end - raw.span.begin);
    std::string normalised;
    if (parts_.nfc) {
      normalised = to_nfc(piece);
      piece = normalised;
    }
    for (const Piece& part : in_normalised_.cut(piece)) {
      if (part.id >= 0) {
        out.push_back(part.id);
      } else if (auto done = encoding.piece(piece.substr(part.span.begin, part.span.end - part.span.begin)); !done) {
        return input_error("The tokenizer's pattern " + done.error().message + ".");
      }
    }
  }
  if (with_special) out.insert(out.end(), parts_.after.begin(), parts_.after.end());
  return out;
}

std::string Tokenizer::decode(const std::vector<std::int32_t>& ids) const {
  TextStream stream(this);
  std::string out;
  for (const std::int32_t id : ids) out += stream.push(id);
  return out + stream.finish();
}

}  // namespace engine
