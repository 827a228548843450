// The fp32 kernels of the CPU backend: vectorised, single-threaded, working on a range of items so that the caller can
// divide a stage among threads. An item's arithmetic does not depend on the range, the batch or the thread, so neither
// do the bits. Compiled once per instruction set; the best one of this machine is chosen at run time.
#pragma once

#include "kernels/coefficients/coefficients.h"
#include "kernels/discretisation_errors/discretisation_errors.h"
#include "kernels/embedding/embedding.h"
#include "kernels/mimo_mix/mimo_mix.h"
#include "kernels/norm/norm.h"
#include "kernels/projection/projection.h"
#include "kernels/readout/readout.h"
#include "kernels/rotate/rotate.h"
#include "kernels/state_update/state_update.h"

#include <vector>

namespace kernels::cpu {

inline constexpr int rows_per_item = 16;       // of a projection's output
inline constexpr int state_rows_per_item = 8;  // of a head's state

// Items of a stage: what the ranges below count.
inline int items(const EmbeddingArgs<float>& args) { return args.batch; }
inline int items(const NormArgs<float>& args) { return args.batch; }
inline int items(const ProjectionArgs<float>& args) { return (args.out_width() + rows_per_item - 1) / rows_per_item; }
inline int items(const RotateArgs<float>& args) { return args.batch * args.heads; }
inline int items(const StateUpdateArgs<float>& args) {
  return args.batch * args.heads * ((args.headdim + state_rows_per_item - 1) / state_rows_per_item);
}
inline int items(const ReadoutArgs<float>& args) { return args.batch * args.heads; }
inline int items(const MimoMixArgs<float>& args) { return args.batch * args.heads; }
inline int items(const DiscretisationErrorsArgs<float>& args) { return args.batch * args.heads; }

struct Table {
  const char* name;  // "AVX-512"
  void (*embedding)(const EmbeddingArgs<float>& args, int begin, int end);
  void (*norm)(const NormArgs<float>& args, int begin, int end);
  void (*projection)(const ProjectionArgs<float>& args, int begin, int end);
  void (*rotate)(const RotateArgs<float>& args, int begin, int end);
  void (*state_update)(const StateUpdateArgs<float>& args, int begin, int end);
  void (*readout)(const ReadoutArgs<float>& args, int begin, int end);
  void (*mimo_mix)(const MimoMixArgs<float>& args, int begin, int end);
};

// The tables that this machine can run, best first; the last is the baseline and always there.
const std::vector<const Table*>& tables();

// A handful of scalars a head: the same code on every machine, not divided among threads.
void coefficients(const CoefficientsArgs<float>& args);

// Of one layer, in double, the same code on every machine.
void discretisation_errors(const DiscretisationErrorsArgs<float>& args, int begin, int end);

}  // namespace kernels::cpu
