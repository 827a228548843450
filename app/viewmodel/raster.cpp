#include "app/viewmodel/raster.h"

#include "app/viewmodel/shown.h"
#include "engine/analysis/rotation.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace app {

using engine::Complex;

PhaseRaster make_phase_raster(const engine::Snapshot& snapshot, const Selection& selection, std::int64_t index,
                              int max_tokens, bool all_pairs) {
  PhaseRaster raster;
  if (snapshot.model == nullptr || index < 0 || index >= static_cast<std::int64_t>(snapshot.tokens.size())) {
    return raster;
  }
  const engine::ModelConfig& config = snapshot.model->config();
  raster.pairs = all_pairs ? config.d_state / 2 : config.angles();
  raster.first_token = std::max<std::int64_t>(0, index + 1 - std::max(max_tokens, 1));
  raster.tokens = static_cast<int>(index + 1 - raster.first_token);
  const auto cells = static_cast<std::size_t>(raster.pairs) * static_cast<std::size_t>(raster.tokens);
  raster.phase.assign(cells, std::numeric_limits<float>::quiet_NaN());
  raster.magnitude.assign(cells, 0.0F);
  for (int column = 0; column < raster.tokens; ++column) {
    const engine::LayerState* state = matrix_at(snapshot, raster.first_token + column, selection.layer);
    if (state == nullptr) continue;
    ++raster.recorded;
    const std::vector<Complex> row =
        engine::complex_row(config, *state, selection.head, selection.row, frame_of(selection.frame));
    for (int pair = 0; pair < raster.pairs && static_cast<std::size_t>(pair) < row.size(); ++pair) {
      const Complex z = row[static_cast<std::size_t>(pair)];
      const auto magnitude = static_cast<float>(std::abs(z));
      const auto at =
          static_cast<std::size_t>(pair) * static_cast<std::size_t>(raster.tokens) + static_cast<std::size_t>(column);
      if (!std::isfinite(magnitude)) {
        raster.magnitude[at] = std::numeric_limits<float>::quiet_NaN();
        continue;
      }
      raster.phase[at] = static_cast<float>(std::arg(z));
      raster.magnitude[at] = magnitude;
      raster.largest = std::max(raster.largest, magnitude);
    }
  }
  return raster;
}

StateMatrix make_state_matrix(const engine::Snapshot& snapshot, const Selection& selection, std::int64_t index) {
  StateMatrix matrix;
  const engine::LayerState* state = matrix_at(snapshot, index, selection.layer);
  if (snapshot.model == nullptr || state == nullptr) return matrix;
  const engine::ModelConfig& config = snapshot.model->config();
  matrix.rows = config.headdim;
  matrix.columns = config.d_state;
  matrix.values.resize(static_cast<std::size_t>(matrix.rows) * static_cast<std::size_t>(matrix.columns));
  double squares = 0;
  const std::vector<Complex> all = engine::complex_state(config, *state, selection.head, frame_of(selection.frame));
  if (all.size() * 2 != matrix.values.size()) return {};
  for (int p = 0; p < matrix.rows; ++p) {
    for (int pair = 0; pair < config.d_state / 2; ++pair) {
      const Complex z = all[static_cast<std::size_t>(p) * static_cast<std::size_t>(config.d_state / 2) +
                            static_cast<std::size_t>(pair)];
      const std::size_t row = static_cast<std::size_t>(p) * static_cast<std::size_t>(matrix.columns);
      matrix.values[row + static_cast<std::size_t>(config.pair_first(pair))] = static_cast<float>(z.real());
      matrix.values[row + static_cast<std::size_t>(config.pair_second(pair))] = static_cast<float>(z.imag());
    }
  }
  for (const float value : matrix.values) {
    if (!std::isfinite(value)) {
      ++matrix.not_finite;
      continue;
    }
    matrix.largest = std::max(matrix.largest, std::abs(value));
    squares += static_cast<double>(value) * static_cast<double>(value);
  }
  matrix.norm = std::sqrt(squares);
  return matrix;
}

MemoryView make_memory(const engine::Snapshot& snapshot, const Selection& selection, std::int64_t index,
                       int max_tokens) {
  MemoryView view;
  if (snapshot.model == nullptr || index < 0 || index >= static_cast<std::int64_t>(snapshot.tokens.size())) return view;
  const engine::ModelConfig& config = snapshot.model->config();
  const std::int64_t first = std::max<std::int64_t>(0, index + 1 - std::max(max_tokens, 1));
  double log_retained = 0;
  for (std::int64_t t = first; t <= index; ++t) {
    const engine::StepCoefficients& step = snapshot.tokens[static_cast<std::size_t>(t)]->coefficients;
    const double alpha = per_head(config, step.alpha, selection.layer, selection.head);
    if (t > first) log_retained += std::log(alpha);  // -inf where all is forgotten, NaN where alpha is
    view.token.push_back(static_cast<double>(t));
    view.retained.push_back(std::exp(log_retained));
    view.half_life.push_back(engine::half_life_tokens(alpha));
    const engine::LayerState* state = layer_at(snapshot, t, selection.layer);
    const double turns = state == nullptr ? std::numeric_limits<double>::quiet_NaN()
                                          : engine::winding(config, *state, selection.head, selection.pair);
    view.turns.push_back(turns);
  }
  const auto steps = static_cast<double>(view.token.size()) - 1;
  view.mean_half_life = steps > 0 ? engine::half_life_tokens(std::exp(log_retained / steps))
                                  : (view.half_life.empty() ? 0 : view.half_life.back());
  return view;
}

}  // namespace app
