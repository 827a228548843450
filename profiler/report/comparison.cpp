#include "profiler/report/comparison.h"

#include "profiler/report/distribution.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <random>

namespace profiler {

namespace {

constexpr std::size_t most_exact = 20;

// How many of the orders of n and m values without ties give each U: counts[u], by Mann and Whitney's recurrence.
std::vector<double> orders(std::size_t n, std::size_t m) {
  // table[j][u] for i values of the first sample and j of the second.
  std::vector<std::vector<double>> table(m + 1, std::vector<double>(n * m + 1));
  for (auto& row : table) row[0] = 1;  // none of the first: U is 0
  for (std::size_t i = 1; i <= n; ++i) {
    std::vector<std::vector<double>> next(m + 1, std::vector<double>(n * m + 1));
    next[0][0] = 1;
    for (std::size_t j = 1; j <= m; ++j)
      for (std::size_t u = 0; u <= i * j; ++u) next[j][u] = (u >= j ? table[j][u - j] : 0) + next[j - 1][u];
    table = std::move(next);
  }
  return table[m];
}

double exact_p(double u, std::size_t n, std::size_t m) {
  const std::vector<double> counts = orders(n, m);
  const double all = std::accumulate(counts.begin(), counts.end(), 0.0);
  const double other = static_cast<double>(n * m) - u;
  const auto least = static_cast<std::size_t>(std::min(u, other));
  const double tail = std::accumulate(counts.begin(), counts.begin() + static_cast<std::ptrdiff_t>(least) + 1, 0.0);
  return std::min(1.0, 2 * tail / all);
}

bool is_exact(std::size_t n, std::size_t m) { return n <= most_exact && m <= most_exact; }

// `ties`: the sum of t^3 - t over groups of t equal values.
double normal_p(double u, std::size_t n, std::size_t m, double ties) {
  const auto nd = static_cast<double>(n), md = static_cast<double>(m), total = nd + md;
  const double variance = nd * md / 12 * (total + 1 - ties / (total * (total - 1)));
  if (!(variance > 0)) return 1;
  const double distance = std::max(0.0, std::abs(u - nd * md / 2) - 0.5);
  return std::min(1.0, std::erfc(distance / std::sqrt(2 * variance)));
}

double median_of(std::vector<double>& values) {
  const std::size_t half = values.size() / 2;
  std::nth_element(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(half), values.end());
  if (values.size() % 2 == 1) return values[half];
  return (*std::max_element(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(half)) + values[half]) / 2;
}

void resample(std::span<const double> from, std::vector<double>& to, std::mt19937_64& random) {
  const std::size_t size = from.size();
  const auto block = std::max<std::size_t>(1, static_cast<std::size_t>(std::lround(std::cbrt(size))));
  to.clear();
  while (to.size() < size) {
    std::size_t at = random() % size;
    for (std::size_t i = 0; i < block && to.size() < size; ++i, at = at + 1 == size ? 0 : at + 1)
      to.push_back(from[at]);
  }
}

}  // namespace

RankTest mann_whitney(std::span<const double> first, std::span<const double> second) {
  RankTest out;
  const std::size_t n = first.size(), m = second.size();
  if (n == 0 || m == 0) return out;
  struct Value {
    double value;
    bool of_first;
  };
  std::vector<Value> all;
  all.reserve(n + m);
  for (const double value : first) all.push_back({value, true});
  for (const double value : second) all.push_back({value, false});
  std::sort(all.begin(), all.end(), [](const Value& a, const Value& b) { return a.value < b.value; });
  double rank_sum = 0, ties = 0;
  bool tied = false;
  for (std::size_t begin = 0; begin < all.size();) {
    std::size_t end = begin;
    while (end < all.size() && all[end].value == all[begin].value) ++end;
    const double rank = static_cast<double>(begin + 1 + end) / 2, count = static_cast<double>(end - begin);
    for (std::size_t i = begin; i < end; ++i)
      if (all[i].of_first) rank_sum += rank;
    ties += count * count * count - count;
    tied = tied || end - begin > 1;
    begin = end;
  }
  const auto nd = static_cast<double>(n);
  out.u = rank_sum - nd * (nd + 1) / 2;
  out.exact = !tied && is_exact(n, m);
  out.p = out.exact ? exact_p(out.u, n, m) : normal_p(out.u, n, m, ties);
  return out;
}

double least_p(std::size_t first, std::size_t second) {
  return is_exact(first, second) ? exact_p(0, first, second) : normal_p(0, first, second, 0);
}

std::vector<double> holm(std::span<const double> p) {
  std::vector<std::size_t> order(p.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return p[a] < p[b]; });
  std::vector<double> out(p.size());
  double largest = 0;
  for (std::size_t i = 0; i < order.size(); ++i) {
    largest = std::max(largest, p[order[i]] * static_cast<double>(p.size() - i));
    out[order[i]] = std::min(1.0, largest);
  }
  return out;
}

RatioInterval ratio_of_medians(std::span<const double> first, std::span<const double> second, std::uint64_t seed,
                               int resamples, double confidence) {
  RatioInterval out;
  if (first.empty() || second.empty()) return out;
  std::vector<double> a(first.begin(), first.end()), b(second.begin(), second.end());
  const double of_first = median_of(a);
  if (!(of_first > 0)) return out;
  out.ratio = median_of(b) / of_first;
  if (first.size() == 1 || second.size() == 1) return out;
  std::mt19937_64 random(seed);
  std::vector<double> ratios;
  for (int i = 0; i < resamples; ++i) {
    resample(first, a, random);
    resample(second, b, random);
    if (const double below = median_of(a); below > 0) ratios.push_back(median_of(b) / below);
  }
  out.low = quantile(ratios, (1 - confidence) / 2);
  out.high = quantile(ratios, (1 + confidence) / 2);
  return out;
}

}  // namespace profiler
