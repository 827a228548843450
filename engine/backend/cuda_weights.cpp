#include "engine/backend/cuda_weights.h"

#include "engine/model/random_weights.h"

#include <map>
#include <tuple>
#include <utility>

namespace engine {

namespace {

// One pending copy.
struct Piece {
  const void* host = nullptr;
  std::size_t bytes = 0;
  std::size_t offset = 0;
};

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

  kernels::DeviceResult<kernels::DeviceBuffer> upload(const kernels::Stream& stream) const {
    auto memory = kernels::DeviceBuffer::allocate(layout_.bytes(), "the model's weights");
    if (!memory) return memory;
    for (const Piece& piece : pieces_) {
      if (auto done = stream.copy_to_device(memory->at(piece.offset), piece.host, piece.bytes); !done) {
        return tl::unexpected(done.error());
      }
    }
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
  std::vector<Piece> pieces_;
  std::vector<Draw> draws_;
  std::vector<std::tuple<std::span<const float>*, std::size_t, std::size_t>> vectors_;  // offset, count
  std::vector<std::pair<kernels::Matrix*, std::size_t>> matrices_;
};

}  // namespace

kernels::DeviceResult<CudaWeights> CudaWeights::upload(const Weights& weights, const kernels::Stream& stream) {
  CudaWeights device;
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
  auto memory = packing.upload(stream);
  if (!memory) return tl::unexpected(memory.error());
  device.memory_ = std::move(*memory);
  if (tied) device.head = device.embedding;
  return device;
}

}  // namespace engine
