// Where to look for the last candidate of a draw: ids sorted coarsely by their probability, into buckets of 1/48 octave,
// so that those of usual logits spread; and between which ranks a bucket's ids lie. Plain arithmetic, tested on the host.
// C++17, as device code includes it.
#pragma once

#include "kernels/sample/draw.h"

#include <cmath>
#include <cstdint>
#include <limits>

namespace kernels {

constexpr int buckets_per_octave = 48;
constexpr int bucket_count = 2048;  // of which the octaves that have masses take 1969 or so

// Of an id that has a mass; rises as the logit falls.
constexpr unsigned bucket_of(double exponent) { return static_cast<unsigned>(-exponent * buckets_per_octave); }

// A range of ranks that is divided into bins, best first, of which one becomes the next range; ends with a single rank.
struct RankRange {
  std::uint64_t lowest = 0, highest = 0;  // both included
  int shift = 0;                          // log2 of the ranks in a bin

  constexpr bool has(std::uint64_t rank) const { return rank >= lowest && rank <= highest; }
  // So that all bins are used, or each rank has one of its own.
  constexpr void divide() {
    shift = 0;
    while ((highest - lowest) >> static_cast<unsigned>(shift) >= bucket_count) ++shift;
  }
  constexpr int bin_of(std::uint64_t rank) const {
    return static_cast<int>((highest - rank) >> static_cast<unsigned>(shift));
  }
  constexpr void narrow(int bin) {
    highest -= static_cast<std::uint64_t>(bin) << static_cast<unsigned>(shift);
    const std::uint64_t width = std::uint64_t{1} << static_cast<unsigned>(shift);
    if (highest - lowest >= width) lowest = highest - width + 1;
  }
};

// The candidates of a draw, once the search has ended.
struct Candidates {
  static constexpr unsigned all = ~0U;
  unsigned bucket = all;     // of the last candidate
  std::uint64_t lowest = 0;  // at most its rank, and above the next one's of its bucket

  constexpr bool have(unsigned its_bucket, std::uint64_t rank) const {
    return its_bucket < bucket || (its_bucket == bucket && rank >= lowest);
  }
};

// Contains the rank of every id of a bucket, and as few others as rounding allows.
constexpr RankRange ranks_of_bucket(unsigned bucket, float best, double scale, int id_bits) {
  constexpr double most = std::numeric_limits<float>::max();
  constexpr std::uint64_t ulps = 2;  // rounding to float is less than one
  const double width = 1 / (scale * buckets_per_octave);
  const double far = (bucket + 1) * width;
  // The exponent and these lines round to 2^-53 of what they compute.
  const double slack = 1e-9 * width + 1e-15 * ((best < 0 ? -best : best) + far);
  double low = best - far - slack, high = best - bucket * width + slack;
  if (low < -most) low = -most;
  if (high > most) high = most;
  return {(key_of(static_cast<float>(low)) - ulps) << static_cast<unsigned>(id_bits),
          ((key_of(static_cast<float>(high)) + ulps + 1) << static_cast<unsigned>(id_bits)) - 1, 0};
}

}  // namespace kernels
