// A compiled regular expression over UTF-8, by PCRE2. Immutable, so that threads may share one; each uses a Matcher of its
// own. Expressions come from files that may be hostile: how long one may look is bounded.
#pragma once

#include "engine/base/result.h"

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

struct pcre2_real_code_8;

namespace engine {

struct Span {
  std::size_t begin = 0, end = 0;
};

class Pattern {
 public:
  // `text` is in PCRE2's syntax. Errors (input): what PCRE2 says of it; or it can match nothing, so that it would not cut.
  static Result<Pattern> compile(const std::string& text);

 private:
  friend class Matcher;
  std::shared_ptr<const pcre2_real_code_8> code_;
};

// Finds matches of one pattern, one thread at a time.
class Matcher {
 public:
  explicit Matcher(const Pattern& pattern);
  ~Matcher();
  Matcher(Matcher&& other) noexcept;
  Matcher& operator=(Matcher&&) = delete;
  Matcher(const Matcher&) = delete;
  Matcher& operator=(const Matcher&) = delete;

  // All matches from left to right; they do not overlap. `text` is valid UTF-8. Error (input): the pattern looks longer
  // than its limits allow: so many steps a match, and 10 s and 2 s a MB of text in the life of this object.
  Result<void> find_all(std::string_view text, std::vector<Span>& out);
  // Whether the text begins with a match.
  bool begins(std::string_view text);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace engine
