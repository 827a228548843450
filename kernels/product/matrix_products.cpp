#include "kernels/product/matrix_products.h"

#if __has_include(<cublasLt.h>)

#include "kernels/device/buffer.h"

#include <cublasLt.h>

#include <dlfcn.h>

#include <map>
#include <string>
#include <tuple>

namespace kernels {

namespace {

constexpr std::size_t workspace_bytes = std::size_t{32} << 20;  // what the library recommends for this generation

// The functions that are used, each of the type that the header declares.
struct Functions {
  decltype(&cublasLtCreate) create = nullptr;
  decltype(&cublasLtDestroy) destroy = nullptr;
  decltype(&cublasLtMatmul) matmul = nullptr;
  decltype(&cublasLtMatmulDescCreate) operation_create = nullptr;
  decltype(&cublasLtMatmulDescDestroy) operation_destroy = nullptr;
  decltype(&cublasLtMatmulDescSetAttribute) operation_set = nullptr;
  decltype(&cublasLtMatrixLayoutCreate) layout_create = nullptr;
  decltype(&cublasLtMatrixLayoutDestroy) layout_destroy = nullptr;
  decltype(&cublasLtMatmulPreferenceCreate) preference_create = nullptr;
  decltype(&cublasLtMatmulPreferenceDestroy) preference_destroy = nullptr;
  decltype(&cublasLtMatmulPreferenceSetAttribute) preference_set = nullptr;
  decltype(&cublasLtMatmulAlgoGetHeuristic) heuristic = nullptr;
};

template <class Function>
bool find(void* library, const char* name, Function& function) {
  function = reinterpret_cast<Function>(dlsym(library, name));
  return function != nullptr;
}

tl::unexpected<DeviceError> failure(const std::string& message) { return tl::unexpected(DeviceError{-1, message}); }

// An opaque object of the library, destroyed with the function that belongs to it.
template <class Handle, class Destroy>
struct Owned {
  Handle handle = nullptr;
  Destroy destroy = nullptr;
  Owned() = default;
  Owned(const Owned&) = delete;
  Owned& operator=(const Owned&) = delete;
  ~Owned() {
    if (handle != nullptr) destroy(handle);
  }
};

// A shape: its descriptions and the algorithm chosen for it.
struct Plan {
  Owned<cublasLtMatmulDesc_t, decltype(&cublasLtMatmulDescDestroy)> operation;
  Owned<cublasLtMatrixLayout_t, decltype(&cublasLtMatrixLayoutDestroy)> w, x, y;
  cublasLtMatmulAlgo_t algorithm{};
};

}  // namespace

struct MatrixProducts::Library {
  void* opened = nullptr;
  Functions call;
  cublasLtHandle_t handle = nullptr;
  DeviceBuffer workspace;
  std::map<std::tuple<int, int, int>, std::unique_ptr<Plan>> plans;  // by rows, cols, columns

  ~Library() {
    plans.clear();
    if (handle != nullptr) call.destroy(handle);
    if (opened != nullptr) dlclose(opened);
  }

