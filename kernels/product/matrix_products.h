// Products of a bf16 matrix and many bf16 vectors by cuBLASLt, which is opened at run time: for batches where a matrix
// product pays (kernels/fused/fused_projection.h has the few sequences). The algorithm for a shape is chosen once in a
// process, so that there the same shape gives the same bits in every run; bits do depend on the number of vectors, and two
// processes may choose differently where two algorithms are about as fast. Calls are made by the thread that owns the
// backend.
#pragma once

#include "kernels/device/error.h"
#include "kernels/device/stream.h"
#include "kernels/matrix.h"

#include <memory>
#include <span>

namespace kernels {

class MatrixProducts {
 public:
  MatrixProducts();
  MatrixProducts(MatrixProducts&& other) noexcept;
  MatrixProducts& operator=(MatrixProducts&& other) noexcept;
  ~MatrixProducts();

  // Opens the library and takes its workspace. Errors: this build or this machine has no cuBLASLt; no memory.
  static DeviceResult<MatrixProducts> open();

  // Chooses the algorithm for these matrices of one shape and so many vectors, unless this process has: of the library's
  // first few the one that takes them all in the least time. x and y as below, of any content; y is written. Waits for
  // the stream. multiply() takes the library's first choice for a shape that was not chosen for. Errors as there.
  DeviceResult<void> choose(std::span<const Matrix> matrices, const void* x, int columns, float* y,
                            const Stream& stream);

  // y (columns, rows) fp32 = x (columns, cols) bf16 times the matrix (rows, cols) bf16, transposed; queued on the stream,
  // not waited for. All three start at multiples of 16 bytes. Error: no algorithm for the shape, or a failed launch.
  DeviceResult<void> multiply(const Matrix& matrix, const void* x, int columns, float* y, const Stream& stream);

 private:
  struct Library;
  std::unique_ptr<Library> library_;
};

}  // namespace kernels
