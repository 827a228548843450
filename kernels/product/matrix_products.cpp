#include "kernels/product/matrix_products.h"

#if __has_include(<cublasLt.h>)

#include "kernels/device/buffer.h"

#include <cublasLt.h>

#include <dlfcn.h>

#include <algorithm>
#include <array>
#include <limits>
#include <map>
#include <mutex>
#include <string>
#include <tuple>
#include <vector>

namespace kernels {

namespace {

constexpr int most_tried = 8, timed_runs = 3;
constexpr float clearly = 0.98F;                                // of the time of the library's own first choice
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

constexpr int refused = -1;  // by the library; the device is well

tl::unexpected<DeviceError> failure(const std::string& message) {
  return tl::unexpected(DeviceError{refused, message});
}

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

using Shape = std::tuple<int, int, int>;  // rows, cols, columns

// A shape: its descriptions, the library's ranking, and the algorithm chosen from that.
struct Plan {
  Owned<cublasLtMatmulDesc_t, decltype(&cublasLtMatmulDescDestroy)> operation;
  Owned<cublasLtMatrixLayout_t, decltype(&cublasLtMatrixLayoutDestroy)> w, x, y;
  std::vector<cublasLtMatmulAlgo_t> ranking;
  cublasLtMatmulAlgo_t algorithm{};
};

// What this process chose.
std::mutex choices_mutex;
std::map<Shape, cublasLtMatmulAlgo_t>& choices() {
  static std::map<Shape, cublasLtMatmulAlgo_t> all;
  return all;
}

}  // namespace

struct MatrixProducts::Library {
  void* opened = nullptr;
  Functions call;
  cublasLtHandle_t handle = nullptr;
  DeviceBuffer workspace;
  std::map<Shape, std::unique_ptr<Plan>> plans;

  ~Library() {
    plans.clear();
    if (handle != nullptr) call.destroy(handle);
    if (opened != nullptr) dlclose(opened);
  }

  DeviceResult<Plan*> plan(int rows, int cols, int columns) {
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
    std::array<cublasLtMatmulHeuristicResult_t, most_tried> best{};
    int found = 0;
    good = good && call.heuristic(handle, made->operation.handle, made->w.handle, made->x.handle, made->y.handle,
                                  made->y.handle, preference.handle, most_tried, best.data(), &found) == 0;
    for (int i = 0; good && i < found; ++i) {
      const cublasLtMatmulHeuristicResult_t& one = best[static_cast<std::size_t>(i)];
      if (one.state == CUBLAS_STATUS_SUCCESS) made->ranking.push_back(one.algo);
    }
    if (!good || made->ranking.empty()) {
      return failure("cuBLASLt has no algorithm for a bf16 matrix of " + std::to_string(rows) + " x " +
                     std::to_string(cols) + " and " + std::to_string(columns) + " vectors");
    }
    made->algorithm = made->ranking.front();
    const std::lock_guard lock(choices_mutex);
    if (const auto chosen = choices().find({rows, cols, columns}); chosen != choices().end()) {
      made->algorithm = chosen->second;
    }
    known = std::move(made);
    return known.get();
  }

  DeviceResult<void> multiply(const Plan& p, const cublasLtMatmulAlgo_t& algorithm, const void* matrix, const void* x,
                              float* y, const Stream& stream) const {
    const float one = 1.0F, zero = 0.0F;
    const cublasStatus_t status =
        call.matmul(handle, p.operation.handle, &one, matrix, p.w.handle, x, p.x.handle, &zero, y, p.y.handle, y,
                    p.y.handle, &algorithm, workspace.at(), workspace_bytes, stream.handle());
    if (status == CUBLAS_STATUS_SUCCESS) return {};
    return failure("cublasLtMatmul failed with status " + std::to_string(static_cast<int>(status)));
  }

  // The least of a few times that all the matrices take, in milliseconds.
  DeviceResult<float> time(const Plan& p, const cublasLtMatmulAlgo_t& algorithm, std::span<const Matrix> matrices,
                           const void* x, float* y, const Stream& stream) const {
    auto start = Event::create(), end = Event::create();
    if (!start) return tl::unexpected(start.error());
    if (!end) return tl::unexpected(end.error());
    float least = std::numeric_limits<float>::max();
    for (int run = 0; run < timed_runs; ++run) {
      auto done = start->record(stream);
      for (const Matrix& matrix : matrices) {
        if (done) done = multiply(p, algorithm, matrix.data, x, y, stream);
      }
      if (done) done = end->record(stream);
      if (done) done = stream.synchronize();
      if (!done) return tl::unexpected(done.error());
      const auto taken = end->milliseconds_since(*start);
      if (!taken) return tl::unexpected(taken.error());
      least = std::min(least, *taken);
    }
    return least;
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
  return library_->multiply(**plan, (*plan)->algorithm, matrix.data, x, y, stream);
}

DeviceResult<void> MatrixProducts::choose(std::span<const Matrix> matrices, const void* x, int columns, float* y,
                                          const Stream& stream) {
  if (matrices.empty()) return {};
  const Shape shape{matrices.front().rows, matrices.front().cols, columns};
  const auto plan = library_->plan(matrices.front().rows, matrices.front().cols, columns);
  if (!plan) return tl::unexpected(plan.error());
  Plan& p = **plan;
  {
    const std::lock_guard lock(choices_mutex);
    if (choices().count(shape) > 0) return {};
  }
  float least = std::numeric_limits<float>::max();
  for (const cublasLtMatmulAlgo_t& algorithm : p.ranking) {
    const auto taken = library_->time(p, algorithm, matrices, x, y, stream);
    if (!taken && taken.error().code == refused) continue;
    if (!taken) return tl::unexpected(taken.error());
    const bool first = &algorithm == &p.ranking.front();
    if (*taken >= least) continue;
    p.algorithm = algorithm;
    least = first ? clearly * *taken : *taken;
  }
  const std::lock_guard lock(choices_mutex);
  p.algorithm = choices().emplace(shape, p.algorithm).first->second;
  return {};
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

DeviceResult<void> MatrixProducts::choose(std::span<const Matrix>, const void*, int, float*, const Stream&) {
  return tl::unexpected(DeviceError{-1, "This build has no cuBLASLt"});
}

#endif

MatrixProducts::MatrixProducts() = default;
MatrixProducts::MatrixProducts(MatrixProducts&& other) noexcept = default;
MatrixProducts& MatrixProducts::operator=(MatrixProducts&& other) noexcept = default;
MatrixProducts::~MatrixProducts() = default;

}  // namespace kernels
