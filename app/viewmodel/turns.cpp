#include "app/viewmodel/turns.h"

#include "app/viewmodel/in_force.h"
#include "app/viewmodel/shown.h"
#include "engine/analysis/rotation.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <complex>
#include <cstdlib>
#include <limits>

namespace app {

namespace {
// Half and whole turns are what a bit can be written in and are named generously; other fractions lie so close together
// that every angle would be one.
constexpr double half_tolerance_turns = 0.02, fraction_tolerance_turns = 0.008;
constexpr int most_parts = 6;

engine::TurnClass simple_turn(double radians) {
  engine::TurnClass turn = engine::classify_turn(radians, half_tolerance_turns);
  if (turn.denominator == 1 || turn.denominator == 2) return turn;
  turn = engine::classify_turn(radians, fraction_tolerance_turns);
  if (turn.denominator > most_parts) turn.denominator = 0;
  return turn;
}

}  // namespace

bool is_clear_turn(double radians) {
  if (!std::isfinite(radians)) return false;
  const engine::TurnClass turn = simple_turn(radians);
  return turn.denominator != 0 && turn.numerator != 0;
}

std::string turn_label(double radians) {
  if (!is_clear_turn(radians)) return "—";
  const engine::TurnClass turn = simple_turn(radians);
  const int count = std::abs(turn.numerator);
  if (turn.denominator == 1) return count == 1 ? "full turn" : fmt::format("{} turns", count);
  const std::string fraction = count == 1 && turn.denominator == 2   ? "½"
                               : count == 1 && turn.denominator == 4 ? "¼"
                               : count == 3 && turn.denominator == 4 ? "¾"
                                                                     : fmt::format("{}/{}", count, turn.denominator);
  return fraction + " turn";
}

std::vector<TurnRow> turns_at(const engine::Snapshot& snapshot, std::int64_t index, int layer, int head, int window) {
  std::vector<TurnRow> rows;
  if (snapshot.model == nullptr || index < 0 || index >= static_cast<std::int64_t>(snapshot.tokens.size())) return rows;
  const engine::ModelConfig& config = snapshot.model->config();
  const engine::TokenRecord& shown = *snapshot.tokens[static_cast<std::size_t>(index)];
  if (shown.coefficients.turn.empty()) return rows;
  const auto pairs = static_cast<std::size_t>(config.angles());
  std::vector<std::complex<double>> sum(pairs);
  int count = 0;
  for (std::int64_t t = std::max<std::int64_t>(0, index + 1 - window); t <= index; ++t) {
    const engine::TokenRecord& record = *snapshot.tokens[static_cast<std::size_t>(t)];
    if (record.id != shown.id || record.coefficients.turn.empty()) continue;
    ++count;
    for (std::size_t i = 0; i < pairs; ++i) {
      sum[i] += std::polar(1.0, turn_at(snapshot, t, layer, head, static_cast<int>(i)));
    }
  }
  for (std::size_t i = 0; i < pairs; ++i) {
    TurnRow row;
    row.pair = static_cast<int>(i);
    row.turn = turn_at(snapshot, index, layer, head, row.pair);
    row.tokens = count;
    row.concentration = count > 0 ? std::abs(sum[i]) / count : std::numeric_limits<double>::quiet_NaN();
    rows.push_back(row);
  }
  return rows;
}

void sort_turns(std::vector<TurnRow>& rows, TurnOrder order, bool descending) {
  const auto key = [order](const TurnRow& row) {
    return order == TurnOrder::pair ? row.pair : order == TurnOrder::turn ? std::abs(row.turn) : row.concentration;
  };
  std::stable_sort(rows.begin(), rows.end(), [&](const TurnRow& a, const TurnRow& b) {
    const double x = key(a), y = key(b);
    if (std::isnan(x) || std::isnan(y)) return !std::isnan(x) && std::isnan(y);
    return descending ? x > y : x < y;
  });
}

}  // namespace app
