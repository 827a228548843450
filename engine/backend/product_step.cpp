#include "engine/backend/product_step.h"

#include "engine/backend/fused_limits.h"
#include "kernels/product/narrow_product.h"

#include <algorithm>
#include <utility>
#include <vector>

namespace engine {

namespace {

using kernels::DeviceResult;

std::size_t positive(int value) { return static_cast<std::size_t>(value); }

DeviceResult<void> accepted(int code) { return kernels::check_cuda(code, "launch"); }

// From 64 sequences on what is not read and written is worth more than the time to make it (kernels/README.md).
bool makes_keys_at(int batch, const ModelConfig& config) {
  constexpr int least_batch = 64;
  return batch >= least_batch && kernels::device::mixer_makes_keys(mixer_shape(config, kernels::DType::f32));
}

}  // namespace

bool ProductStep::has_own(const kernels::DeviceInfo& device, int batch) {
  return batch <= kernels::most_narrow_vectors && kernels::device::narrow_product_runs_on(device.major, device.minor);
}

DeviceResult<ProductStep> ProductStep::open(const CudaWeights& weights, int batch, bool own, bool makes_keys,
                                            CudaBuffers& buffers, const kernels::Stream& stream) {
  const ModelConfig& config = weights.config;
  ProductStep made;
  made.batch_ = batch;
  made.width_ = config.d_model;
  if (!own) {
    auto library = kernels::MatrixProducts::open();
    if (!library) return tl::unexpected(library.error());
    made.library_ = std::move(*library);
  }
  const int mlp = config.has_mlp() ? config.mlp_width() : 0;
  const std::size_t columns = 2 * positive(batch);
  const auto allocate = [](kernels::DeviceBuffer& out, std::size_t bytes) -> DeviceResult<void> {
    auto memory = kernels::DeviceBuffer::allocate(bytes, "the activations");
    if (!memory) return tl::unexpected(memory.error());
    out = std::move(*memory);
    return {};
  };
  // Values and gates are multiplied by the own kernel, which writes no product of the MLP's width.
  const std::size_t wide = positive(std::max(config.in_proj().rows, own ? 0 : 2 * mlp));
  const std::size_t widest =
      std::max(positive(made.wide_pieces()) * wide, positive(made.narrow_pieces()) * positive(config.d_model));
  auto done = allocate(made.parts_, 2 * columns * positive(std::max({config.d_model, config.d_inner(), mlp})));
  if (done && own) done = allocate(made.gated_, 2 * columns * positive(mlp));
  if (done) done = allocate(made.product_, sizeof(float) * positive(batch) * widest);
  if (!done) return tl::unexpected(done.error());
  if (makes_keys && makes_keys_at(batch, config)) {
    auto memory = LastKeysMemory::allocate(config, batch, stream);
    if (!memory) return tl::unexpected(memory.error());
    made.last_keys_ = std::move(*memory);
    made.makes_keys_ = true;
  }
  if (own) return made;
  done = allocate(made.logits_, sizeof(float) * columns * positive(config.padded_vocab()));
  if (!done) return tl::unexpected(done.error());
  const std::size_t count = positive(batch) * positive(config.padded_vocab());
  buffers.logits = {made.logits_.at<float>(), count};
  buffers.logits_rest = {made.logits_.at<float>(sizeof(float) * count), count};
  if (auto chosen = made.choose_algorithms(weights, stream); !chosen) return tl::unexpected(chosen.error());
  return made;
}

DeviceResult<void> ProductStep::choose_algorithms(const CudaWeights& weights, const kernels::Stream& stream) {
  // Enough layers that none of their matrices is still in the L2 when its turn comes again.
  constexpr std::size_t enough_layers = 8;
  const std::size_t layers = std::min(weights.layers.size(), enough_layers);
  if (auto filled = stream.fill_zero(parts_.at(), parts_.bytes()); !filled) return filled;
  for (const auto matrix :
       {&CudaLayerWeights::in_proj, &CudaLayerWeights::out_proj, &CudaLayerWeights::fc1, &CudaLayerWeights::fc2}) {
    std::vector<kernels::Matrix> matrices;
    for (std::size_t l = 0; l < layers; ++l) {
      if ((weights.layers[l].*matrix).rows > 0) matrices.push_back(weights.layers[l].*matrix);
    }
    auto chosen = library_->choose(matrices, parts_.at(), 2 * batch_, product_.at<float>(), stream);
    if (!chosen) return chosen;
  }
  return library_->choose({&weights.head, 1}, parts_.at(), 2 * batch_, logits_.at<float>(), stream);
}

DeviceResult<bool> ProductStep::make_keys(bool wanted, const CudaWeights& weights, const CudaBuffers& buffers,
                                          const kernels::Stream& stream) {
  wanted = wanted && last_keys_;
  if (wanted == makes_keys_) return false;
  if (auto settled = settle_keys(true, weights, buffers, stream); !settled) return tl::unexpected(settled.error());
  makes_keys_ = wanted;
  return true;
}

DeviceResult<void> ProductStep::settle_keys(bool changing, const CudaWeights& weights, const CudaBuffers& buffers,
                                            const kernels::Stream& stream) const {
  if (!makes_keys_) return {};
  auto done = last_keys_->write_cache(weights, buffers, stream);
  return done && changing ? last_keys_->forget(stream) : done;
}

DeviceResult<void> ProductStep::norm(const CudaBuffers& buffers, std::span<const float> weight, bool pending,
                                     const kernels::device::Placement& placement) const {
  kernels::NormPartsArgs args;
  args.batch = batch_;
  args.width = width_;
  args.residual = buffers.residual.data();
  args.pending = pending ? product_.at<const float>() : nullptr;
  args.pieces = narrow_pieces();
  args.weight = weight.data();
  args.parts = parts_.at();
  return accepted(kernels::device::norm_parts(args, placement));
}

DeviceResult<void> ProductStep::launch(const Stage& stage, const CudaWeights& weights, const CudaBuffers& buffers,
                                       const FusedArguments& arguments, const kernels::Stream& stream,
                                       const kernels::device::Placement& placement) {
  namespace device = kernels::device;
  float* const product = product_.at<float>();
  const auto multiply = [&](const kernels::Matrix& matrix, int pieces, float* out,
                            const void* parts) -> DeviceResult<void> {
    if (library_) return library_->multiply(matrix, parts, 2 * batch_, out, stream);
    return accepted(device::narrow_product({matrix, batch_, parts, pieces, out}, placement));
  };
  const CudaLayerWeights& layer = weights.layers[positive(std::max(stage.layer, 0))];  // the head reads none
  switch (stage.kind) {
    case StageKind::in_proj: {
      // What the layer before left is still to be added to the residual; the first layer's residual is the embedding.
      const InProjLayout at = weights.config.in_proj();
      kernels::CoefficientPartsArgs rows{batch_, layer.in_proj.rows, product, arguments.projection(stage).coefficients,
                                         at.b,   at.c - at.b,        {}};
      if (makes_keys_) rows.last_keys = last_keys_->layer(stage.layer);
      return norm(buffers, layer.norm, stage.layer > 0, placement)
          .and_then([&] { return multiply(layer.in_proj, wide_pieces(), product, parts_.at()); })
          .and_then([&] { return accepted(device::coefficient_parts(rows, placement)); });
    }
    case StageKind::mixer: {
      kernels::MixerArgs args = arguments.mixer(stage);
      for (const float** piece : {&args.z, &args.x, &args.b, &args.c}) {
        *piece = product + (*piece - buffers.projected.data());
      }
      args.second_part = positive(batch_) * positive(args.stride);
      args.out_parts = parts_.at();
      if (makes_keys_) args.last_keys = last_keys_->layer(stage.layer);
      args.next = nullptr;
      args.next_bytes = 0;
      return accepted(device::mixer(args, placement));
    }
    case StageKind::out_proj:
      return multiply(layer.out_proj, narrow_pieces(), product, parts_.at());
    case StageKind::mlp_up: {
      if (!library_) {
        const kernels::NarrowProductArgs up{layer.fc1, batch_, parts_.at(), 1, nullptr, gated_.at()};
        return norm(buffers, layer.norm2, true, placement).and_then([&] {
          return accepted(device::narrow_product(up, placement));
        });
      }
      const kernels::GatePartsArgs gate{batch_, layer.fc2.cols, product, parts_.at()};
      return norm(buffers, layer.norm2, true, placement)
          .and_then([&] { return multiply(layer.fc1, wide_pieces(), product, parts_.at()); })
          .and_then([&] { return accepted(device::gate_parts(gate, placement)); });
    }
    case StageKind::mlp_down:
      return multiply(layer.fc2, narrow_pieces(), product, library_ ? parts_.at() : gated_.at());
    default: {  // head
      return norm(buffers, weights.norm_f, true, placement).and_then([&] {
        return multiply(weights.head, 1, buffers.logits.data(), parts_.at());
      });
    }
  }
}

}  // namespace engine
