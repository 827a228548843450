// The slope of a line through points on two logarithmic axes, with its confidence. Pure.
#pragma once

#include <span>

namespace engine {

// Least squares of log(error) on log(step). `half_width`: of the 95 % interval of Student's t with points - 2 degrees of
// freedom. The residuals of a convergence plot are curvature rather than chance: a wide interval says that the points
// are not on a line, so that the range holds more than one order or none.
struct SlopeFit {
  double slope = 0, half_width = 0;  // NaN below two and three points
  double first = 0, last = 0;        // smallest and largest step that the fit used; NaN without a slope
  int points = 0;
};

// Over the points whose step lies in [first, last] (both included, to rounding) and whose error is finite and above its
// floor; floors may be empty: 0.
SlopeFit fit_slope(std::span<const double> step, std::span<const double> error, std::span<const double> floor,
                   double first, double last);

// The 97.5 % quantile of Student's t distribution, degrees of freedom >= 1; within 1e-3.
double student_t(int degrees);

}  // namespace engine
