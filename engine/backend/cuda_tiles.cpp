#include "engine/backend/cuda_tiles.h"

#include <algorithm>
#include <cstddef>
#include <utility>

namespace engine {

namespace {

template <class T>
int launch(const CudaBuffers& buffers, const ModelConfig& config, const kernels::Stream& stream, int sequence,
           const StateTiles& out, kernels::StateTile* tiles) {
  const auto& layers = buffers.layers;
  const auto* first = static_cast<const T*>(layers[0].matrix);
  const std::size_t cells = static_cast<std::size_t>(config.d_inner()) * static_cast<std::size_t>(config.d_state);
  kernels::StateTilesArgs<T> args;
  args.layers = config.n_layer;
  args.heads = config.heads();
  args.headdim = config.headdim;
  args.d_state = config.d_state;
  args.rows = out.rows;
  args.columns = out.columns;
  args.h = first + static_cast<std::size_t>(sequence) * cells;
  if (layers.size() > 1) args.layer_stride = static_cast<std::size_t>(static_cast<const T*>(layers[1].matrix) - first);
  args.tiles = tiles;
  return kernels::device::state_tiles(args, stream.handle());
}

}  // namespace

kernels::DeviceResult<void> CudaTiles::read(const CudaBuffers& buffers, const ModelConfig& config,
                                            const kernels::Stream& stream, int sequence, StateTiles& out) {
  const std::size_t count = static_cast<std::size_t>(config.n_layer) * static_cast<std::size_t>(config.heads()) *
                            static_cast<std::size_t>(out.rows) * static_cast<std::size_t>(out.columns);
  const std::size_t bytes = sizeof(kernels::StateTile) * count;
  if (bytes > bytes_) {
    auto device = kernels::DeviceBuffer::allocate(bytes, "the state at a coarser grain");
    if (!device) return tl::unexpected(device.error());
    auto host = kernels::PinnedBuffer::allocate(bytes, "the state at a coarser grain");
    if (!host) return tl::unexpected(host.error());
    device_ = std::move(*device);
    host_ = std::move(*host);
    bytes_ = bytes;
  }
  auto* tiles = device_.at<kernels::StateTile>();
  const int code = buffers.state_dtype() == kernels::DType::bf16
                       ? launch<std::uint16_t>(buffers, config, stream, sequence, out, tiles)
                       : launch<float>(buffers, config, stream, sequence, out, tiles);
  auto done = kernels::check_cuda(code, "launch of state_tiles")
                  .and_then([&] { return stream.copy_to_host(host_.as<std::byte>(), tiles, bytes); })
                  .and_then([&] { return stream.synchronize(); });
  if (!done) return done;
  const auto* found = host_.as<kernels::StateTile>();
  out.tiles.assign(found, found + count);
  return {};
}

}  // namespace engine
