#include "engine/intervention/no_effect.h"

#include <fmt/format.h>

#include <algorithm>

namespace engine {

namespace {

std::int64_t size_of(const IndexRange& range, std::int64_t count) {
  return std::max<std::int64_t>(0, (range.end < 0 ? count : std::min(range.end, count)) - range.first);
}

// What the step must have been like for this to change nothing.
const char* why_none_measured(const Intervention& by) {
  switch (by.quantity) {
    case Quantity::rotation:
      return by.operation == Operation::add ? "the state holds nothing there that could turn" : "no pair turns there";
    case Quantity::lambda:
    case Quantity::dt:
    case Quantity::a:
      return "it has that value there already, or nothing is written there";
    case Quantity::state:
      return "the cell holds that value already";
    default:
      return "what it changes is zero there";
  }
}

}  // namespace

std::string why_no_effect(const Intervention& by, const ModelConfig& config, std::int64_t tokens) {
  if (by.operation == Operation::scale && by.value == 1) return "it scales by 1";
  if (by.operation == Operation::add && by.value == 0) return "it adds 0";
  if (by.operation == Operation::shuffle && size_of(by.pairs, config.angles()) < 2)
    return "there is one pair in its range, and no other to take the turn of";
  if (by.tokens.first >= tokens)
    return tokens == 0 ? std::string("there is no token yet")
                       : fmt::format("its tokens begin at {}, and there {} {}", by.tokens.first,
                                     tokens == 1 ? "is" : "are", tokens);
  return {};
}

std::vector<std::string> without_effect(std::span<const Intervention> list, const ModelConfig& config,
                                        std::int64_t tokens, bool measured_none) {
  std::vector<std::string> out;
  for (const Intervention& by : list) {
    const std::string why = why_no_effect(by, config, tokens);
    if (!why.empty())
      out.push_back(fmt::format("{} has no effect: {}.", describe(by), why));
    else if (measured_none)
      out.push_back(fmt::format("{} had no effect on these tokens: {}.", describe(by), why_none_measured(by)));
  }
  return out;
}

}  // namespace engine
