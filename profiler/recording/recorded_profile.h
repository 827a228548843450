// A profile as it is kept: the measured tokens, the plan that they ran and everything that a reader must know to trust
// them, in plain values. The profiler knows no model: a stage's kind is a word, the model's shape is a list of named numbers.
#pragma once

#include "profiler/activity/stage_time.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace profiler {

struct RecordedStage {
  int layer = -1;    // -1: before the first or after the last layer
  std::string kind;  // "state_update"
  std::uint64_t bytes_read = 0, bytes_written = 0, flops = 0;
};

// The same steps without CUPTI in a second process: medians of a step's wall time. `problem`: why it wasn't measured.
struct RecordedCost {
  double wall_us_with = 0, wall_us_without = 0;
  std::string problem;
};

// Hardware counters of one token's stages.
struct RecordedCounters {
  std::string chip, library;
  std::vector<std::string> metrics, missing;  // counted; not known on the chip
  std::size_t passes = 0, dropped = 0;
  double seconds = 0;
  bool same_bits = false;
  std::vector<std::vector<double>> values;  // (metrics)(stages); NaN: not counted
};

// Hardware counters sampled over some tokens, one entry a sample: its token, when it began, from the first sample with work of
// its token, and what it read.
struct RecordedSamples {
  std::string chip, library;
  std::vector<std::string> metrics, missing;  // sampled; not
  std::int64_t interval_ns = 0;
  bool overflow = false;
  std::vector<std::uint32_t> tokens;
  std::vector<std::int64_t> start_ns;
  std::vector<std::vector<double>> values;  // (metrics)(samples); NaN: none
};

struct RecordedProfile {
  std::string program;                  // "mambascope 0.1.0"
  std::string recorded_at;              // UTC: "2026-11-23T11:20:00Z"
  std::string model, variant, weights;  // weights: their type, "bf16"
  std::string backend, device, detail, products, state;
  bool is_gpu = false, graph = false;
  bool ahead = false;  // each step was queued while the one before it ran
  int threads = 1, batch = 1, warmup = 0;
  std::uint64_t seed = 0;
  std::vector<std::pair<std::string, double>> shape;  // of the model: ("d_model", 768), ...
  ProfilerStatus status;
  double copy_bytes_per_second = 0;  // of the device, read and written bytes counted; 0: not measured
  double fp32_flops_per_second = 0;  // the most that the device can do, as peak_source says; 0: not known
  std::string peak_source;
  std::optional<RecordedCost> cost;
  std::optional<RecordedCounters> counters;
  std::optional<RecordedSamples> samples;
  std::vector<RecordedStage> stages;  // by id
  std::vector<std::string> names;     // of kernels; a piece's name is an index, 0: none
  std::vector<std::shared_ptr<const TokenTimes>> tokens;
};

}  // namespace profiler
