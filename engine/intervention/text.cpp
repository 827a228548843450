#include "engine/intervention/text.h"

#include "engine/base/quote.h"

#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <cstddef>
#include <limits>

namespace engine {

namespace {

constexpr std::size_t longest = 1000;  // characters

struct Word {
  Quantity quantity;
  const char* text;
};
constexpr Word quantities[] = {{Quantity::rotation, "rotation"},
                               {Quantity::lambda, "lambda"},
                               {Quantity::dt, "dt"},
                               {Quantity::a, "a"},
                               {Quantity::b_bias, "b_bias"},
                               {Quantity::c_bias, "c_bias"},
                               {Quantity::d, "d"},
                               {Quantity::rank_write, "rank_write"},
                               {Quantity::rank_read, "rank_read"},
                               {Quantity::head, "head"},
                               {Quantity::state, "state"}};

const char* word_of(Quantity quantity) {
  for (const Word& word : quantities) {
    if (word.quantity == quantity) return word.text;
  }
  return "";
}

bool is_blank(char c) { return c == ' ' || c == '\t'; }
bool is_word(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }

// Reads from left to right; what it expected and did not find is the error.
class Reader {
 public:
  explicit Reader(std::string_view text) : text_(text) {}

  void skip_blanks() {
    while (at_ < text_.size() && is_blank(text_[at_])) ++at_;
  }
  bool at_end() const { return at_ >= text_.size(); }
  char peek() const { return at_end() ? '\0' : text_[at_]; }
  bool take(char c) {
    if (at_end() || text_[at_] != c) return false;
    ++at_;
    return true;
  }
  std::string_view word() {
    const std::size_t first = at_;
    while (at_ < text_.size() && is_word(text_[at_])) ++at_;
    return text_.substr(first, at_ - first);
  }
  template <class T>
  bool number(T& out) {
    const char* end = text_.data() + text_.size();
    const auto [stopped, failure] = std::from_chars(text_.data() + at_, end, out);
    if (failure != std::errc()) return false;
    at_ = static_cast<std::size_t>(stopped - text_.data());
    return true;
  }
  // "... is no intervention: WHAT must stand at character 3."
  tl::unexpected<Error> expected(const std::string& what) const {
    return wrong(fmt::format("{} must stand at character {}", what, at_ + 1));
  }
  tl::unexpected<Error> wrong(const std::string& why) const {
    return input_error(fmt::format("{} is no intervention: {}.", in_quotes(text_), why));
  }

