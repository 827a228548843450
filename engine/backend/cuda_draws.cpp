#include "engine/backend/cuda_draws.h"

#include <algorithm>
#include <utility>

namespace engine {

namespace {

// Long enough for the wait between two pieces to be lost in them.
constexpr std::size_t least_steps = 64, ids_of_a_piece = 4096;

}  // namespace

kernels::DeviceResult<CudaDraws> CudaDraws::create(int batch) {
  CudaDraws made;
  made.batch_ = static_cast<std::size_t>(batch);
  made.capacity_ = std::max(least_steps, ids_of_a_piece / made.batch_);
  const std::size_t ids = sizeof(std::int32_t) * made.capacity_ * made.batch_;
  const std::size_t cursors = sizeof(kernels::SampleCursor) * made.batch_;
  constexpr const char* what = "the ids that are drawn";
  auto device_cursors = kernels::DeviceBuffer::allocate(cursors, what);
  if (!device_cursors) return tl::unexpected(device_cursors.error());
  auto device_ids = kernels::DeviceBuffer::allocate(ids, what);
  if (!device_ids) return tl::unexpected(device_ids.error());
  auto host_cursors = kernels::PinnedBuffer::allocate(cursors, what);
  if (!host_cursors) return tl::unexpected(host_cursors.error());
  auto host_ids = kernels::PinnedBuffer::allocate(ids, what);
  if (!host_ids) return tl::unexpected(host_ids.error());
  made.cursors_ = std::move(*device_cursors);
  made.drawn_ = std::move(*device_ids);
  made.host_cursors_ = std::move(*host_cursors);
  made.host_drawn_ = std::move(*host_ids);
  return made;
}

kernels::DeviceResult<void> CudaDraws::begin(const kernels::Stream& stream, std::int64_t position) {
  auto* cursors = host_cursors_.as<kernels::SampleCursor>();
  std::fill(cursors, cursors + batch_, kernels::SampleCursor{static_cast<std::uint64_t>(position), 0});
  return stream.copy_to_device(cursors_.at(), cursors, cursors_.bytes());
}

kernels::SampleArgs CudaDraws::arguments(const CudaBuffers& buffers, int vocab, const kernels::DrawRule& rule) const {
  kernels::SampleArgs args;
  args.batch = static_cast<int>(batch_);
  args.vocab = vocab;
  args.stride = buffers.logits.size() / batch_;
  args.logits = buffers.logits.data();
  args.rest = buffers.logits_rest.empty() ? nullptr : buffers.logits_rest.data();
  args.rule = rule;
  args.cursors = cursors_.at<kernels::SampleCursor>();
  args.ids = buffers.ids.data();
  args.drawn = drawn_.at<std::int32_t>();
  return args;
}

kernels::DeviceResult<void> CudaDraws::fetch(const kernels::Stream& stream, std::span<std::int32_t> ids) {
  const auto* drawn = host_drawn_.as<std::int32_t>();
  auto done = stream.copy_to_host(host_drawn_.as<std::int32_t>(), drawn_.at(), ids.size_bytes()).and_then([&] {
    return stream.synchronize();
  });
  if (done) std::copy(drawn, drawn + ids.size(), ids.begin());
  return done;
}

}  // namespace engine
