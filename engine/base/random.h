// A small random generator that gives the same numbers on every machine, which the standard distributions do not.
// Generator: xoshiro256** of Blackman and Vigna (2018), its state filled by SplitMix64 from a seed and a stream number.
#pragma once

#include <array>
#include <bit>
#include <cstdint>

namespace engine {

class Random {
 public:
  // Streams of one seed are independent sequences, e.g. one for each generated example.
  explicit Random(std::uint64_t seed, std::uint64_t stream = 0) {
    std::uint64_t mixer = seed;
    mixer = split_mix(mixer) ^ stream;  // both go through the mixing, so that neighbours share nothing
    for (std::uint64_t& word : state_) word = split_mix(mixer);
  }

  std::uint64_t next() {
    const std::uint64_t out = std::rotl(state_[1] * 5, 7) * 9;
    const std::uint64_t shifted = state_[1] << 17U;
    state_[2] ^= state_[0];
    state_[3] ^= state_[1];
    state_[1] ^= state_[2];
    state_[0] ^= state_[3];
    state_[2] ^= shifted;
    state_[3] = std::rotl(state_[3], 45);
    return out;
  }

  // In [0, 1), a multiple of 2^-53.
  double uniform() { return static_cast<double>(next() >> 11U) * 0x1p-53; }

  // In [0, count) without bias; count > 0.
  std::uint64_t below(std::uint64_t count) {
    const std::uint64_t uneven = (0 - count) % count;  // 2^64 mod count: values below it would favour small results
    std::uint64_t value = next();
    while (value < uneven) value = next();
    return value % count;
  }

 private:
  static std::uint64_t split_mix(std::uint64_t& at) {
    at += 0x9E3779B97F4A7C15U;
    std::uint64_t z = at;
    z = (z ^ (z >> 30U)) * 0xBF58476D1CE4E5B9U;
    z = (z ^ (z >> 27U)) * 0x94D049BB133111EBU;
    return z ^ (z >> 31U);
  }

  std::array<std::uint64_t, 4> state_{};
};

}  // namespace engine
