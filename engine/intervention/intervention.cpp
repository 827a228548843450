#include "engine/intervention/intervention.h"

#include "engine/base/random.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <iterator>
#include <numeric>
#include <string_view>
#include <utility>

namespace engine {

namespace {

constexpr double largest_value = 1e6;    // of a strength: beyond it an angle's advance keeps no digit
constexpr double largest_seed = 0x1p53;  // what a double tells apart

// What of a head's step a quantity has several of.
bool has_ranks(Quantity q) {
  return q == Quantity::b_bias || q == Quantity::c_bias || q == Quantity::rank_write || q == Quantity::rank_read;
}

std::int64_t end_of(const IndexRange& range, std::int64_t count) {
  return range.end < 0 ? count : std::min(range.end, count);
}

template <class Body>
void for_each(const IndexRange& range, std::int64_t count, const Body& body) {
  for (std::int64_t i = range.first; i < end_of(range, count); ++i) body(static_cast<std::size_t>(i));
}

// Follows what the change did so far.
template <class T>
void follow(kernels::Affine<T>& change, Operation operation, double value) {
  switch (operation) {
    case Operation::scale:
      change.scale = static_cast<T>(static_cast<double>(change.scale) * value);
      if (change.offset != 0) change.offset = static_cast<T>(static_cast<double>(change.offset) * value);
      break;
    case Operation::add:
      change.offset = static_cast<T>(static_cast<double>(change.offset) + value);
      break;
    case Operation::set:
      change = {0, static_cast<T>(value)};
      break;
    case Operation::shuffle:  // moves changes, see shuffle()
      break;
  }
  if (change.offset == 0 && change.scale != 0) change.offset = static_cast<T>(-0.0);  // keeps the sign of a zero
}

template <class T>
bool neutral(const kernels::Affine<T>& c) {
  return c.scale == 1 && c.offset == 0;
}
bool neutral(const kernels::HeadChange& c) {
  return neutral(c.dt) && neutral(c.a) && neutral(c.lambda) && neutral(c.d) && neutral(c.output);
}
bool neutral(const kernels::RankChange& c) {
  return neutral(c.b_bias) && neutral(c.c_bias) && neutral(c.write) && neutral(c.read);
}

// For all heads of a layer the same; another one for each layer and seed.
std::vector<std::size_t> permutation(std::size_t count, double seed, std::size_t layer) {
  std::vector<std::size_t> order(count);
  std::iota(order.begin(), order.end(), std::size_t{0});
  Random random(static_cast<std::uint64_t>(seed), layer);
  for (std::size_t i = count; i > 1; --i) std::swap(order[i - 1], order[random.below(i)]);
  return order;
}

// Each pair in the range becomes what another one of them was.
void shuffle(kernels::PairChange* pairs, const IndexRange& range, std::size_t count, double seed, std::size_t layer) {
  const auto first = static_cast<std::size_t>(range.first);
  const auto end = static_cast<std::size_t>(end_of(range, static_cast<std::int64_t>(count)));
  const std::vector<kernels::PairChange> before(pairs + first, pairs + end);
  const std::vector<std::size_t> order = permutation(before.size(), seed, layer);
  for (std::size_t i = 0; i < order.size(); ++i) pairs[first + i] = before[order[i]];
}

// The changes while they come together.
class Composition {
 public:
  explicit Composition(const ModelConfig& config) : config_(config) {}

  void add(const Intervention& by) {
    for_each(by.layers, config_.n_layer, [&](std::size_t layer) {
      for_each(by.heads, config_.heads(), [&](std::size_t head) { add(by, layer, head); });
    });
  }

  SequenceChanges finish() {
    if (std::all_of(made_.heads.begin(), made_.heads.end(), [](const auto& c) { return neutral(c); })) {
      made_.heads.clear();
    }
    if (std::all_of(made_.ranks.begin(), made_.ranks.end(), [](const auto& c) { return neutral(c); })) {
      made_.ranks.clear();
    }
    const auto pairs = static_cast<std::size_t>(config_.angles());
    bool moved = false;
    for (std::size_t i = 0; i < made_.pairs.size() && !moved; ++i) {
      moved = !neutral(made_.pairs[i].advance) || made_.pairs[i].source != static_cast<std::int32_t>(i % pairs);
    }
    if (!moved) made_.pairs.clear();
    made_.cells.erase(std::remove_if(made_.cells.begin(), made_.cells.end(),
                                     [](const kernels::CellChange& c) { return neutral(c.value); }),
                      made_.cells.end());
    return std::move(made_);
  }

