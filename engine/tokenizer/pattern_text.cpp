#include "engine/tokenizer/pattern_text.h"

#include "engine/base/quote.h"
#include "engine/base/utf8.h"
#include "engine/tokenizer/unicode_versions.h"

#include <fmt/format.h>

#include <charconv>

namespace engine {

namespace {

constexpr std::size_t longest = 4096;  // bytes
constexpr int deepest = 16, most_repeats = 1000;

// White_Space of Unicode, which PCRE2's \s exceeds by U+180E.
constexpr const char* blanks =
    "\\x{9}-\\x{d}\\x{20}\\x{85}\\x{a0}\\x{1680}\\x{2000}-\\x{200a}\\x{2028}\\x{2029}\\x{202f}\\x{205f}\\x{3000}";

std::string code(char32_t c) { return fmt::format("\\x{{{:x}}}", static_cast<std::uint32_t>(c)); }

void append(std::string& out, std::span<const CodeRange> ranges) {
  for (const CodeRange& range : ranges) out += code(range.first) + "-" + code(range.last);
}

bool is_letter(char32_t c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool is_digit(char c) { return c >= '0' && c <= '9'; }
char32_t lower(char32_t c) { return c >= 'A' && c <= 'Z' ? c + 32 : c; }

// The inside of a class: a property's members. ASCII first, which PCRE2 finds in a bitmap.
std::string letters() {
  std::string out = "A-Za-z\\p{L}";
  append(out, new_letters());
  return out;
}

std::string numbers() {
  std::string out = "0-9\\p{N}";
  append(out, new_numbers());
  return out;
}

// A letter in either case, as the inside of a class: what folds to it beyond ASCII, too.
std::string folded(char32_t c) {
  const char32_t small = lower(c);
  return code(small) + code(small - 32) + (small == 's' ? "\\x{17f}" : small == 'k' ? "\\x{212a}" : "");
}

// What an escape stands for.
struct Escape {
  enum class Kind { character, set, not_set } kind = Kind::character;
  char32_t character = 0;
  std::string inside;  // of a class
};

class Translator {
 public:
  explicit Translator(std::string_view text) : text_(text) {}

  Result<std::string> run() {
    if (text_.size() > longest) return input_error(fmt::format("has {} bytes; at most {}", text_.size(), longest));
    alternatives(0);
    if (fault_.empty() && at_ < text_.size()) fail("has a ) too many");
    if (!fault_.empty()) return input_error(fmt::format("{} at its byte {}", fault_, at_));
    return std::move(out_);
  }

 private:
  bool at_end() const { return at_ >= text_.size(); }
  char peek() const { return at_end() ? '\0' : text_[at_]; }
  bool starts(std::string_view what) const { return text_.substr(at_).rfind(what, 0) == 0; }
  bool take(std::string_view what) {
    if (!starts(what)) return false;
    at_ += what.size();
    return true;
  }
  void fail(const std::string& why) {
    if (fault_.empty()) fault_ = why;
  }
  bool good() const { return fault_.empty(); }

  char32_t character() {
    const std::string_view rest = text_.substr(at_);
    at_ += first_character(rest).length;
    return code_point(rest);
  }

  void alternatives(int depth);
  void atom(int depth);
  void group(int depth);
  void quantifier();
  void bracket();
  void literal(char32_t c);
  Escape escape();
  bool number(int& out);

  std::string_view text_;
  std::size_t at_ = 0;
  std::string out_, fault_;
  bool folding_ = false;     // inside (?i:
  char32_t previous_ = 0;    // of a folding alternative: its last character, 1: a class, 0: none
  bool repeatable_ = false;  // the last atom takes a quantifier
};

void Translator::alternatives(int depth) {
  if (depth > deepest) return fail("is nested too deep");
  previous_ = 0;
  while (good() && !at_end() && peek() != ')') {
    if (take("|")) {
      out_ += '|';
      previous_ = 0;
      continue;
    }
    atom(depth);
    if (good()) quantifier();
  }
}

void Translator::atom(int depth) {
  repeatable_ = true;
  if (peek() == '(') return group(depth);
  if (peek() == '[') return bracket();
  if (take(".")) {
    if (folding_) return fail("has a . inside (?i:, which is not done");
    out_ += "[^\\n]";
    return;
  }
  if (peek() == '\\') {
    const Escape found = escape();
    if (found.kind == Escape::Kind::character) return literal(found.character);
    if (folding_) return fail("has a property inside (?i:, which is not done");
    out_ += (found.kind == Escape::Kind::set ? "[" : "[^") + found.inside + "]";
    return;
  }
  if (peek() == '^' || peek() == '$') return fail(fmt::format("has the anchor {}, which is not done,", peek()));
  if (peek() == '{' || peek() == '}' || peek() == ']') return fail(fmt::format("has a {} of its own", peek()));
  if (peek() == '*' || peek() == '+' || peek() == '?') return fail("repeats nothing, or what is repeated already,");
  literal(character());
}

void Translator::literal(char32_t c) {
  if (!folding_) {
    out_ += code(c);
    return;
  }
  if (c >= 0x80) return fail("has a character beyond ASCII inside (?i:, which is not done");
  // Two letters that fold to one ligature or to ß.
  const char32_t a = lower(previous_), b = lower(c);
  const bool joins = (a == 's' && (b == 's' || b == 't')) || (a == 'f' && (b == 'f' || b == 'i' || b == 'l'));
  if (joins || previous_ == 1) return fail("has letters inside (?i: that fold together, which is not done");
  out_ += is_letter(c) ? "[" + folded(c) + "]" : code(c);
  previous_ = c;
}

void Translator::group(int depth) {
  if (folding_) return fail("has a group inside (?i:, which is not done");
  bool looks = false;
  if (take("(?i:")) {
    folding_ = true;
    out_ += "(?:";
  } else if (take("(?:")) {
    out_ += "(?:";
  } else if (take("(?>")) {
    out_ += "(?>";
  } else if (starts("(?=") || starts("(?!")) {
    out_ += text_.substr(at_, 3);
    at_ += 3;
    looks = true;
  } else if (starts("(?") || starts("(*")) {
    return fail(fmt::format("has the group {}, which is not done,", in_quotes(text_.substr(at_, 4))));
  } else {
    ++at_;
    out_ += "(?:";
  }
  alternatives(depth + 1);
  folding_ = false;
  previous_ = 0;
  if (!good()) return;
  if (!take(")")) return fail("has a ( without its )");
  out_ += ')';
  repeatable_ = !looks;
}

bool Translator::number(int& out) {
  const char* const begin = text_.data() + at_;
  const auto [end, failed] = std::from_chars(begin, text_.data() + text_.size(), out);
  if (end == begin || failed != std::errc() || !is_digit(*begin) || out > most_repeats) return false;
  at_ += static_cast<std::size_t>(end - begin);
  return true;
}

void Translator::quantifier() {
  const char first = peek();
  if (first != '?' && first != '*' && first != '+' && first != '{') return;
  if (!repeatable_) return fail("repeats a lookahead, which is not done,");
  if (folding_) return fail("repeats inside (?i:, which is not done,");
  ++at_;
  if (first == '{') {
    int least = 0, most = 0;
    const bool has_least = number(least);
    const bool open = has_least && take(",");
    const bool has_most = open && number(most);
    if (!has_least || !take("}") || (has_most && most < least)) return fail("has a {} that is no {n}, {n,} or {n,m}");
    // Oniguruma reads what may follow in its own way.
    if (peek() == '?' || peek() == '+' || peek() == '*' || peek() == '{') return fail("repeats what is repeated");
    out_ += has_most ? fmt::format("{{{},{}}}", least, most)
            : open   ? fmt::format("{{{},}}", least)
                     : fmt::format("{{{}}}", least);
    return;
  }
  out_ += first;
  if (peek() == '?' || peek() == '+') out_ += text_[at_++];
  if (peek() == '?' || peek() == '+' || peek() == '*' || peek() == '{') fail("repeats what is repeated");
}

Escape Translator::escape() {
  Escape out;
  for (const auto& [name, inside] : {std::pair{"{L}", letters()}, std::pair{"{N}", numbers()}}) {
    const bool is = take(std::string("\\p") + name), is_not = !is && take(std::string("\\P") + name);
    if (!is && !is_not) continue;
    out.kind = is ? Escape::Kind::set : Escape::Kind::not_set;
    out.inside = inside;
    return out;
  }
  if (starts("\\s") || starts("\\S")) {
    out.kind = starts("\\s") ? Escape::Kind::set : Escape::Kind::not_set;
    out.inside = blanks;
    at_ += 2;
    return out;
  }
  const char next = at_ + 1 < text_.size() ? text_[at_ + 1] : '\0';
  const bool punctuation = next > ' ' && next < 0x7F && !is_digit(next) && !is_letter(static_cast<char32_t>(next));
  const bool control = next == 'r' || next == 'n' || next == 't' || next == 'f';
  if (!punctuation && !control) {
    fail(fmt::format("has the escape {}, which is not done,", in_quotes(text_.substr(at_, 6))));
    return out;
  }
  at_ += 2;
  const char c = next == 'r' ? '\r' : next == 'n' ? '\n' : next == 't' ? '\t' : next == 'f' ? '\f' : next;
  out.character = static_cast<char32_t>(c);
  return out;
}

void Translator::bracket() {
  if (previous_ != 0) return fail("has a class beside letters inside (?i:, which is not done");
  ++at_;
  const bool inverted = take("^");
  if (inverted && folding_) return fail("has an inverted class inside (?i:, which is not done");
  std::string inside;
  const auto one = [&](char32_t& out) {  // a character; false: a set, or a fault
    if (peek() == '[' || starts("&&")) {
      fail("has a class inside a class, which is not done");
      return false;
    }
    if (peek() != '\\') {
      out = character();
      return true;
    }
    const Escape found = escape();
    out = found.character;
    if (found.kind == Escape::Kind::character) return good();
    if (found.kind == Escape::Kind::not_set) fail("has an inverted property inside a class, which is not done,");
    if (folding_) fail("has a property inside (?i:, which is not done");
    inside += found.inside;
    return false;
  };
  if (peek() == ']') return fail("has an empty class");
  while (good() && !at_end() && peek() != ']') {
    char32_t first = 0, last = 0;
    if (!one(first)) continue;
    const bool range = peek() == '-' && at_ + 1 < text_.size() && text_[at_ + 1] != ']';
    if (range && (folding_ || first == '-')) return fail("has a range that is not done");
    if (range) {
      ++at_;
      if (!one(last)) return fail("has a range that ends in no character");
      if (last < first || last - first > 0x10FFFF) return fail("has a range that runs backwards");
      inside += code(first) + "-" + code(last);
    } else if (folding_ && first >= 0x80) {
      return fail("has a character beyond ASCII inside (?i:, which is not done");
    } else {
      inside += folding_ && is_letter(first) ? folded(first) : code(first);
    }
  }
  if (!good()) return;
  if (!take("]")) return fail("has a [ without its ]");
  out_ += (inverted ? "[^" : "[") + inside + "]";
  if (folding_) previous_ = 1;
}

}  // namespace

Result<std::string> translate_pattern(std::string_view text) { return Translator(text).run(); }

std::string word_character_class() {
  // Alphabetic (whose members beyond letters, marks and letter numbers are the circled and squared letters), marks,
  // decimal digits, connectors, and the two joiners.
  std::string out =
      "[0-9A-Za-z_\\p{L}\\p{M}\\p{Nd}\\p{Nl}\\p{Pc}\\x{200c}\\x{200d}\\x{24b6}-\\x{24e9}\\x{1f130}-\\x{1f149}"
      "\\x{1f150}-\\x{1f169}\\x{1f170}-\\x{1f189}";
  append(out, new_letters());
  append(out, new_word_characters());
  for (const CodeRange& range : new_numbers()) {
    if (range.first != 0x1D2C0) out += code(range.first) + "-" + code(range.last);  // Kaktovik numerals are no digits
  }
  return out + "]";
}

std::string literal_pattern(std::string_view text) {
  std::string out;
  for (std::size_t at = 0; at < text.size(); at += first_character(text.substr(at)).length) {
    out += code(code_point(text.substr(at)));
  }
  return out;
}

}  // namespace engine
