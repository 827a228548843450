#include "engine/analysis/slope_fit.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <vector>

namespace engine {

double student_t(int degrees) {
  constexpr std::array<double, 8> exact = {12.7062, 4.3027, 3.1824, 2.7764, 2.5706, 2.4469, 2.3646, 2.3060};
  if (degrees <= static_cast<int>(exact.size())) return exact[static_cast<std::size_t>(std::max(degrees, 1) - 1)];
  // The normal quantile with the first terms of Cornish and Fisher's expansion.
  constexpr double z = 1.959964, z3 = z * z * z, z5 = z3 * z * z, z7 = z5 * z * z;
  const double n = degrees;
  return z + (z3 + z) / (4 * n) + (5 * z5 + 16 * z3 + 3 * z) / (96 * n * n) +
         (3 * z7 + 19 * z5 + 17 * z3 - 15 * z) / (384 * n * n * n);
}

SlopeFit fit_slope(std::span<const double> step, std::span<const double> error, std::span<const double> floor,
                   double first, double last) {
  constexpr double nan = std::numeric_limits<double>::quiet_NaN(), slack = 1e-9;
  SlopeFit fit{nan, nan, nan, nan, 0};
  std::vector<double> x, y;
  for (std::size_t i = 0; i < std::min(step.size(), error.size()); ++i) {
    const double low = i < floor.size() ? floor[i] : 0;
    const bool inside = step[i] >= first * (1 - slack) && step[i] <= last * (1 + slack);
    if (!inside || !(step[i] > 0) || !(error[i] > low) || !std::isfinite(error[i])) continue;
    x.push_back(std::log(step[i]));
    y.push_back(std::log(error[i]));
  }
  fit.points = static_cast<int>(x.size());
  if (x.size() < 2) return fit;
  const auto n = static_cast<double>(x.size());
  double mean_x = 0, mean_y = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    mean_x += x[i] / n;
    mean_y += y[i] / n;
  }
  double sxx = 0, sxy = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    sxx += (x[i] - mean_x) * (x[i] - mean_x);
    sxy += (x[i] - mean_x) * (y[i] - mean_y);
  }
  if (!(sxx > 1e-12)) return fit;
  fit.slope = sxy / sxx;
  const auto [low, high] = std::minmax_element(x.begin(), x.end());
  fit.first = std::exp(*low);
  fit.last = std::exp(*high);
  if (x.size() < 3) return fit;
  double residuals = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    const double off = y[i] - mean_y - fit.slope * (x[i] - mean_x);
    residuals += off * off;
  }
  fit.half_width = student_t(fit.points - 2) * std::sqrt(residuals / (n - 2) / sxx);
  return fit;
}

}  // namespace engine
