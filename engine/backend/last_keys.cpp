#include "engine/backend/last_keys.h"

#include "kernels/device/error.h"

#include <cstdint>
#include <utility>

namespace engine {

namespace {

std::size_t positive(int value) { return static_cast<std::size_t>(value); }

}  // namespace

kernels::DeviceResult<LastKeysMemory> LastKeysMemory::allocate(const ModelConfig& config, int batch,
                                                               const kernels::Stream& stream) {
  LastKeysMemory made;
  made.batch_ = batch;
  made.count_ = positive(batch) * positive(config.rank()) * positive(config.ngroups) * positive(config.d_state);
  const std::size_t layers = positive(config.n_layer);
  auto values = kernels::DeviceBuffer::allocate(2 * layers * made.count_ * sizeof(float), "the last keys");
  if (!values) return tl::unexpected(values.error());
  made.values_ = std::move(*values);
  auto known = kernels::DeviceBuffer::allocate(2 * layers * sizeof(std::int32_t), "the last keys");
  if (!known) return tl::unexpected(known.error());
  made.known_ = std::move(*known);
  auto done = stream.fill_zero(made.values_.at(), made.values_.bytes()).and_then([&] { return made.forget(stream); });
  if (done) done = stream.synchronize();
  if (!done) return tl::unexpected(done.error());
  return made;
}

kernels::LastKeys LastKeysMemory::layer(int l) const {
  float* const now = values_.at<float>() + 2 * positive(l) * count_;
  return {now, now + count_, known_.at<std::int32_t>() + 2 * positive(l)};
}

kernels::DeviceResult<void> LastKeysMemory::write_cache(const CudaWeights& weights, const CudaBuffers& buffers,
                                                        const kernels::Stream& stream) const {
  const ModelConfig& config = weights.config;
  kernels::DeviceResult<void> done;
  for (int l = 0; done && l < config.n_layer; ++l) {
    const CudaBuffers::Layer& state = buffers.layers[positive(l)];
    kernels::LastKeysArgs args;
    args.batch = batch_;
    args.heads = config.heads();
    args.d_state = config.d_state;
    args.rank = config.rank();
    args.groups = config.ngroups;
    args.angles = config.angles();
    args.half_pairs = config.is_mimo;
    args.from = layer(l);
    args.b_norm = weights.layers[positive(l)].b_norm.data();
    args.b_bias = weights.layers[positive(l)].b_bias.data();
    args.angle = state.angle.data();
    args.k_prev = state.k_prev.data();
    done = kernels::check_cuda(kernels::device::last_keys(args, stream.handle()), "launch");
  }
  return done;
}

kernels::DeviceResult<void> LastKeysMemory::forget(const kernels::Stream& stream) const {
  return stream.fill_zero(known_.at(), known_.bytes());
}

}  // namespace engine
