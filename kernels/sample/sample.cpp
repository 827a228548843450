// A draw on the host: what the device's is compared with.
#include "kernels/sample/sample.h"

#include <algorithm>
#include <functional>
#include <vector>

namespace kernels {

namespace {

// The upper half of the product.
std::uint64_t share_of(std::uint64_t number, std::uint64_t total) {
  __extension__ using Wide = unsigned __int128;
  return static_cast<std::uint64_t>((static_cast<Wide>(number) * total) >> 64U);
}

}  // namespace

std::int32_t sample(const float* logits, std::int32_t count, const DrawRule& rule, std::uint64_t position) {
  using Kind = DrawRule::Kind;
  const int bits = id_bits_of(count);
  std::uint64_t best_rank = 0;
  for (std::int32_t i = 0; i < count; ++i) best_rank = std::max(best_rank, rank_of(logits[i], i, bits));
  const std::int32_t best_id = id_of_rank(best_rank, bits);
  const float best = logits[best_id];
  if (rule.kind == Kind::best || !is_finite(best)) return best_id;

  std::vector<std::uint64_t> masses(static_cast<std::size_t>(count));
  std::uint64_t total = 0;
  for (std::int32_t i = 0; i < count; ++i) {
    total += masses[static_cast<std::size_t>(i)] = mass_of(exponent_of(logits[i], best, rule.scale));
  }

  std::uint64_t lowest = 0;  // rank of the last candidate
  if (rule.kind != Kind::all) {
    std::vector<std::uint64_t> ranks;
    ranks.reserve(masses.size());
    for (std::int32_t i = 0; i < count; ++i) {
      if (masses[static_cast<std::size_t>(i)] > 0) ranks.push_back(rank_of(logits[i], i, bits));
    }
    const bool by_count = rule.kind == Kind::top_count;
    const std::uint64_t goal = by_count ? static_cast<std::uint64_t>(rule.count) : mass_to_reach(rule.share, total);
    if (!by_count || goal < ranks.size()) {
      // The last candidate: halves of what is left, the better one first, as long as there are two.
      auto begin = ranks.begin(), end = ranks.end();
      for (std::uint64_t reached = 0; end - begin > 1;) {
        const auto middle = begin + (end - begin) / 2;
        std::nth_element(begin, middle, end, std::greater<>());
        std::uint64_t sum = reached;
        for (auto at = begin; at != middle; ++at)
          sum += by_count ? 1 : masses[static_cast<std::size_t>(id_of_rank(*at, bits))];
        if (sum >= goal) {
          end = middle;
        } else {
          begin = middle;
          reached = sum;
        }
      }
      lowest = *begin;
      total = 0;
      for (std::int32_t i = 0; i < count; ++i) {
        if (rank_of(logits[i], i, bits) >= lowest) total += masses[static_cast<std::size_t>(i)];
      }
    }
  }

  const std::uint64_t target = share_of(first_number(rule.seed, position), total);
  std::uint64_t running = 0;
  for (std::int32_t i = 0; i < count; ++i) {
    if (rank_of(logits[i], i, bits) >= lowest) running += masses[static_cast<std::size_t>(i)];
    if (running > target) return i;
  }
  return best_id;  // not reached: the target is below the sum
}

}  // namespace kernels
