#include "kernels/intervention/change_cells.h"

#include <cuda_bf16.h>
#include <cuda_runtime.h>

namespace kernels::device {

namespace {

constexpr int block_size = 256;

template <class S>
__global__ void __launch_bounds__(block_size) change_cells_kernel(const ChangeCellsArgs args) {
  S* const h = static_cast<S*>(args.h);
  for (int i = static_cast<int>(threadIdx.x); i < *args.count; i += block_size) {
    const CellChange& c = args.cells[i];
    const std::size_t head = (static_cast<std::size_t>(c.layer) * args.batch + c.sequence) * args.heads + c.head;
    S& value = h[(head * args.headdim + c.row) * args.d_state + c.channel];
    value = static_cast<S>(changed(c.value, static_cast<float>(value)));
  }
}

}  // namespace

int change_cells(const ChangeCellsArgs& args, StreamHandle stream) {
  if (args.bf16_state) {
    change_cells_kernel<__nv_bfloat16><<<1, block_size, 0, stream>>>(args);
  } else {
    change_cells_kernel<float><<<1, block_size, 0, stream>>>(args);
  }
  return cudaGetLastError();
}

}  // namespace kernels::device
