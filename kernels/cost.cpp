#include "kernels/cost.h"

#include "kernels/matrix.h"

namespace kernels {

static_assert(size_of(DType::f32) == 4 && size_of(DType::bf16) == 2);

}  // namespace kernels
