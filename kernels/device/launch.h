// The device twin of each kernel family: one kernel a stage, fp32 activations and state, weights in their stored dtype.
// All pointers of the arguments are device addresses; h, k, q and the caches start at multiples of 16 bytes and d_state
// is a multiple of 4. The work is queued on the stream and not waited for. Each function returns a CUDA error code: 0
// when the launch was accepted. Shapes and equations: <family>/<family>.h.
//
// A sequence's bits depend on its own values and the shapes alone: not on the batch, its place in it, or the run.
#pragma once

#include "kernels/coefficients/coefficients.h"
#include "kernels/device/stream.h"
#include "kernels/discretisation_errors/discretisation_errors.h"
#include "kernels/embedding/embedding.h"
#include "kernels/mimo_mix/mimo_mix.h"
#include "kernels/norm/norm.h"
#include "kernels/projection/projection.h"
#include "kernels/readout/readout.h"
#include "kernels/rotate/rotate.h"
#include "kernels/state_update/state_update.h"

namespace kernels::device {

int embedding(const EmbeddingArgs<float>& args, StreamHandle stream);
int norm(const NormArgs<float>& args, StreamHandle stream);
int projection(const ProjectionArgs<float>& args, StreamHandle stream);
int coefficients(const CoefficientsArgs<float>& args, StreamHandle stream);
int rotate(const RotateArgs<float>& args, StreamHandle stream);
int state_update(const StateUpdateArgs<float>& args, StreamHandle stream);
int readout(const ReadoutArgs<float>& args, StreamHandle stream);
int mimo_mix(const MimoMixArgs<float>& args, StreamHandle stream);
// Of all layers. `overlap`: the kernel may be launched before the one before it has ended, and waits for it by itself.
int discretisation_errors(const DiscretisationErrorsArgs<float>& args, StreamHandle stream, bool overlap);

}  // namespace kernels::device
