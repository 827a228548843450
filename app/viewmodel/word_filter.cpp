#include "app/viewmodel/word_filter.h"

#include <algorithm>
#include <cctype>
#include <sstream>

namespace app {

std::string lower(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return out;
}

namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// A word of digits alone must not be a part of a longer number.
bool holds(std::string_view text, std::string_view word) {
  const bool number = std::all_of(word.begin(), word.end(), is_digit);
  for (std::size_t at = text.find(word); at != std::string_view::npos; at = text.find(word, at + 1)) {
    const std::size_t end = at + word.size();
    if (!number || ((at == 0 || !is_digit(text[at - 1])) && (end == text.size() || !is_digit(text[end])))) return true;
  }
  return false;
}

}  // namespace

WordFilter::WordFilter(std::string_view query) {
  std::istringstream in{lower(query)};
  for (std::string word; in >> word;) words_.push_back(word);
}

bool WordFilter::takes(std::string_view name) const {
  const std::string text = lower(name);
  return std::all_of(words_.begin(), words_.end(), [&](const std::string& word) { return holds(text, word); });
}

}  // namespace app
