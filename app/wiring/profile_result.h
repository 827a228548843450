// A profile in the program's terms: the measured steps, the plan they ran, and what must be known to trust them. Made by a
// measurement or from a recorded file; everything that prints, draws or compares profiles takes it.
#pragma once

#include "app/wiring/stage_counters.h"
#include "app/wiring/token_samples.h"
#include "engine/backend/backend.h"
#include "engine/model/config.h"
#include "profiler/activity/stage_time.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace app {

// The same steps in a second process without CUPTI: what profiling costs.
struct ProfilingCost {
  double wall_us_with = 0, wall_us_without = 0;  // medians
  std::string problem;                           // why it could not be measured; empty: it was
};

struct ProfileResult {
  std::string model;
  engine::ModelConfig config;
  std::string weights;  // their type: "bf16"
  engine::BackendInfo backend;
  engine::StepPlan plan;
  bool ahead = false;  // each step was queued while the one before it ran; else each was waited for
  int warmup = 0;
  std::uint64_t seed = 0;
  profiler::ProfilerStatus status;
  std::vector<std::shared_ptr<const profiler::TokenTimes>> tokens;
  std::vector<std::string> kernels;  // by stage: name of its longest piece; empty: none
  std::vector<std::string> names;    // of kernels, by the number that a piece carries; [0] is empty
  std::optional<ProfilingCost> cost;
  std::optional<StageCounters> counters;  // of one token, where they were counted
  std::optional<TokenSamples> samples;    // of some tokens, where they were sampled
  double copy_bytes_per_second = 0;       // of the device, read and written bytes counted; 0: not measured

  std::string program;      // that measured it: "mambascope 0.1.0"
  std::string recorded_at;  // UTC: "2026-11-23T11:20:00Z"
  std::string recording;    // the name of the file that it was read from; empty: measured now

  // "recorded on DEVICE, DATE"; empty: measured now.
  std::string recorded_words() const {
    return recording.empty() ? std::string() : "recorded on " + backend.device + ", " + recorded_at.substr(0, 10);
  }
  // How the steps of a GPU followed each other; empty: a CPU's, which follow each other in one way only.
  const char* queued_words() const {
    return !backend.is_gpu ? "" : ahead ? "each step queued while the one before it ran" : "each step waited for";
  }
};

}  // namespace app