 private:
  std::string_view text_;
  std::size_t at_ = 0;
};

Result<void> read_operation(Reader& reader, Intervention& out) {
  const char sign = reader.peek();
  if (reader.take('*')) {
    out.operation = Operation::scale;
  } else if (reader.take('=')) {
    out.operation = Operation::set;
  } else if (reader.take('~')) {
    out.operation = Operation::shuffle;
    if (out.quantity != Quantity::rotation)
      return reader.wrong(fmt::format("only the rotation can be shuffled, not {}", word_of(out.quantity)));
  } else if (reader.take('+') || reader.take('-')) {
    out.operation = Operation::add;
  } else {
    return reader.expected("one of * + - = ~ (scale, add, subtract, set, shuffle)");
  }
  reader.skip_blanks();
  if (out.operation == Operation::shuffle) {
    std::uint32_t seed = 0;  // a double holds it whole
    if (!reader.number(seed)) return reader.expected("the shuffle's seed, a whole number below 2^32,");
    out.value = seed;
    return {};
  }
  double value = 0;
  if (!reader.number(value) || !std::isfinite(value)) return reader.expected("a finite number");
  out.value = sign == '-' ? -value : value;
  return {};
}

// "3", "0-4", "20-".
Result<void> read_range(Reader& reader, std::string_view name, IndexRange& out) {
  reader.skip_blanks();
  std::int64_t first = 0, last = 0;
  const auto index = [&](std::int64_t& to) {
    return reader.peek() >= '0' && reader.peek() <= '9' && reader.number(to) &&
           to < std::numeric_limits<std::int64_t>::max();
  };
  if (!index(first)) return reader.expected(fmt::format("the numbers of the {} (3, 0-4 or 20-)", name));
  out = {first, first + 1};
  if (!reader.take('-')) return {};
  out.end = -1;
  if (reader.at_end() || is_blank(reader.peek())) return {};
  if (!index(last)) return reader.expected(fmt::format("the number of the last of the {}", name));
  if (last < first) return reader.wrong(fmt::format("its range of {} ends before it begins", name));
  out.end = last + 1;
  return {};
}

Result<void> read_cell(Reader& reader, Intervention& out) {
  reader.skip_blanks();
  if (reader.peek() == '-' || !reader.number(out.row))
    return reader.expected("row and channel of the cell, such as 3,7,");
  if (!reader.take(',')) return reader.expected("a comma between row and channel");
  if (reader.peek() == '-' || !reader.number(out.channel)) return reader.expected("a channel");
  return {};
}

bool has_ranks(Quantity quantity) {
  return quantity == Quantity::b_bias || quantity == Quantity::c_bias || quantity == Quantity::rank_write ||
         quantity == Quantity::rank_read;
}

Result<void> read_scope(Reader& reader, Intervention& out) {
  struct Scope {
    const char *many, *one;
    IndexRange* range;
    bool fits, given;
  };
  Scope scopes[] = {{"layers", "layer", &out.layers, true, false},
                    {"heads", "head", &out.heads, true, false},
                    {"ranks", "rank", &out.ranks, has_ranks(out.quantity), false},
                    {"pairs", "pair", &out.pairs, out.quantity == Quantity::rotation, false},
                    {"tokens", "token", &out.tokens, true, false}};
  bool cell = false;
  for (reader.skip_blanks(); !reader.at_end(); reader.skip_blanks()) {
    const Reader before = reader;
    const std::string_view name = reader.word();
    if (name == "cell" && out.quantity == Quantity::state && !cell) {
      if (auto done = read_cell(reader, out); !done) return done;
      cell = true;
    } else {
      Scope* found = nullptr;
      for (Scope& scope : scopes) {
        if (scope.fits && (name == scope.many || name == scope.one)) found = &scope;
      }
      if (found == nullptr) {
        std::string known = out.quantity == Quantity::state ? "layers, heads, cell" : "layers, heads";
        if (has_ranks(out.quantity)) known += ", ranks";
        if (out.quantity == Quantity::rotation) known += ", pairs";
        return before.expected(fmt::format("a scope of {} ({} or tokens)", word_of(out.quantity), known));
      }
      if (found->given) return before.wrong(fmt::format("{} are named twice", found->many));
      found->given = true;
      if (auto done = read_range(reader, found->many, *found->range); !done) return done;
    }
    if (!reader.at_end() && !is_blank(reader.peek())) return reader.expected("a blank");
  }
  if (out.quantity == Quantity::state && !cell) return reader.expected("the cell of the state, such as cell 3,7,");
  return {};
}

void append_range(std::string& out, const char* name, const IndexRange& range) {
  if (range == IndexRange{}) return;
  out += fmt::format(" {} {}", name, range.first);
  if (range.end < 0)
    out += '-';
  else if (range.end != range.first + 1)
    out += fmt::format("-{}", range.end - 1);
}

}  // namespace

Result<Intervention> parse_intervention(std::string_view text) {
  if (text.size() > longest)
    return input_error(
        fmt::format("{} is no intervention: it is longer than {} characters.", in_quotes(text), longest));
  Reader reader(text);
  Intervention out;
  reader.skip_blanks();
  const Reader before = reader;
  const std::string_view name = reader.word();
  bool known = false;
  for (const Word& word : quantities) {
    if (name != word.text) continue;
    out.quantity = word.quantity;
    known = true;
  }
  if (!known)
    return before.expected(
        "a quantity (rotation, lambda, dt, a, b_bias, c_bias, d, rank_write, rank_read, "
        "head or state)");
  reader.skip_blanks();
  if (auto done = read_operation(reader, out); !done) return tl::unexpected(done.error());
  reader.skip_blanks();
  if (!reader.at_end() && !reader.take('@')) return reader.expected("@ and a scope, or nothing more,");
  if (auto done = read_scope(reader, out); !done) return tl::unexpected(done.error());
  return out;
}

Result<std::vector<Intervention>> parse_interventions(const std::vector<std::string>& texts,
                                                      const ModelConfig& config) {
  std::vector<Intervention> out;
  for (const std::string& text : texts) {
    auto read = parse_intervention(text);
    if (!read) return tl::unexpected(read.error());
    if (auto fits = check(*read, config); !fits) return tl::unexpected(fits.error());
    out.push_back(*read);
  }
  return out;
}

std::string format_intervention(const Intervention& intervention) {
  std::string out = word_of(intervention.quantity);
  switch (intervention.operation) {
    case Operation::scale:
      out += fmt::format("*{}", intervention.value);
      break;
    case Operation::add:
      out += std::signbit(intervention.value) ? fmt::format("-{}", -intervention.value)
                                              : fmt::format("+{}", intervention.value);
      break;
    case Operation::set:
      out += fmt::format("={}", intervention.value);
      break;
    case Operation::shuffle:
      out += fmt::format("~{:.0f}", intervention.value);
      break;
  }
  std::string scope;
  append_range(scope, "layers", intervention.layers);
  append_range(scope, "heads", intervention.heads);
  if (has_ranks(intervention.quantity)) append_range(scope, "ranks", intervention.ranks);
  if (intervention.quantity == Quantity::rotation) append_range(scope, "pairs", intervention.pairs);
  if (intervention.quantity == Quantity::state)
    scope += fmt::format(" cell {},{}", intervention.row, intervention.channel);
  append_range(scope, "tokens", intervention.tokens);
  return scope.empty() ? out : out + " @" + scope;
}

}  // namespace engine
