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

WordFilter::WordFilter(std::string_view query) {
  std::istringstream in{lower(query)};
  for (std::string word; in >> word;) words_.push_back(word);
}

bool WordFilter::takes(std::string_view name) const {
  const std::string text = lower(name);
  return std::all_of(words_.begin(), words_.end(),
                     [&](const std::string& word) { return text.find(word) != std::string::npos; });
}

}  // namespace app
