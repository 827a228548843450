// How long a step takes, believed only when it computes the right thing before and after. Not for: where the time goes
// (profiler).
#pragma once

#include "engine/backend/backend.h"
#include "engine/bench/changed_cost.h"
#include "engine/bench/errors_cost.h"
#include "engine/bench/generating.h"
#include "engine/bench/neutral_cost.h"
#include "engine/bench/prefilling.h"
#include "engine/bench/publishing.h"
#include "engine/bench/tiles_cost.h"
#include "engine/verify/twin.h"
#include "kernels/device/clock_report.h"

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace engine {

struct BenchOptions {
  BackendOptions backend;
  int warmup = 20;                                      // steps that are not timed
  int steps = 200;                                      // steps that are, one behind the other
  std::vector<CacheState> caches = {CacheState::warm};  // each timed for itself
  int verify_tokens = 4;
  double rtol = 2e-4;
  int effect_tokens = 64;                   // over which a bf16 state is held against fp32
  int publish_layer = -1;                   // the layer whose publishing is timed; -1: none
  bool errors = false;                      // steps that measure the errors of the discretisation rules are timed, too
  int prefill_tokens = 0;                   // of a text whose prefill is timed beside stepping it; 0: none
  bool neutral = false;                     // steps with interventions that change nothing are timed, too
  std::vector<Intervention> interventions;  // and steps under these, where there are any
  bool tiles = false;                       // and steps after which the whole state is read at a coarser grain
  std::vector<Sampler> generate;            // that a model runs freely with, timed one after the other
};

// The steps with one state of the cache.
struct BenchTiming {
  CacheState cache = CacheState::warm;
  std::vector<double> milliseconds;  // of each timed step
  kernels::ClockReport clocks;       // meanwhile; a GPU's
};

struct Bench {
  BackendInfo info;
  std::string variant;
  int batch = 1;
  std::uint64_t bytes_per_step = 0;  // by the plan: weights, state and activations, read and written
  double first_token_ms = 0;         // from opening the backend to the end of its first step
  std::string twin;                  // the backend that it was verified against
  TwinReport before;
  std::optional<StateEffect> effect;  // of a bf16 state, beside the twin's fp32
  std::optional<PublishingCost> publishing;
  std::optional<ErrorsCost> errors;
  std::optional<PrefillCost> prefill;
  std::optional<NeutralCost> neutral;
  std::optional<ChangedCost> changed;
  std::optional<TilesCost> tiles;
  std::vector<GeneratingCost> generating;  // one for each of BenchOptions::generate
  bool same_bits_after = false;            // the logits of the verified tokens, stepped again after the timing
  bool verified = false;                   // before and after; what was published, measured and drawn, too
  std::vector<BenchTiming> timings;        // as many as BenchOptions::caches; none unless verified before
  double copy_bytes_per_second = 0;  // measured in the same run on the same device, read and written bytes counted

  // What a step comes back to at the next: the weights and the state of every sequence.
  std::uint64_t working_set() const { return info.weight_bytes + static_cast<std::uint64_t>(batch) * info.state_bytes; }
  // Whether a GPU's L2 could hold all of that, so that a warm step need not read it from memory.
  bool fits_l2() const { return info.is_gpu && working_set() <= info.l2_bytes; }
};

// Opens the backend, verifies it against its twin (a GPU against the CPU backend, the CPU against the reference), times
// it and verifies again. `on_host` are the same weights with every matrix in host memory, for whatever computes there: the
// very object where `weights` are that already (draw_on_host). `progress` (may be empty) is called with what is being done and the share that is behind,
// roughly. Errors: those of the backends, a device on which no copy can be measured, and
// a cold cache asked of a CPU.
Result<Bench> run_bench(const Weights& weights, const Weights& on_host, const BenchOptions& options,
                        const std::function<void(const char*, double)>& progress);

// Bytes per second that this machine's memory copies with that many threads, read and written bytes counted: the best of
// several copies of 256 MiB. Error (system): there is no memory for them.
Result<double> measure_host_copy_rate(int threads);

}  // namespace engine
