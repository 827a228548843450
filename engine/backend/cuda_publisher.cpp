#include "engine/backend/cuda_publisher.h"

#include "kernels/device/gather.h"

#include <utility>

namespace engine {

CudaPublisher::CudaPublisher(const CudaBuffers& buffers, PublishRequest request, int multiprocessors)
    : buffers_(buffers),
      request_(std::move(request)),
      multiprocessors_(multiprocessors),
      pieces_(buffers.step_pieces(request_.sequence, request_.layer)) {}

CudaPublisher::~CudaPublisher() {
  // The copies end before their memory does; a failure has been the answer of another call already.
  if (copies_.handle() != nullptr) static_cast<void>(copies_.synchronize());
}

kernels::DeviceResult<std::unique_ptr<CudaPublisher>> CudaPublisher::create(const CudaBuffers& buffers,
                                                                            PublishRequest request,
                                                                            int multiprocessors) {
  std::unique_ptr<CudaPublisher> made(new CudaPublisher(buffers, std::move(request), multiprocessors));
  const std::size_t bytes = made->places_.size() * made->pieces_.bytes;
  auto copies = kernels::Stream::create();
  if (!copies) return tl::unexpected(copies.error());
  auto device = kernels::DeviceBuffer::allocate(bytes, "what a step publishes");
  if (!device) return tl::unexpected(device.error());
  auto host = kernels::PinnedBuffer::allocate(bytes, "what a step publishes");
  if (!host) return tl::unexpected(host.error());
  for (std::size_t i = 0; i < made->places_.size(); ++i) {
    Place& place = made->places_[i];
    place.offset = i * made->pieces_.bytes;
    for (kernels::Event* event : {&place.gathered, &place.arrived}) {
      auto created = kernels::Event::create_without_time();
      if (!created) return tl::unexpected(created.error());
      *event = std::move(*created);
    }
  }
  // What lies between two pieces is copied with them.
  auto cleared = copies->fill_zero(device->at(), bytes).and_then([&] { return copies->synchronize(); });
  if (!cleared) return tl::unexpected(cleared.error());
  made->copies_ = std::move(*copies);
  made->device_ = std::move(*device);
  made->host_ = std::move(*host);
  return made;
}

kernels::DeviceResult<void> CudaPublisher::follow(const kernels::Stream& step, std::int64_t position) {
  Place& place = places_[next_];
  next_ = (next_ + 1) % places_.size();
  std::byte* gathered = device_.at<std::byte>(place.offset);
  // What was here has been handed over, so that its copy has ended.
  auto queued = kernels::check_cuda(kernels::device::gather(pieces_.gather, gathered, multiprocessors_, step.handle()),
                                    "launch of gather");
  queued =
      queued.and_then([&] { return place.gathered.record(step); })
          .and_then([&] { return copies_.wait_for(place.gathered); })
          .and_then([&] { return copies_.copy_to_host(host_.as<std::byte>() + place.offset, gathered, pieces_.bytes); })
          .and_then([&] { return place.arrived.record(copies_); });
  if (!queued) return queued;
  place.position = position;
  place.pending = true;
  return hand_over(places_[next_]);
}

kernels::DeviceResult<void> CudaPublisher::finish() {
  kernels::DeviceResult<void> done;
  for (std::size_t i = 0; done && i < places_.size(); ++i) done = hand_over(places_[(next_ + i) % places_.size()]);
  return done;
}

kernels::DeviceResult<void> CudaPublisher::hand_over(Place& place) {
  if (!place.pending) return {};
  place.pending = false;
  if (auto there = place.arrived.wait(); !there) return there;
  published_.position = place.position;
  buffers_.unpack(pieces_, host_.as<std::byte>() + place.offset, published_);
  request_.receive(published_);
  return {};
}

}  // namespace engine
