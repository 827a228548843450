#include "app/viewmodel/stability_points.h"

#include "app/viewmodel/shown.h"
#include "engine/analysis/rotation.h"

#include <algorithm>
#include <cmath>
#include <complex>

namespace app {

StabilityPoints make_stability_points(const engine::Snapshot& snapshot, const Selection& selection,
                                      std::int64_t index) {
  StabilityPoints points;
  if (snapshot.model == nullptr || index < 0 || index >= static_cast<std::int64_t>(snapshot.tokens.size()))
    return points;
  const engine::ModelConfig& config = snapshot.model->config();
  const engine::StepCoefficients& step = snapshot.tokens[static_cast<std::size_t>(index)]->coefficients;
  const int pairs = std::max(config.angles(), 1);
  constexpr int most = 1500;
  const int total = config.n_layer * config.heads() * pairs, stride = std::max(1, (total + most - 1) / most);
  int count = 0;
  for (int layer = 0; layer < config.n_layer; ++layer) {
    for (int head = 0; head < config.heads(); ++head) {
      const bool selected = layer == selection.layer && head == selection.head;
      const double re = per_head(config, step.a, layer, head) * per_head(config, step.dt, layer, head);
      for (int pair = 0; pair < pairs; ++pair, ++count) {
        if (!selected && count % stride != 0) continue;
        const double im = pair < config.angles() ? -engine::phase_increment(config, step, layer, head, pair) : 0.0;
        if (!std::isfinite(re) || !std::isfinite(im)) continue;
        (selected ? points.head_re : points.re).push_back(re);
        (selected ? points.head_im : points.im).push_back(im);
        points.reach = std::max({points.reach, std::abs(re), std::abs(im)});
        if (selected && std::abs(std::complex<double>(1 + re, im)) > 1) ++points.outside_explicit_euler;
      }
    }
  }
  return points;
}

}  // namespace app
