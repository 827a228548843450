#include "engine/backend/cuda_tiles.h"

#include <fmt/core.h>

#include <cstddef>
#include <mutex>
#include <utility>
#include <vector>

namespace engine {

namespace {

using kernels::DeviceResult;

constexpr const char* what = "the state at a coarser grain";
constexpr std::size_t tiles_at = 256;  // bytes: behind the summary

template <class T>
int launch(const CudaBuffers& buffers, const ModelConfig& config, const kernels::Stream& stream,
           const CudaTiles::Asked& asked, const kernels::DeviceBuffer& to) {
  const auto& layers = buffers.layers;
  const auto* first = static_cast<const T*>(layers[0].matrix);
  const std::size_t cells = static_cast<std::size_t>(config.d_inner()) * static_cast<std::size_t>(config.d_state);
  kernels::StateTilesArgs<T> args;
  args.layers = config.n_layer;
  args.heads = config.heads();
  args.headdim = config.headdim;
  args.d_state = config.d_state;
  args.rows = asked.request.rows;
  args.columns = asked.request.columns;
  args.h = first + static_cast<std::size_t>(asked.sequence) * cells;
  if (layers.size() > 1) args.layer_stride = static_cast<std::size_t>(static_cast<const T*>(layers[1].matrix) - first);
  args.tiles = to.at<kernels::StateTile>(tiles_at);
  args.summary = to.at<kernels::StateTilesSummary>();
  return kernels::device::state_tiles(args, stream.handle());
}

Error failure(const kernels::DeviceError& error) {
  return {ErrorKind::system, fmt::format("Reading the whole state: {}.", error.message)};
}

}  // namespace

// Room for blocks on the device and on the host.
class CudaTiles::Place final : public DeviceTiles {
 public:
  static DeviceResult<std::unique_ptr<Place>> create(std::size_t tiles) {
    auto place = std::make_unique<Place>();
    const std::size_t bytes = tiles_at + sizeof(kernels::StateTile) * tiles;
    auto device = kernels::DeviceBuffer::allocate(bytes, what);
    if (!device) return tl::unexpected(device.error());
    auto host = kernels::PinnedBuffer::allocate(bytes, what);
    if (!host) return tl::unexpected(host.error());
    for (kernels::Event* event : {&place->made, &place->arrived, &place->copied}) {
      auto created = kernels::Event::create_without_time();
      if (!created) return tl::unexpected(created.error());
      *event = std::move(*created);
    }
    place->device = std::move(*device);
    place->host = std::move(*host);
    return place;
  }

  Result<void> copy_to(void* memory, void* stream) const override {
    was_copied = true;
    auto queued = kernels::copy_behind(made, memory, device.at(tiles_at), sizeof(kernels::StateTile) * count,
                                       static_cast<kernels::StreamHandle>(stream), copied);
    if (!queued) return tl::unexpected(failure(queued.error()));
    return {};
  }

  std::size_t count = 0;  // of blocks that lie here now
  kernels::DeviceBuffer device;
  kernels::PinnedBuffer host;
  // On the step's stream; on that of the copies to the host; on that of who copied them elsewhere.
  kernels::Event made, arrived, copied;
  mutable bool was_copied = false;
};

// Those that nobody holds. What is handed out comes back by itself, and keeps this alive.
class CudaTiles::Places : public std::enable_shared_from_this<Places> {
 public:
  DeviceResult<std::shared_ptr<Place>> take(std::size_t tiles) {
    std::unique_ptr<Place> place;
    {
      const std::lock_guard lock(mutex_);
      if (!free_.empty()) {
        place = std::move(free_.back());
        free_.pop_back();
      }
    }
    if (place == nullptr || place->host.bytes() < tiles_at + sizeof(kernels::StateTile) * tiles) {
      auto made = Place::create(tiles);
      if (!made) return tl::unexpected(made.error());
      place = std::move(*made);
    }
    place->count = tiles;
    return std::shared_ptr<Place>(place.release(), [places = shared_from_this()](Place* back) {
      const std::lock_guard lock(places->mutex_);
      places->free_.emplace_back(back);
    });
  }

