// How long one kernel family takes by itself: the stages of that kind, of all layers of a model that is made for it, in
// one CUDA graph. The layers' own weights and states are the buffers that are gone through; activations are shared by the
// layers, as in a step. A family of a new variant is a stage of its plan, and needs nothing here but own_bytes.
#pragma once

#include "engine/bench/bench.h"
#include "engine/plan/stage.h"
#include "kernels/matrix.h"

#include <functional>
#include <string>
#include <vector>

namespace engine {

struct KernelShape {
  int heads = 64, headdim = 64, d_state = 128, rank = 1;  // of siso-1.5b
  int d_model = 2048;  // counts for norms and products with a matrix; what needs neither gets a narrow model
  kernels::DType weights = kernels::DType::bf16;
};

struct KernelBenchOptions {
  std::vector<StageKind> stages;  // timed together, in the plan's order
  KernelShape shape;
  BackendOptions backend;               // with the batch
  CacheState cache = CacheState::cold;  // warm: a few layers that fit the L2 together; cold: more than it holds
  int samples = 30;
  int verify_tokens = 2;
  double rtol = 2e-4;
  std::uint64_t seed = 0;
};

struct KernelBench {
  BackendInfo info;
  std::string variant;
  int batch = 1, layers = 1, rounds = 1;
  kernels::Cost cost;           // of one layer's stages
  std::uint64_t own_bytes = 0;  // weights and states of all layers that the stages go through
  std::string twin;
  TwinReport before;  // the whole model against the reference in double: logits and every state
  bool same_bits_after = false;
  bool verified = false;
  std::vector<double> microseconds;  // of one layer's stages, the mean over a sample's rounds and layers
  double copy_bytes_per_second = 0;
  kernels::ClockReport clocks;

  // Whether a GPU's L2 could hold what the layers have of their own.
  bool fits_l2() const { return info.is_gpu && own_bytes <= info.l2_bytes; }
};

// Bytes that a stage reads of its layer's own weights and state: what must come from memory when layers take turns.
std::uint64_t own_bytes(StageKind kind, const Weights& weights, int batch, kernels::DType state);

// The model that the stages are timed in. One layer; run_kernel_bench takes as many as are needed.
ModelConfig kernel_config(const KernelShape& shape, std::span<const StageKind> stages);

// Makes the model, verifies it against the reference backend, times the stages, verifies again. Errors: those of the
// backends, and (input) a shape that is not supported or a kind that the plan has no stage of.
Result<KernelBench> run_kernel_bench(const KernelBenchOptions& options,
                                     const std::function<void(const char*, double)>& progress);

}  // namespace engine
