// What people type to find a row or an action by its name: words in any order and any case, numbers as a whole ("layer 3" is
// not layer 13). Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace app {

// ASCII letters alone change.
std::string lower(std::string_view text);

class WordFilter {
 public:
  explicit WordFilter(std::string_view query);
  // Whether the name holds every word; without words every name does.
  bool takes(std::string_view name) const;
  const std::vector<std::string>& words() const { return words_; }  // in lower case

 private:
  std::vector<std::string> words_;
};

}  // namespace app
