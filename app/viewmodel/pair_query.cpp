#include "app/viewmodel/pair_query.h"

#include "app/viewmodel/numbers.h"
#include "app/viewmodel/word_filter.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>
#include <utility>

namespace app {

namespace {

using engine::PairMeasure;
using engine::PairQuery;

constexpr std::array<PairPreset, 10> presets{{
    {"half a turn", "Pairs that this token turns by half, either sense: what a bit can be written in."},
    {"a third", "Pairs that this token turns by a third."},
    {"a quarter", "Pairs that this token turns by a quarter."},
    {"a fifth", "Pairs that this token turns by a fifth: a digit modulo 5."},
    {"stands still", "Pairs that this token leaves alone, or turns by whole turns."},
    {"largest turn", "Pairs by how far this token turns them, whole turns included."},
    {"slowest decay", "Heads by their half-life at this token."},
    {"largest change", "Pairs by how much their state changed in this step, in the chosen frame, over all rows."},
    {"largest state", "Pairs by the size of their state, over all rows."},
    {"largest accumulated angle", "Pairs by the turns that they have gathered since the first token."},
}};

bool has(std::string_view text, std::string_view word) { return text.find(word) != std::string_view::npos; }

// A number at the front of `text`, "1/5" included; what follows it is left in `text`.
std::optional<double> leading_number(std::string& text) {
  const char* begin = text.c_str();
  char* end = nullptr;
  double value = std::strtod(begin, &end);
  if (end == begin) return std::nullopt;
  if (*end == '/') {
    char* after = nullptr;
    const double below = std::strtod(end + 1, &after);
    if (after == end + 1 || below == 0) return std::nullopt;
    value /= below;
    end = after;
  }
  text.erase(0, static_cast<std::size_t>(end - begin));
  return value;
}

// The part of a turn in [0, 1/2] that the turn looks like.
double part_of(double turns) { return std::abs(std::remainder(turns, 1.0)); }

// "1/5" where it is one, else "0.137".
std::string part_text(double turns) {
  for (int below = 1; below <= 12; ++below) {
    const double above = std::round(turns * below);
    if (std::abs(turns * below - above) < 1e-9) return below == 1 ? "0" : fmt::format("{:.0f}/{}", above, below);
  }
  return number_text(turns, 3);
}

}  // namespace

std::span<const PairPreset> pair_presets() { return presets; }

std::optional<PairQuery> parse_pair_query(std::string_view words) {
  std::string text = lower(words);
  text.erase(0, std::min(text.find_first_not_of(' '), text.size()));
  PairQuery query;
  const auto of = [&](PairMeasure measure) {
    query.measure = measure;
    return std::optional(query);
  };
  if (has(text, "decay") || has(text, "memory") || has(text, "half-life") || has(text, "remember"))
    return of(has(text, "fast") || has(text, "short") ? PairMeasure::fastest_decay : PairMeasure::slowest_decay);
  if (has(text, "change")) return of(PairMeasure::largest_change);
  if (has(text, "accumul") || has(text, "wind") || has(text, "gather")) return of(PairMeasure::largest_winding);
  if (has(text, "state") || has(text, "size")) return of(PairMeasure::largest_state);
  if (has(text, "largest turn") || has(text, "most") || has(text, "fast")) return of(PairMeasure::largest_turn);
  query.measure = PairMeasure::turn_near;
  if (std::string rest = text; const auto number = leading_number(rest)) {
    const double turns = has(rest, "°") || has(rest, "deg") ? *number / 360
                         : has(rest, "rad")                 ? *number / (2 * 3.14159265358979323846)
                                                            : *number;
    if (!std::isfinite(turns)) return std::nullopt;
    query.turns = part_of(turns);
    return query;
  }
  constexpr std::array<std::pair<const char*, double>, 10> names{{{"half", 0.5},
                                                                  {"third", 1.0 / 3},
                                                                  {"quarter", 0.25},
                                                                  {"fourth", 0.25},
                                                                  {"fifth", 0.2},
                                                                  {"sixth", 1.0 / 6},
                                                                  {"eighth", 0.125},
                                                                  {"still", 0},
                                                                  {"whole", 0},
                                                                  {"full", 0}}};
  for (const auto& [name, turns] : names) {
    if (!has(text, name)) continue;
    query.turns = turns;
    if (has(text, "two ") && turns > 0) query.turns = part_of(2 * turns);
    return query;
  }
  return std::nullopt;
}

std::string describe(const PairQuery& query) {
  switch (query.measure) {
    case PairMeasure::turn_near:
      return fmt::format("|Δθ| next to {} of a turn", part_text(query.turns));
    case PairMeasure::largest_turn:
      return "largest |Δθ|";
    case PairMeasure::slowest_decay:
      return "heads, longest half-life";
    case PairMeasure::fastest_decay:
      return "heads, shortest half-life";
    case PairMeasure::largest_change:
      return query.frame == engine::StateFrame::unrotated ? "largest |Δz|, un-rotated" : "largest |Δz|, stored";
    case PairMeasure::largest_state:
      return "largest |z|";
    case PairMeasure::largest_winding:
      return "largest accumulated |θ|";
  }
  return {};
}

std::string hit_text(const PairQuery& query, const engine::PairHit& hit) {
  switch (query.measure) {
    case PairMeasure::turn_near:
    case PairMeasure::largest_turn:
      return number_text(hit.value, 3) + " turn";
    case PairMeasure::largest_winding:
      return number_text(hit.value, 4) + " turns";
    case PairMeasure::slowest_decay:
    case PairMeasure::fastest_decay:
      return std::isinf(hit.value) ? "∞ tokens" : number_text(hit.value, 3) + " tokens";
    case PairMeasure::largest_change:
    case PairMeasure::largest_state:
      break;
  }
  return number_text(hit.value, 3);
}

PairFinds find_pairs(const engine::Snapshot& snapshot, std::int64_t index, const PairQuery& query, std::size_t most) {
  PairFinds finds;
  if (snapshot.model == nullptr || index < 0 || index >= static_cast<std::int64_t>(snapshot.tokens.size()))
    return finds;
  const engine::ModelConfig& config = snapshot.model->config();
  const engine::TokenRecord& shown = *snapshot.tokens[static_cast<std::size_t>(index)];
  engine::PairEvidence evidence{&shown.coefficients, shown.state.get(), nullptr};
  // Before the first token the state is zero: it stands for itself.
  engine::SequenceState zero;
  if (index > 0) {
    evidence.before = snapshot.tokens[static_cast<std::size_t>(index) - 1]->state.get();
  } else if (shown.state != nullptr) {
    zero = *shown.state;
    for (engine::LayerState& layer : zero.layers) {
      for (auto* values : {&layer.angle, &layer.ssm, &layer.k, &layer.v})
        std::fill(values->begin(), values->end(), 0.0F);
      std::fill(layer.turns.begin(), layer.turns.end(), 0);
    }
    evidence.before = &zero;
  }
  finds.hits = engine::search_pairs(config, evidence, query, most);
  finds.layers = engine::searched_layers(config, evidence, query);
  return finds;
}

}  // namespace app
