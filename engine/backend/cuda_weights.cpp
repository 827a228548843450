#include "engine/backend/cuda_weights.h"

#include "engine/model/random_weights.h"
#include "kernels/device/upload.h"

#include <map>
#include <tuple>
#include <utility>

namespace engine {

namespace {

// A matrix that the device fills itself.
struct Draw {
  kernels::Matrix shape;
  kernels::RandomFill fill;
  std::size_t offset = 0;
};

// Collects the tensors first, so that one allocation of the right size holds them all.
class Packing {
 public:
  explicit Packing(const Weights& weights) : fills_(random_fills(weights)) {}

  void add(const std::vector<float>& values, std::span<const float>& device) {
    if (values.empty()) return;
    const std::size_t offset = layout_.add(values.size() * sizeof(float));
    pieces_.push_back({values.data(), values.size() * sizeof(float), offset});
    vectors_.emplace_back(&device, offset, values.size());
  }
  void add(const kernels::Matrix& matrix, kernels::Matrix& device) {
    const auto fill = fills_.find(&matrix);
    const bool drawn = fill != fills_.end();
    if (matrix.data == nullptr && !drawn) return;
    const std::size_t offset = layout_.add(matrix.bytes());
    if (drawn) {
      draws_.push_back({matrix, fill->second, offset});
    } else {
      pieces_.push_back({matrix.data, matrix.bytes(), offset});
    }
    device = matrix;
    matrices_.emplace_back(&device, offset);
  }

  std::size_t bytes() const { return layout_.bytes(); }

  kernels::DeviceResult<kernels::DeviceBuffer> upload(const kernels::Stream& stream, OpenProgress* progress) const {
    auto memory = kernels::DeviceBuffer::allocate(layout_.bytes(), "the model's weights");
    if (!memory) return memory;
    if (progress != nullptr) {
      for (const kernels::HostPiece& piece : pieces_) progress->total += piece.bytes;
    }
    const auto copied = kernels::upload(stream, memory->at<std::byte>(), pieces_, [&](std::size_t bytes) {
      if (progress == nullptr) return true;
      progress->bytes = bytes;
      return !progress->cancelled;
    });
    if (!copied) return tl::unexpected(copied.error());
    if (!*copied) return tl::unexpected(kernels::DeviceError{0, opening_cancelled});
    for (const Draw& draw : draws_) {
      const int code = kernels::device::random_fill(memory->at(draw.offset), draw.shape, draw.fill, stream.handle());
      if (code != 0) return kernels::cuda_failure(code, "Drawing random weights");
    }
    if (auto done = stream.synchronize(); !done) return tl::unexpected(done.error());
    for (const auto& [span, offset, count] : vectors_) *span = {memory->at<const float>(offset), count};
    for (const auto& [matrix, offset] : matrices_) matrix->data = memory->at(offset);
    return memory;
  }

 private:
  std::map<const kernels::Matrix*, kernels::RandomFill> fills_;
  kernels::Layout layout_;
  std::vector<kernels::HostPiece> pieces_;
  std::vector<Draw> draws_;
  std::vector<std::tuple<std::span<const float>*, std::size_t, std::size_t>> vectors_;  // offset, count
  std::vector<std::pair<kernels::Matrix*, std::size_t>> matrices_;
};

}  // namespace

namespace {

// Places every tensor; `device` takes the addresses when it is uploaded.
Packing packing_of(const Weights& weights, CudaWeights& device) {
  device.config = weights.config;
  device.layers.resize(weights.layers.size());
  Packing packing(weights);
  const bool tied = weights.config.tie_embeddings;
  packing.add(weights.embedding, device.embedding);
  if (!tied) packing.add(weights.head, device.head);
  packing.add(weights.norm_f, device.norm_f);
  for (std::size_t l = 0; l < weights.layers.size(); ++l) {
    const LayerWeights& from = weights.layers[l];
    CudaLayerWeights& to = device.layers[l];
    packing.add(from.norm, to.norm);
    packing.add(from.in_proj, to.in_proj);
    packing.add(from.dt_bias, to.dt_bias);
    packing.add(from.b_norm, to.b_norm);
    packing.add(from.c_norm, to.c_norm);
    packing.add(from.b_bias, to.b_bias);
    packing.add(from.c_bias, to.c_bias);
    packing.add(from.d, to.d);
    packing.add(from.mimo_x, to.mimo_x);
    packing.add(from.mimo_z, to.mimo_z);
    packing.add(from.mimo_o, to.mimo_o);
    packing.add(from.outproj_norm, to.outproj_norm);
    packing.add(from.out_proj, to.out_proj);
    packing.add(from.norm2, to.norm2);
    packing.add(from.fc1, to.fc1);
    packing.add(from.fc2, to.fc2);
  }
  return packing;
}

}  // namespace

std::size_t CudaWeights::bytes_needed(const Weights& weights) {
  CudaWeights device;
  return packing_of(weights, device).bytes();
}

kernels::DeviceResult<CudaWeights> CudaWeights::upload(const Weights& weights, const kernels::Stream& stream,
                                                       OpenProgress* progress) {
  CudaWeights device;
  auto memory = packing_of(weights, device).upload(stream, progress);
  if (!memory) return tl::unexpected(memory.error());
  device.memory_ = std::move(*memory);
  if (weights.config.tie_embeddings) device.head = device.embedding;
  return device;
}

}  // namespace engine
