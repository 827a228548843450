#include "app/viewmodel/phasors.h"

#include "app/viewmodel/in_force.h"
#include "app/viewmodel/shown.h"

#include <algorithm>
#include <cmath>

namespace app {

Complex along_step(Complex before, Complex after, double turn, double alpha, double s) {
  const Complex carried_fully = before * std::polar(alpha, -turn);
  const Complex carried = before * std::polar(std::pow(alpha, s), -turn * s);
  return carried + s * (after - carried_fully);
}

PhasorView make_phasors(const engine::Snapshot& snapshot, const Selection& selection, std::int64_t index, int trail) {
  PhasorView view;
  if (snapshot.model == nullptr || matrix_at(snapshot, index, selection.layer) == nullptr) return view;
  const engine::ModelConfig& config = snapshot.model->config();
  view.recorded = true;
  std::int64_t first = index;
  while (first > 0 && index - first + 1 < std::max(trail, 1) &&
         matrix_at(snapshot, first - 1, selection.layer) != nullptr) {
    --first;
  }
  view.first_token = first;
  const auto length = static_cast<std::size_t>(index - first + 1);
  for (int pair = 0; pair < config.d_state / 2; ++pair) {
    PhasorTrack track;
    track.pair = pair;
    track.turns = pair < config.angles();
    track.trail.reserve(length);
    track.turn.reserve(length);
    view.tracks.push_back(std::move(track));
  }
  for (std::int64_t t = first; t <= index; ++t) {
    const std::vector<Complex> row = engine::complex_row(config, *matrix_at(snapshot, t, selection.layer),
                                                         selection.head, selection.row, frame_of(selection.frame));
    const engine::StepCoefficients& step = snapshot.tokens[static_cast<std::size_t>(t)]->coefficients;
    const double alpha = per_head(config, step.alpha, selection.layer, selection.head);
    view.alpha.push_back(std::isfinite(alpha) ? alpha : 1.0);
    for (PhasorTrack& track : view.tracks) {
      const auto at = static_cast<std::size_t>(track.pair);
      const Complex z = at < row.size() ? row[at] : Complex{};
      track.trail.push_back(z);
      double turn = 0;
      if (selection.frame == Frame::unrotated) {
        turn = turn_at(snapshot, t, selection.layer, selection.head, track.pair);
      }
      track.turn.push_back(std::isfinite(turn) ? turn : 0.0);
      const double magnitude = std::abs(z);
      if (std::isfinite(magnitude)) view.radius = std::max(view.radius, magnitude);
    }
  }
  return view;
}

}  // namespace app