 private:
  void add(const Intervention& by, std::size_t layer, std::size_t head) {
    const std::size_t at = layer * static_cast<std::size_t>(config_.heads()) + head;
    if (by.quantity == Quantity::rotation) return add_to_pairs(by, layer, at);
    if (by.quantity == Quantity::state) return add_to_cell(by, layer, head);
    if (has_ranks(by.quantity)) return add_to_ranks(by, at);
    if (made_.heads.empty()) made_.heads = neutral_heads(config_, config_.n_layer);
    kernels::HeadChange& change = made_.heads[at];
    switch (by.quantity) {
      case Quantity::lambda:
        return follow(change.lambda, by.operation, by.value);
      case Quantity::dt:
        return follow(change.dt, by.operation, by.value);
      case Quantity::a:
        return follow(change.a, by.operation, by.value);
      case Quantity::d:
        return follow(change.d, by.operation, by.value);
      default:
        return follow(change.output, by.operation, by.value);
    }
  }

  void add_to_pairs(const Intervention& by, std::size_t layer, std::size_t at) {
    if (made_.pairs.empty()) made_.pairs = neutral_pairs(config_, config_.n_layer);
    const auto count = static_cast<std::size_t>(config_.angles());
    kernels::PairChange* pairs = made_.pairs.data() + at * count;
    if (by.operation == Operation::shuffle) return shuffle(pairs, by.pairs, count, by.value, layer);
    for_each(by.pairs, config_.angles(), [&](std::size_t i) { follow(pairs[i].advance, by.operation, by.value); });
  }

  void add_to_ranks(const Intervention& by, std::size_t at) {
    if (made_.ranks.empty()) made_.ranks = neutral_ranks(config_, config_.n_layer);
    for_each(by.ranks, config_.rank(), [&](std::size_t r) {
      kernels::RankChange& change = made_.ranks[at * static_cast<std::size_t>(config_.rank()) + r];
      follow(by.quantity == Quantity::b_bias       ? change.b_bias
             : by.quantity == Quantity::c_bias     ? change.c_bias
             : by.quantity == Quantity::rank_write ? change.write
                                                   : change.read,
             by.operation, by.value);
    });
  }

  void add_to_cell(const Intervention& by, std::size_t layer, std::size_t head) {
    kernels::CellChange cell;
    cell.layer = static_cast<std::int32_t>(layer);
    cell.head = static_cast<std::int32_t>(head);
    cell.row = by.row;
    cell.channel = by.channel;
    const auto same = [&](const kernels::CellChange& c) {
      return c.layer == cell.layer && c.head == cell.head && c.row == cell.row && c.channel == cell.channel;
    };
    auto found = std::find_if(made_.cells.begin(), made_.cells.end(), same);
    if (found == made_.cells.end()) found = made_.cells.insert(found, cell);
    follow(found->value, by.operation, by.value);
  }

