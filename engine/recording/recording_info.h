// What a recording says about itself beside its numbers: which model ran, where, when, and what was kept of each token.
// Plain values; recording_text.h writes and reads them.
#pragma once

#include "engine/backend/backend.h"
#include "engine/intervention/intervention.h"
#include "engine/model/model.h"
#include "engine/plan/step_plan.h"

#include <cstdint>
#include <string>
#include <vector>

namespace engine {

struct RecordingInfo {
  std::string program;      // that recorded it: "mambascope 0.1.0"
  std::string recorded_at;  // UTC: "2026-11-23T11:20:00Z"
  std::string model;        // its name
  ModelConfig config;
  TaskCard card;
  std::string weights;  // type of the matrices: "bf16"
  // Whether two runs had the same model: of its config, and of samples of its weights (model_digest.h).
  std::uint64_t config_digest = 0, weights_digest = 0;
  BackendInfo backend;
  StepPlan plan;
  std::string sampler;  // in words: "greedy"; empty: not known
  std::uint64_t seed = 0;
  std::vector<Intervention> interventions;

  std::vector<int> cache_layers;  // whose angles, turns, keys and values were kept; ascending
  std::vector<int> ssm_layers;    // whose matrix states were kept; ascending
  std::int64_t ssm_every = 1;     // of tokens 0, K, 2 K, ...; 0: of none
  int top = 0;                    // likeliest ids kept of each token
  std::string timing_source;      // "CUPTI activity", "CPU stage clock"; empty: no times

  bool keeps_ssm() const { return ssm_every > 0 && !ssm_layers.empty(); }
  bool keeps_ssm_of(std::int64_t token) const { return keeps_ssm() && token % ssm_every == 0; }
  // "recorded on DEVICE, DATE".
  std::string words() const { return "recorded on " + backend.device + ", " + recorded_at.substr(0, 10); }
};

// Times of one step, by stage of the plan. Nanoseconds; -1: not measured.
struct StepTimes {
  std::int64_t wall_ns = -1;
  std::vector<std::int64_t> start_ns, duration_ns;  // (stages); starts count from the step's begin
};

// What is known before the first token. Which layers and tokens are kept, the sampler and the interventions are the
// caller's to set.
RecordingInfo describe_recording(const Model& model, const BackendInfo& backend, const StepPlan& plan,
                                 const std::string& program, const std::string& recorded_at);

}  // namespace engine
