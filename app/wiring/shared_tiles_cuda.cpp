// A GL buffer registered with CUDA: mapped, filled and given back by a stream of its own, so that the window's thread waits
// for no kernel.
#include "app/wiring/shared_tiles.h"

#define GL_GLEXT_PROTOTYPES
#include <GL/glcorearb.h>
// What follows wants GL's types, which are there. NOLINTNEXTLINE(bugprone-reserved-identifier)
#define __gl_h_
#include <cuda_gl_interop.h>
#include <cuda_runtime_api.h>

#include <fmt/core.h>

#include <array>

namespace app {

namespace {

engine::Error failure(const char* call, cudaError_t code) {
  return {engine::ErrorKind::system,
          fmt::format("The state's picture: {}: {} ({}).", call, cudaGetErrorString(code), cudaGetErrorName(code))};
}

class CudaBuffer final : public SharedBuffer {
 public:
  CudaBuffer() = default;
  CudaBuffer(const CudaBuffer&) = delete;
  CudaBuffer& operator=(const CudaBuffer&) = delete;
  ~CudaBuffer() override {
    if (resource_ != nullptr) cudaGraphicsUnregisterResource(resource_);
    if (stream_ != nullptr) cudaStreamDestroy(stream_);
  }

  engine::Result<void> open(unsigned int gl_buffer) {
    if (const auto code = cudaStreamCreateWithFlags(&stream_, cudaStreamNonBlocking); code != cudaSuccess)
      return tl::unexpected(failure("cudaStreamCreateWithFlags", code));
    if (const auto code = cudaGraphicsGLRegisterBuffer(&resource_, gl_buffer, cudaGraphicsRegisterFlagsWriteDiscard);
        code != cudaSuccess) {
      return tl::unexpected(failure("cudaGraphicsGLRegisterBuffer", code));
    }
    return {};
  }

  engine::Result<void> take(const engine::DeviceTiles& tiles) override {
    if (const auto code = cudaGraphicsMapResources(1, &resource_, stream_); code != cudaSuccess)
      return tl::unexpected(failure("cudaGraphicsMapResources", code));
    void* memory = nullptr;
    std::size_t bytes = 0;
    const auto found = cudaGraphicsResourceGetMappedPointer(&memory, &bytes, resource_);
    engine::Result<void> copied;
    if (found == cudaSuccess)
      copied = tiles.copy_to(memory, stream_);
    else
      copied = tl::unexpected(failure("cudaGraphicsResourceGetMappedPointer", found));
    if (const auto code = cudaGraphicsUnmapResources(1, &resource_, stream_); code != cudaSuccess)
      return tl::unexpected(failure("cudaGraphicsUnmapResources", code));
    return copied;
  }

 private:
  cudaGraphicsResource* resource_ = nullptr;
  cudaStream_t stream_ = nullptr;
};

}  // namespace

void turn_to_computing() {
  constexpr std::size_t bytes = 256;
  // As long as the process; a failure costs some time of a step and nothing else.
  struct Work {
    cudaStream_t stream = nullptr;
    void* memory = nullptr;
    bool ready = cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking) == cudaSuccess &&
                 cudaMalloc(&memory, bytes) == cudaSuccess;
  };
  static const Work work;
  if (!work.ready || cudaMemsetAsync(work.memory, 0, bytes, work.stream) != cudaSuccess)
    static_cast<void>(cudaGetLastError());
}

bool SharedBuffer::possible() {
  int device = 0;
  if (cudaGetDevice(&device) != cudaSuccess) return false;
  std::array<int, 8> drawing{};
  unsigned int count = 0;
  if (cudaGLGetDevices(&count, drawing.data(), static_cast<unsigned int>(drawing.size()), cudaGLDeviceListAll) !=
      cudaSuccess) {
    static_cast<void>(cudaGetLastError());  // no GPU of CUDA's draws: an answer, and no failure of later calls
    return false;
  }
  for (unsigned int i = 0; i < count && i < drawing.size(); ++i) {
    if (drawing[i] == device) return true;
  }
  return false;
}

engine::Result<std::unique_ptr<SharedBuffer>> SharedBuffer::create(unsigned int gl_buffer) {
  auto made = std::make_unique<CudaBuffer>();
  if (auto opened = made->open(gl_buffer); !opened) {
    static_cast<void>(cudaGetLastError());
    return tl::unexpected(opened.error());
  }
  return made;
}

}  // namespace app
