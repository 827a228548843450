#include "profiler/report/distribution.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace profiler {

namespace {

std::vector<double> sorted(std::span<const double> values) {
  std::vector<double> out(values.begin(), values.end());
  std::sort(out.begin(), out.end());
  return out;
}

double at_share(const std::vector<double>& sorted, double share) {
  if (sorted.empty()) return 0;
  const double place = std::clamp(share, 0.0, 1.0) * static_cast<double>(sorted.size() - 1);
  const auto below = static_cast<std::size_t>(place);
  if (below + 1 >= sorted.size()) return sorted.back();
  return sorted[below] + (place - static_cast<double>(below)) * (sorted[below + 1] - sorted[below]);
}

double smallest_difference(const std::vector<double>& sorted) {
  double tick = std::numeric_limits<double>::infinity();
  for (std::size_t i = 1; i < sorted.size(); ++i)
    if (sorted[i] > sorted[i - 1]) tick = std::min(tick, sorted[i] - sorted[i - 1]);
  return std::isfinite(tick) ? tick : 1;
}

}  // namespace

double quantile(std::span<const double> values, double share) { return at_share(sorted(values), share); }

namespace {

Outliers outliers_in(const Series& series, const Spread& spread, double tick) {
  Outliers out;
  out.median_ns = spread.median;
  out.sigma_ns = std::max({1.4826 * spread.mad, 0.01 * spread.median, tick});
  out.limit_ns = out.median_ns + outlier_sigmas * out.sigma_ns;
  for (std::size_t i = 0; i < series.times_ns.size(); ++i) {
    const double time = series.times_ns[i];
    if (time > out.limit_ns && out.sigma_ns > 0)
      out.found.push_back({series.tokens[i], time, (time - out.median_ns) / out.sigma_ns});
  }
  std::stable_sort(out.found.begin(), out.found.end(),
                   [](const Outlier& a, const Outlier& b) { return a.time_ns > b.time_ns; });
  return out;
}

Histogram histogram_in(std::vector<double> values, std::size_t outliers, std::size_t most_bins) {
  Histogram out;
  if (values.empty() || most_bins == 0) return out;
  out.above = outliers;
  values.resize(values.size() - out.above);  // the median itself is none: some are left
  const double low = values.front(), high = values.back(), tick = smallest_difference(values);
  const double spread = at_share(values, 0.75) - at_share(values, 0.25);
  const double wanted = 2 * spread / std::cbrt(static_cast<double>(values.size()));
  const double least = (high - low) / static_cast<double>(most_bins);
  out.low_ns = low;
  out.width_ns = std::max(1.0, std::ceil(std::max(wanted, least) / tick * (1 - 1e-12))) * tick;
  const auto bins = static_cast<std::size_t>((high - low) / out.width_ns * (1 + 1e-12)) + 1;
  out.counts.resize(std::min(bins, most_bins + 1));
  for (const double value : values) {
    const auto bin = static_cast<std::size_t>((value - low) / out.width_ns * (1 + 1e-12));
    ++out.counts[std::min(bin, out.counts.size() - 1)];
  }
  return out;
}

}  // namespace

Distribution distribution_of(const Series& series, std::size_t most_bins) {
  Distribution out;
  std::vector<double> values = sorted(series.times_ns);
  out.spread = spread_of_sorted(values);
  out.outliers = outliers_in(series, out.spread, smallest_difference(values));
  out.histogram = histogram_in(std::move(values), out.outliers.found.size(), most_bins);
  return out;
}

Outliers outliers_of(const Series& series) { return distribution_of(series, 0).outliers; }

Histogram histogram_of(const Series& series, std::size_t most_bins) {
  return distribution_of(series, most_bins).histogram;
}

}  // namespace profiler
