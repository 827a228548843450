// The CPU twin of each kernel family: double throughout, scalar loops in the paper's order, one thread. The truth of
// the tests and the arithmetic of the reference backend; not meant to be fast. Shapes and equations:
// <family>/<family>.h.
#pragma once

#include "kernels/coefficients/coefficients.h"
#include "kernels/discretisation_errors/discretisation_errors.h"
#include "kernels/embedding/embedding.h"
#include "kernels/mimo_mix/mimo_mix.h"
#include "kernels/norm/norm.h"
#include "kernels/prefill/prefill.h"
#include "kernels/projection/projection.h"
#include "kernels/readout/readout.h"
#include "kernels/rotate/rotate.h"
#include "kernels/state_update/state_update.h"

#include <cstddef>

namespace kernels::reference {

// Element `index` of a matrix in any dtype, widened exactly.
double element(const Matrix& matrix, std::size_t index);

void embedding(const EmbeddingArgs<double>& args);
void norm(const NormArgs<double>& args);
void projection(const ProjectionArgs<double>& args);
void coefficients(const CoefficientsArgs<double>& args);
void rotate(const RotateArgs<double>& args);
void state_update(const StateUpdateArgs<double>& args);
void readout(const ReadoutArgs<double>& args);
void mimo_mix(const MimoMixArgs<double>& args);
void discretisation_errors(const DiscretisationErrorsArgs<double>& args);
// No tokens: nothing changes.
void prefill(const PrefillArgs<double>& args);

}  // namespace kernels::reference