  DeviceResult<const Plan*> plan(int rows, int cols, int columns) {
    std::unique_ptr<Plan>& known = plans[{rows, cols, columns}];
    if (known) return known.get();
    auto made = std::make_unique<Plan>();
    made->operation.destroy = call.operation_destroy;
    made->w.destroy = made->x.destroy = made->y.destroy = call.layout_destroy;
    // The library's matrices are column-major: a row-major (rows, cols) matrix is its transpose there.
    const cublasOperation_t transposed = CUBLAS_OP_T;
    bool good =
        call.operation_create(&made->operation.handle, CUBLAS_COMPUTE_32F, CUDA_R_32F) == 0 &&
        call.operation_set(made->operation.handle, CUBLASLT_MATMUL_DESC_TRANSA, &transposed, sizeof(transposed)) == 0;
    const auto layout = [&](auto& out, cudaDataType_t type, int height, int width) {
      good = good && call.layout_create(&out.handle, type, static_cast<std::uint64_t>(height),
                                        static_cast<std::uint64_t>(width), height) == 0;
    };
    layout(made->w, CUDA_R_16BF, cols, rows);
    layout(made->x, CUDA_R_16BF, cols, columns);
    layout(made->y, CUDA_R_32F, rows, columns);
    Owned<cublasLtMatmulPreference_t, decltype(&cublasLtMatmulPreferenceDestroy)> preference;
    preference.destroy = call.preference_destroy;
    good = good && call.preference_create(&preference.handle) == 0 &&
           call.preference_set(preference.handle, CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES, &workspace_bytes,
                               sizeof(workspace_bytes)) == 0;
    cublasLtMatmulHeuristicResult_t best{};
    int found = 0;
    good = good &&
           call.heuristic(handle, made->operation.handle, made->w.handle, made->x.handle, made->y.handle,
                          made->y.handle, preference.handle, 1, &best, &found) == 0 &&
           found == 1 && best.state == CUBLAS_STATUS_SUCCESS;
    if (!good) {
      return failure("cuBLASLt has no algorithm for a bf16 matrix of " + std::to_string(rows) + " x " +
                     std::to_string(cols) + " and " + std::to_string(columns) + " vectors");
    }
    made->algorithm = best.algo;
    known = std::move(made);
    return known.get();
  }
};

DeviceResult<MatrixProducts> MatrixProducts::open() {
  MatrixProducts made;
  made.library_ = std::make_unique<Library>();
  Library& library = *made.library_;
  const std::string name = "libcublasLt.so." + std::to_string(CUDART_VERSION / 1000);
  for (const std::string& path : {name, "/usr/local/cuda/lib64/" + name}) {
    if (library.opened == nullptr) library.opened = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  }
  if (library.opened == nullptr) {
    return failure(name + " could not be opened. Install cuBLAS of CUDA " + std::to_string(CUDART_VERSION / 1000) +
                   ", or put its folder on LD_LIBRARY_PATH");
  }
  Functions& call = library.call;
  void* const from = library.opened;
  const bool complete = find(from, "cublasLtCreate", call.create) && find(from, "cublasLtDestroy", call.destroy) &&
                        find(from, "cublasLtMatmul", call.matmul) &&
                        find(from, "cublasLtMatmulDescCreate", call.operation_create) &&
                        find(from, "cublasLtMatmulDescDestroy", call.operation_destroy) &&
                        find(from, "cublasLtMatmulDescSetAttribute", call.operation_set) &&
                        find(from, "cublasLtMatrixLayoutCreate", call.layout_create) &&
                        find(from, "cublasLtMatrixLayoutDestroy", call.layout_destroy) &&
                        find(from, "cublasLtMatmulPreferenceCreate", call.preference_create) &&
                        find(from, "cublasLtMatmulPreferenceDestroy", call.preference_destroy) &&
                        find(from, "cublasLtMatmulPreferenceSetAttribute", call.preference_set) &&
                        find(from, "cublasLtMatmulAlgoGetHeuristic", call.heuristic);
  if (!complete) return failure(name + " lacks a function that this program uses");
  if (call.create(&library.handle) != CUBLAS_STATUS_SUCCESS) return failure("cublasLtCreate failed");
  auto workspace = DeviceBuffer::allocate(workspace_bytes, "matrix products");
  if (!workspace) return tl::unexpected(workspace.error());
  library.workspace = std::move(*workspace);
  return made;
}

DeviceResult<void> MatrixProducts::multiply(const Matrix& matrix, const void* x, int columns, float* y,
                                            const Stream& stream) {
  const auto plan = library_->plan(matrix.rows, matrix.cols, columns);
  if (!plan) return tl::unexpected(plan.error());
  const float one = 1.0F, zero = 0.0F;
  const Plan& p = **plan;
  const cublasStatus_t status = library_->call.matmul(
      library_->handle, p.operation.handle, &one, matrix.data, p.w.handle, x, p.x.handle, &zero, y, p.y.handle, y,
      p.y.handle, &p.algorithm, library_->workspace.at(), workspace_bytes, stream.handle());
  if (status == CUBLAS_STATUS_SUCCESS) return {};
  return failure("cublasLtMatmul failed with status " + std::to_string(static_cast<int>(status)));
}

#else

namespace kernels {

struct MatrixProducts::Library {};

DeviceResult<MatrixProducts> MatrixProducts::open() {
  return tl::unexpected(DeviceError{-1, "This build has no cuBLASLt: its header was missing"});
}

DeviceResult<void> MatrixProducts::multiply(const Matrix&, const void*, int, float*, const Stream&) {
  return tl::unexpected(DeviceError{-1, "This build has no cuBLASLt"});
}

#endif

MatrixProducts::MatrixProducts() = default;
MatrixProducts::MatrixProducts(MatrixProducts&& other) noexcept = default;
MatrixProducts& MatrixProducts::operator=(MatrixProducts&& other) noexcept = default;
MatrixProducts::~MatrixProducts() = default;

}  // namespace kernels
