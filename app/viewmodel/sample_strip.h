// Hardware samples as they are drawn below the kernels of a token: readings over time, on the axis of the kernels. Pure.
#pragma once

#include "app/wiring/token_samples.h"
#include "profiler/report/statistics.h"

#include <cstdint>
#include <string>
#include <vector>

namespace app {

struct SampleStrip {
  std::int64_t token = -1;  // that was sampled, in another run of the same steps; -1: none was
  bool own = false;         // it is the token that was asked for
  bool apart = false;       // a live model's: of steps of their own, and of no token here
  double interval_us = 0;
  std::vector<std::string> names;             // "DRAM read"
  std::vector<double> start_us;               // of each sample, from the token's first piece of work
  std::vector<std::vector<double>> percents;  // (names)(samples), of the peak; NaN: none

  bool empty() const { return start_us.empty(); }
  // The sample at a time; -1: none.
  int at(double us) const;
};

// Of the token where it was sampled, else of the first that was.
SampleStrip make_sample_strip(const TokenSamples& samples, std::int64_t token);

// The samples of a token and where they begin.
struct PlacedStrip {
  SampleStrip strip;
  double after_start_us = 0;  // its first piece of work, from the start of the token's step
};
// Of every sampled token that is among `tokens`, in the order of the samples.
std::vector<PlacedStrip> place_sample_strips(const TokenSamples& samples, profiler::Tokens tokens);

}  // namespace app
