#include "app/viewmodel/lab_difference.h"

#include "engine/analysis/trajectory.h"

#include <algorithm>
#include <cmath>

namespace app {

LabDifference make_lab_difference(const LabStudy& study) {
  LabDifference out;
  out.time = study.time;
  engine::SignalProblem problem = study.settings.problem;
  problem.duration = study.duration;
  const engine::Trajectory exact = engine::make_trajectory(problem, {}, study.settings.lambda, study.settings.dt);
  for (const LabRule& rule : study.rules) {
    LabDifference::Rule& to = out.rules.emplace_back();
    to.kind = rule.kind;
    for (std::size_t i = 0; i < std::min(exact.exact.size(), rule.re.size()); ++i) {
      to.re.push_back(rule.re[i] - exact.exact[i].real());
      to.im.push_back(rule.im[i] - exact.exact[i].imag());
      to.size.push_back(std::hypot(to.re.back(), to.im.back()));
    }
  }
  return out;
}

}  // namespace app
