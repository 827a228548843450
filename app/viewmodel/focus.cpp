#include "app/viewmodel/focus.h"

#include "app/viewmodel/phasors.h"
#include "app/viewmodel/shown.h"
#include "engine/analysis/rotation.h"

#include <algorithm>
#include <cmath>
#include <vector>

namespace app {

namespace {

constexpr int most_symbols = 64;

// Distance of a turn from half a turn, either sense: 0 at +-pi, pi at 0.
double from_half(double radians) { return pi - std::abs(std::remainder(radians, 2 * pi)); }

struct Candidate {
  int layer = 0, head = 0, pair = 0;
  double contrast = 0;
};

double contrast_of(const engine::Snapshot& snapshot, std::size_t first, int layer, int head, int pair, bool by_symbol) {
  const engine::ModelConfig& config = snapshot.model->config();
  std::vector<double> sum(by_symbol ? static_cast<std::size_t>(config.vocab_size) : 1);
  std::vector<int> count(sum.size());
  for (std::size_t t = first; t < snapshot.tokens.size(); ++t) {
    const engine::TokenRecord& record = *snapshot.tokens[t];
    const double turn = engine::phase_increment(config, record.coefficients, layer, head, pair);
    const std::size_t bin = by_symbol ? static_cast<std::size_t>(record.id) : 0;
    if (!std::isfinite(turn) || bin >= sum.size()) continue;
    sum[bin] += by_symbol ? from_half(turn) : std::abs(turn);
    ++count[bin];
  }
  double low = 1e30, high = -1e30;
  for (std::size_t i = 0; i < sum.size(); ++i) {
    if (count[i] == 0) continue;
    const double mean = sum[i] / count[i];
    low = std::min(low, mean);
    high = std::max(high, mean);
  }
  if (high < low) return 0;
  return by_symbol ? high - low : high;
}

// Arithmetic on complex states that one search may spend, so that a model of any size answers within a frame.
constexpr std::size_t energy_budget = 2'000'000;

// How much of the state's energy follows the turns of each candidate pair of one head, (candidates, P).
std::vector<std::vector<double>> followed_energy(const engine::Snapshot& snapshot,
                                                 const std::vector<Candidate>& of_head) {
  const engine::ModelConfig& config = snapshot.model->config();
  const auto rows = static_cast<std::size_t>(config.headdim), pairs = static_cast<std::size_t>(config.d_state / 2);
  std::vector<std::vector<double>> sum(of_head.size(), std::vector<double>(rows));
  const std::size_t total = snapshot.tokens.size();
  const std::size_t tokens = std::clamp<std::size_t>(energy_budget / (8 * rows * pairs), 2, 32);
  std::vector<Complex> before;
  for (std::size_t t = total > tokens ? total - tokens : 0; t < total; ++t) {
    const engine::LayerState* layer = matrix_at(snapshot, static_cast<std::int64_t>(t), of_head.front().layer);
    std::vector<Complex> now;
    if (layer != nullptr) {
      now = engine::complex_state(config, *layer, of_head.front().head, engine::StateFrame::unrotated);
    }
    for (std::size_t c = 0; c < of_head.size() && now.size() == rows * pairs && before.size() == now.size(); ++c) {
      const Candidate& at = of_head[c];
      const double turn = engine::phase_increment(config, snapshot.tokens[t]->coefficients, at.layer, at.head, at.pair);
      const auto pair = static_cast<std::size_t>(at.pair);
      for (std::size_t p = 0; p < rows; ++p) {
        const Complex expected = before[p * pairs + pair] * std::polar(1.0, -turn);
        const double term = (std::conj(expected) * now[p * pairs + pair]).real();
        if (std::isfinite(term)) sum[c][p] += term;
      }
    }
    before = std::move(now);
  }
  return sum;
}

}  // namespace

std::optional<Focus> find_focus(const engine::Snapshot& snapshot, std::size_t max_tokens) {
  if (snapshot.model == nullptr || snapshot.tokens.size() < 2) return std::nullopt;
  const engine::ModelConfig& config = snapshot.model->config();
  const std::size_t total = snapshot.tokens.size();
  const std::size_t first = total > max_tokens ? total - max_tokens : 0;
  const bool by_symbol = config.vocab_size <= most_symbols;

  std::vector<Candidate> all;
  double best = 0;
  for (int layer = 0; layer < config.n_layer; ++layer) {
    for (int head = 0; head < config.heads(); ++head) {
      for (int pair = 0; pair < config.angles(); ++pair) {
        const double contrast = contrast_of(snapshot, first, layer, head, pair, by_symbol);
        if (!(contrast > 0) || contrast < 0.95 * best) continue;
        best = std::max(best, contrast);
        all.push_back({layer, head, pair, contrast});
      }
    }
  }
  all.erase(std::remove_if(all.begin(), all.end(), [&](const Candidate& c) { return c.contrast < 0.95 * best; }),
            all.end());
  if (all.empty()) return std::nullopt;

  std::optional<Focus> focus;
  double most = 0;
  int heads_looked_at = 0;
  for (std::size_t begin = 0; begin < all.size() && heads_looked_at < 8; ++heads_looked_at) {
    std::size_t end = begin;
    while (end < all.size() && all[end].layer == all[begin].layer && all[end].head == all[begin].head) ++end;
    const std::vector<Candidate> of_head(all.begin() + static_cast<std::ptrdiff_t>(begin),
                                         all.begin() + static_cast<std::ptrdiff_t>(end));
    const auto energy = followed_energy(snapshot, of_head);
    for (std::size_t c = 0; c < of_head.size(); ++c) {
      for (std::size_t row = 0; row < energy[c].size(); ++row) {
        if (focus && energy[c][row] <= most) continue;
        most = energy[c][row];
        focus = Focus{of_head[c].layer, of_head[c].head, of_head[c].pair, static_cast<int>(row), of_head[c].contrast};
      }
    }
    begin = end;
  }
  return focus;
}

}  // namespace app
