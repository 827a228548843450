// Products of a bf16 matrix and many bf16 vectors by cuBLASLt, which is opened at run time: for batches where a matrix
// product pays (kernels/fused/fused_projection.h has the few sequences). The algorithm for a shape is chosen once, by the
// library's own ranking, so that the same shape gives the same bits in every run; bits do depend on the number of vectors.
// Calls are made by the thread that owns the backend.
#pragma once

#include "kernels/device/error.h"
#include "kernels/device/stream.h"
#include "kernels/matrix.h"

#include <memory>

namespace kernels {

class MatrixProducts {
 public:
  MatrixProducts();
  MatrixProducts(MatrixProducts&& other) noexcept;
  MatrixProducts& operator=(MatrixProducts&& other) noexcept;
  ~MatrixProducts();

  // Opens the library and takes its workspace. Errors: this build or this machine has no cuBLASLt; no memory.
  static DeviceResult<MatrixProducts> open();

  // y (columns, rows) fp32 = x (columns, cols) bf16 times the matrix (rows, cols) bf16, transposed; queued on the stream,
  // not waited for. All three start at multiples of 16 bytes. Error: no algorithm for the shape, or a failed launch.
  DeviceResult<void> multiply(const Matrix& matrix, const void* x, int columns, float* y, const Stream& stream);

 private:
  struct Library;
  std::unique_ptr<Library> library_;
};

}  // namespace kernels