 private:
  std::mutex mutex_;
  std::vector<std::unique_ptr<Place>> free_;
};

class CudaTiles::Coming final : public ComingTiles {
 public:
  Coming(std::shared_ptr<Place> place, std::shared_ptr<kernels::Stream> copies, const Asked& asked)
      : place_(std::move(place)), copies_(std::move(copies)), asked_(asked) {}
  Coming(const Coming&) = delete;
  Coming& operator=(const Coming&) = delete;
  ~Coming() override {
    if (place_ != nullptr) static_cast<void>(place_->arrived.wait());  // nothing is written to it any more
  }
  bool arrived() const override { return place_->arrived.happened(); }
  Result<std::shared_ptr<const StateTiles>> take() override {
    if (auto there = place_->arrived.wait(); !there) return tl::unexpected(failure(there.error()));
    auto tiles = std::make_shared<StateTiles>();
    tiles->position = asked_.position;
    tiles->rows = asked_.request.rows;
    tiles->columns = asked_.request.columns;
    tiles->count = place_->count;
    tiles->summarise(*place_->host.as<kernels::StateTilesSummary>());
    if (asked_.request.on_device) {
      tiles->on_device = std::move(place_);
    } else {
      const std::byte* first = place_->host.as<std::byte>() + tiles_at;
      tiles->tiles = {static_cast<const kernels::StateTile*>(static_cast<const void*>(first)), place_->count};
      tiles->memory = std::move(place_);
    }
    place_ = nullptr;
    return tiles;
  }

 private:
  std::shared_ptr<Place> place_;
  std::shared_ptr<kernels::Stream> copies_;  // outlives what is on its way
  Asked asked_;
};

CudaTiles::CudaTiles() : places_(std::make_shared<Places>()) {}
CudaTiles::~CudaTiles() = default;

DeviceResult<std::unique_ptr<ComingTiles>> CudaTiles::queue(const CudaBuffers& buffers, const ModelConfig& config,
                                                            const kernels::Stream& stream, const Asked& asked) {
  if (copies_ == nullptr) {
    auto copies = kernels::Stream::create();
    if (!copies) return tl::unexpected(copies.error());
    copies_ = std::make_shared<kernels::Stream>(std::move(*copies));
  }
  auto taken =
      places_->take(static_cast<std::size_t>(config.n_layer) * static_cast<std::size_t>(config.heads()) *
                    static_cast<std::size_t>(asked.request.rows) * static_cast<std::size_t>(asked.request.columns));
  if (!taken) return tl::unexpected(taken.error());
  Place& place = **taken;
  DeviceResult<void> done;
  // Who copied what lay here before has let go of it, but the copy may wait still.
  if (std::exchange(place.was_copied, false)) done = stream.wait_for(place.copied);
  if (done) done = stream.fill_zero(place.device.at(), sizeof(kernels::StateTilesSummary));
  if (done) {
    const int code = buffers.state_dtype() == kernels::DType::bf16
                         ? launch<std::uint16_t>(buffers, config, stream, asked, place.device)
                         : launch<float>(buffers, config, stream, asked, place.device);
    done = kernels::check_cuda(code, "launch of state_tiles");
  }
  const std::size_t bytes = asked.request.on_device ? sizeof(kernels::StateTilesSummary)
                                                    : tiles_at + sizeof(kernels::StateTile) * place.count;
  if (done) done = place.made.record(stream);
  if (done) done = copies_->wait_for(place.made);
  if (done) done = copies_->copy_to_host(place.host.as<std::byte>(), place.device.at(), bytes);
  if (done) done = place.arrived.record(*copies_);
  if (!done) return tl::unexpected(done.error());
  return std::make_unique<Coming>(std::move(*taken), copies_, asked);
}

}  // namespace engine