  const ModelConfig& config_;
  SequenceChanges made_;
};

// "layers 2-5", "head 3", "pairs from 8"; nothing for all of them.
void add_range(std::string& text, const char* one, const char* several, const IndexRange& range) {
  if (range == IndexRange{}) return;
  if (range.end < 0) {
    fmt::format_to(std::back_inserter(text), ", {} from {}", several, range.first);
  } else if (range.end == range.first + 1) {
    fmt::format_to(std::back_inserter(text), ", {} {}", one, range.first);
  } else {
    fmt::format_to(std::back_inserter(text), ", {} {}-{}", several, range.first, range.end - 1);
  }
}

Result<void> check_range(const char* several, const IndexRange& range, std::int64_t count) {
  if (count == 0) return input_error(fmt::format("This model has no {}.", several));
  const std::int64_t end = range.end < 0 ? count : range.end;
  if (range.first >= 0 && range.end >= -1 && range.first < end && end <= count) return {};
  const std::string there =
      count == 1 ? std::string("the model has one, number 0") : fmt::format("the model's are 0 to {}", count - 1);
  if (range.end < 0) return input_error(fmt::format("There are no {} from {} on: {}.", several, range.first, there));
  if (range.end == range.first + 1)
    return input_error(fmt::format("There is no {} {}: {}.",
                                   std::string_view(several).substr(0, std::string_view(several).size() - 1),
                                   range.first, there));
  return input_error(fmt::format("There are no {} {} to {}: {}.", several, range.first, range.end - 1, there));
}

// Scaled so, these would lie beyond their limit at every token, and be that limit.
Result<void> check_scale(const Intervention& by) {
  const bool limited = by.quantity == Quantity::lambda || by.quantity == Quantity::dt || by.quantity == Quantity::a;
  if (!limited || by.value >= 0) return {};
  return input_error(
      fmt::format("{} cannot be scaled by {}: it would be {} 0 at every token, and is kept at 0; give 0 "
                  "or more.",
                  name_of(by.quantity), by.value, by.quantity == Quantity::a ? "above" : "below"));
}

// Of those that are kept within limits.
Result<void> check_set(const Intervention& by) {
  const char* name = name_of(by.quantity);
  if (by.quantity == Quantity::lambda && (by.value < 0 || by.value > 1)) {
    return input_error(fmt::format("{} cannot be set to {}; give 0 to 1.", name, by.value));
  }
  if (by.quantity == Quantity::dt && by.value < 0) {
    return input_error(fmt::format("{} cannot be set to {}; give 0 or more.", name, by.value));
  }
  if (by.quantity == Quantity::a && by.value > 0) {
    return input_error(fmt::format("{} cannot be set to {}; give 0 or less.", name, by.value));
  }
  return {};
}

Result<void> check_value(const Intervention& by) {
  if (by.operation == Operation::shuffle) {
    if (by.quantity != Quantity::rotation) {
      return input_error(fmt::format("Only the rotation can be shuffled, not {}.", name_of(by.quantity)));
    }
    if (by.value >= 0 && by.value <= largest_seed && by.value == std::floor(by.value)) return {};
    return input_error(fmt::format("The seed of a shuffle is a whole number from 0 on, not {}.", by.value));
  }
  if (!std::isfinite(by.value) || std::fabs(by.value) > largest_value) {
    return input_error(fmt::format("{} cannot be changed by {}; give a number of at most {} either way.",
                                   name_of(by.quantity), by.value, largest_value));
  }
  if (by.operation == Operation::scale) return check_scale(by);
  return by.operation == Operation::set ? check_set(by) : Result<void>();
}

}  // namespace

const char* name_of(Quantity quantity) {
  switch (quantity) {
    case Quantity::rotation:
      return "rotation";
    case Quantity::lambda:
      return "lambda";
    case Quantity::dt:
      return "dt";
    case Quantity::a:
      return "A";
    case Quantity::b_bias:
      return "B bias";
    case Quantity::c_bias:
      return "C bias";
    case Quantity::d:
      return "D";
    case Quantity::rank_write:
      return "rank's write";
    case Quantity::rank_read:
      return "rank's read";
    case Quantity::head:
      return "head's output";
    case Quantity::state:
      return "state cell";
  }
  return "";
}

const char* name_of(Operation operation) {
  switch (operation) {
    case Operation::scale:
      return "scale";
    case Operation::add:
      return "add";
    case Operation::set:
      return "set";
    case Operation::shuffle:
      return "shuffle";
  }
  return "";
}

std::string describe(const Intervention& by) {
  std::string text = name_of(by.quantity);
  switch (by.operation) {
    case Operation::scale:
      text += fmt::format(" x {}", by.value);
      break;
    case Operation::add:
      text += fmt::format(" {} {}", by.value < 0 ? '-' : '+', std::fabs(by.value));
      break;
    case Operation::set:
      text += fmt::format(" = {}", by.value);
      break;
    case Operation::shuffle:
      text += fmt::format(" shuffled, seed {}", by.value);
      break;
  }
  add_range(text, "layer", "layers", by.layers);
  add_range(text, "head", "heads", by.heads);
  if (has_ranks(by.quantity)) add_range(text, "rank", "ranks", by.ranks);
  if (by.quantity == Quantity::rotation) add_range(text, "pair", "pairs", by.pairs);
  if (by.quantity == Quantity::state) text += fmt::format(", row {}, channel {}", by.row, by.channel);
  if (by.tokens == IndexRange{}) return text;
  if (by.tokens.end < 0) return text + fmt::format(", from token {}", by.tokens.first);
  if (by.tokens.end == by.tokens.first + 1) return text + fmt::format(", token {}", by.tokens.first);
  return text + fmt::format(", tokens {}-{}", by.tokens.first, by.tokens.end - 1);
}

Result<void> check(const Intervention& by, const ModelConfig& config) {
  if (auto ok = check_value(by); !ok) return ok;
  if (auto ok = check_range("layers", by.layers, config.n_layer); !ok) return ok;
  if (auto ok = check_range("heads", by.heads, config.heads()); !ok) return ok;
  if (has_ranks(by.quantity)) {
    if (auto ok = check_range("ranks", by.ranks, config.rank()); !ok) return ok;
  }
  if (by.quantity == Quantity::rotation) {
    if (auto ok = check_range("rotated pairs", by.pairs, config.angles()); !ok) return ok;
  }
  if (by.quantity == Quantity::state) {
    if (by.row < 0 || by.row >= config.headdim || by.channel < 0 || by.channel >= config.d_state) {
      return input_error(fmt::format("A head's state has no cell at row {}, channel {}: it is {} x {}.", by.row,
                                     by.channel, config.headdim, config.d_state));
    }
  }
  if (by.tokens.first >= 0 && (by.tokens.end == -1 || by.tokens.end > by.tokens.first)) return {};
  return input_error(fmt::format("There are no tokens {} to {}; the first is 0.", by.tokens.first, by.tokens.end - 1));
}

SequenceChanges changes_at(std::span<const Intervention> interventions, const ModelConfig& config,
                           std::int64_t position) {
  Composition composition(config);
  for (const Intervention& by : interventions) {
    if (by.tokens.contains(position)) composition.add(by);
  }
  return composition.finish();
}

}  // namespace engine
