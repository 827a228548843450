#include "app/viewmodel/in_force.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

namespace app {

using List = std::vector<engine::Intervention>;

std::string in_force_words(const List& list) {
  if (list.empty()) return {};
  const std::string first = describe(list.front());
  if (list.size() == 1) return first;
  return list.size() == 2 ? fmt::format("{} and {}", first, describe(list[1]))
                          : fmt::format("{} and {} more", first, list.size() - 1);
}

std::string in_force_lines(const List& list) {
  std::string out;
  for (const engine::Intervention& by : list) out += (out.empty() ? "" : "\n") + describe(by);
  return out;
}

bool in_force_at(const List& list, std::int64_t token) {
  return std::any_of(list.begin(), list.end(), [&](const auto& by) { return by.tokens.contains(token); });
}

List in_force_of(const List& list, std::int64_t token) {
  List out;
  std::copy_if(list.begin(), list.end(), std::back_inserter(out),
               [&](const auto& by) { return by.tokens.contains(token); });
  return out;
}

std::string starts_from_words(const List& list) {
  return list.empty() ? std::string() : fmt::format("With {} in force. ", in_force_words(list));
}

List from_token(const List& list, std::int64_t first) {
  List out;
  for (engine::Intervention by : list) {
    by.tokens.first = std::max(by.tokens.first, first);
    if (by.tokens.end < 0 || by.tokens.end > by.tokens.first) out.push_back(by);
  }
  return out;
}

}  // namespace app
