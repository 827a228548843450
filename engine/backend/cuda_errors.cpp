#include "engine/backend/cuda_errors.h"

#include "engine/backend/stage_arguments.h"
#include "kernels/device/copy.h"
#include "kernels/device/launch.h"

#include <utility>

namespace engine {

namespace {

std::size_t positive(int value) { return static_cast<std::size_t>(value); }

// Elements from one layer's piece to the next one's.
template <class T>
std::size_t stride(const std::vector<CudaBuffers::Layer>& layers, std::span<T> CudaBuffers::Layer::*piece) {
  return layers.size() < 2 ? 0 : static_cast<std::size_t>((layers[1].*piece).data() - (layers[0].*piece).data());
}

}  // namespace

kernels::DeviceResult<CudaErrors> CudaErrors::create(const Weights& weights, int batch, const kernels::Stream& stream) {
  CudaErrors made;
  const ModelConfig& config = weights.config;
  made.config_ = config;
  made.batch_ = batch;
  made.keys_ = positive(config.rank()) * positive(config.heads()) * positive(config.d_state);
  made.values_ = positive(config.d_inner());
  made.found_ = positive(config.heads()) * kernels::errors_per_head;
  const std::size_t all = positive(config.n_layer) * positive(batch);
  kernels::Layout layout;
  layout.add(sizeof(float) * all * made.keys_);
  made.values_at_ = layout.add(sizeof(float) * all * made.values_);
  made.found_at_ = layout.add(sizeof(float) * all * made.found_);
  auto memory = kernels::DeviceBuffer::allocate(layout.bytes(), "the last token's keys and the errors");
  if (!memory) return tl::unexpected(memory.error());
  made.memory_ = std::move(*memory);
  auto staging =
      kernels::PinnedBuffer::allocate(sizeof(float) * positive(config.n_layer) * made.found_, "reading back");
  if (!staging) return tl::unexpected(staging.error());
  made.staging_ = std::move(*staging);
  auto beside = kernels::Stream::create();
  auto begin = kernels::Event::create_without_time(), end = kernels::Event::create_without_time();
  if (!beside) return tl::unexpected(beside.error());
  if (!begin) return tl::unexpected(begin.error());
  if (!end) return tl::unexpected(end.error());
  made.beside_ = std::move(*beside);
  made.begin_ = std::move(*begin);
  made.end_ = std::move(*end);
  if (!config.is_mimo) return made;

  std::vector<float> mimo_x;
  for (const LayerWeights& layer : weights.layers)
    mimo_x.insert(mimo_x.end(), layer.mimo_x.begin(), layer.mimo_x.end());
  auto mix = kernels::DeviceBuffer::allocate(sizeof(float) * mimo_x.size(), "the values' weights");
  if (!mix) return tl::unexpected(mix.error());
  made.mimo_x_ = std::move(*mix);
  auto done = stream.copy_to_device(made.mimo_x_.at(), mimo_x.data(), sizeof(float) * mimo_x.size()).and_then([&] {
    return stream.synchronize();
  });
  if (!done) return tl::unexpected(done.error());
  return made;
}

kernels::DiscretisationErrorsArgs<float> CudaErrors::arguments(const CudaBuffers& buffers) const {
  const CudaBuffers::Layer& first = buffers.layers.front();
  auto args = errors_sizes<float>(config_, batch_);
  args.layers = config_.n_layer;
  args.coefficient_stride = stride(buffers.layers, &CudaBuffers::Layer::dt);
  args.dt = first.dt.data();
  args.a = first.a.data();
  args.lambda = first.lambda.data();
  args.turn = first.turn.data();
  args.mimo_x = config_.is_mimo ? mimo_x_.at<const float>() : nullptr;
  args.k = first.k_prev.data();
  args.x = first.x_prev.data();
  args.k_before = memory_.at<float>();
  args.x_before = memory_.at<float>(values_at_);
  args.errors = memory_.at<float>(found_at_);
  args.changes = first.changes;
  return args;
}

kernels::DeviceResult<void> CudaErrors::launch(const CudaBuffers& buffers, const kernels::Stream& stream,
                                               bool overlap) const {
  return kernels::check_cuda(kernels::device::discretisation_errors(arguments(buffers), stream.handle(), overlap),
                             "launch");
}

kernels::DeviceResult<void> CudaErrors::launch_beside(const CudaBuffers& buffers, const kernels::Stream& stream) const {
  return begin_.record(stream)
      .and_then([&] { return beside_.wait_for(begin_); })
      .and_then([&] { return launch(buffers, beside_, false); })
      .and_then([&] { return end_.record(beside_); });
}

kernels::DeviceResult<void> CudaErrors::join(const kernels::Stream& stream) const { return stream.wait_for(end_); }

kernels::DeviceResult<void> CudaErrors::clear(const kernels::Stream& stream) const {
  return stream.fill_zero(memory_.at(), memory_.bytes());
}

kernels::DeviceResult<void> CudaErrors::read(const kernels::Stream& stream, int sequence, StepErrors& out) {
  const std::size_t layers = positive(config_.n_layer), width = sizeof(float) * found_;
  const float* from = memory_.at<const float>(found_at_) + positive(sequence) * found_;
  auto done =
      stream.copy_rows_to_host(staging_.as<float>(), from, width * positive(batch_), width, layers).and_then([&] {
        return stream.synchronize();
      });
  if (!done) return done;
  const float* found = staging_.as<float>();
  out.stored.resize(layers * positive(config_.heads()));
  out.unrotated.resize(out.stored.size());
  for (std::size_t at = 0; at < out.stored.size(); ++at, found += kernels::errors_per_head) {
    out.stored[at] = {found[0], found[1], found[2]};
    out.unrotated[at] = {found[3], found[4], found[5]};
  }
  return {};
}

kernels::DeviceResult<void> CudaErrors::take_last(const CudaBuffers& buffers, const kernels::Stream& stream) const {
  // All layers' caches lie one behind the other, here and there.
  const std::size_t count = sizeof(float) * positive(config_.n_layer) * positive(batch_);
  const CudaBuffers::Layer& first = buffers.layers.front();
  return kernels::copy_on_device(stream, memory_.at(), first.k_prev.data(), count * keys_).and_then([&] {
    return kernels::copy_on_device(stream, memory_.at<float>(values_at_), first.x_prev.data(), count * values_);
  });
}

kernels::DeviceResult<void> CudaErrors::restore(const kernels::Stream& stream, int sequence,
                                                const std::vector<LayerState>& state) const {
  kernels::DeviceResult<void> done;
  for (std::size_t l = 0; done && l < state.size(); ++l) {
    const std::size_t at = l * positive(batch_) + positive(sequence);
    done =
        stream.copy_to_device(memory_.at<float>() + at * keys_, state[l].k.data(), sizeof(float) * keys_).and_then([&] {
          return stream.copy_to_device(memory_.at<float>(values_at_) + at * values_, state[l].v.data(),
                                       sizeof(float) * values_);
        });
  }
  return done.and_then([&] { return stream.synchronize(); });
}

}  // namespace engine
