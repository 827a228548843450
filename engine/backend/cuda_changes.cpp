#include "engine/backend/cuda_changes.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace engine {

namespace {

using kernels::DeviceResult;

constexpr const char* what = "the changes of a step";
constexpr std::size_t cells_at = 16;      // bytes: behind the count
constexpr std::size_t fewest_cells = 64;  // that room is made for

std::size_t list_bytes(std::size_t cells) { return cells_at + sizeof(kernels::CellChange) * cells; }

}  // namespace

CudaChanges::CudaChanges(const ModelConfig& config, int batch)
    : config_(config), batch_(batch), cells_(static_cast<std::size_t>(batch)) {
  heads_.neutral = neutral_heads(config, 1);
  ranks_.neutral = neutral_ranks(config, 1);
  pairs_.neutral = neutral_pairs(config, 1);
  const std::vector<bool> none(static_cast<std::size_t>(config.n_layer));
  for (auto* given : {&heads_.given, &ranks_.given, &pairs_.given}) given->assign(cells_.size(), none);
  heads_.present = ranks_.present = pairs_.present = none;
}

template <class Change>
DeviceResult<void> CudaChanges::Table<Change>::allocate(std::size_t layers) {
  if (all.bytes() > 0) return {};
  const std::size_t bytes = sizeof(Change) * layers * neutral.size();
  auto memory = kernels::DeviceBuffer::allocate(bytes * given.size(), what);
  if (!memory) return tl::unexpected(memory.error());
  auto pinned = kernels::PinnedBuffer::allocate(bytes, what);
  if (!pinned) return tl::unexpected(pinned.error());
  all = std::move(*memory);
  staging = std::move(*pinned);
  return {};
}

template <class Change>
DeviceResult<bool> CudaChanges::Table<Change>::set(const kernels::Stream& stream, std::size_t sequence,
                                                   const std::vector<Change>& changes, std::size_t layers) {
  const std::size_t count = neutral.size(), width = sizeof(Change) * count;
  const auto any = [](const std::vector<bool>& of) { return std::find(of.begin(), of.end(), true) != of.end(); };
  const std::vector<bool> before = std::exchange(present, std::vector<bool>(layers));
  for (std::size_t l = 0; l < layers; ++l) {
    given[sequence][l] = !changes.empty() && std::memcmp(changes.data() + l * count, neutral.data(), width) != 0;
    present[l] = std::any_of(given.begin(), given.end(), [l](const std::vector<bool>& one) { return one[l]; });
  }
  if (!any(present)) return any(before);
  if (!any(before)) {
    std::vector<Change> fresh;
    fresh.reserve(layers * given.size() * count);
    for (std::size_t i = 0; i < layers * given.size(); ++i) fresh.insert(fresh.end(), neutral.begin(), neutral.end());
    auto filled = stream.copy_to_device(all.at(), fresh.data(), width * layers * given.size()).and_then([&] {
      return stream.synchronize();
    });
    if (!filled) return tl::unexpected(filled.error());
  }
  for (std::size_t l = 0; l < layers; ++l) {
    std::memcpy(staging.as<Change>() + l * count, changes.empty() ? neutral.data() : changes.data() + l * count, width);
  }
  auto queued = stream.copy_rows_to_device(all.at<Change>() + sequence * count, width * given.size(),
                                           staging.as<Change>(), width, layers);
  if (!queued) return tl::unexpected(queued.error());
  return present != before;
}

DeviceResult<bool> CudaChanges::reserve_cells(const kernels::Stream& stream, std::size_t count) {
  if (count <= cell_capacity_) return false;
  const std::size_t capacity = std::max({count, 2 * cell_capacity_, fewest_cells});
  auto memory = kernels::DeviceBuffer::allocate(list_bytes(capacity), what);
  if (!memory) return tl::unexpected(memory.error());
  auto pinned = kernels::PinnedBuffer::allocate(list_bytes(capacity), what);
  if (!pinned) return tl::unexpected(pinned.error());
  if (auto idle = stream.synchronize(); !idle) return tl::unexpected(idle.error());  // nobody reads the smaller one
  cell_list_ = std::move(*memory);
  cell_staging_ = std::move(*pinned);
  cell_capacity_ = capacity;
  return true;
}

DeviceResult<void> CudaChanges::copy_cells(const kernels::Stream& stream) {
  auto* const staged = cell_staging_.as<std::byte>();
  int count = 0;
  for (const std::vector<kernels::CellChange>& cells : cells_) {
    if (cells.empty()) continue;
    std::memcpy(staged + list_bytes(static_cast<std::size_t>(count)), cells.data(),
                sizeof(kernels::CellChange) * cells.size());
    count += static_cast<int>(cells.size());
  }
  std::memcpy(staged, &count, sizeof count);
  return stream.copy_to_device(cell_list_.at(), staged, list_bytes(static_cast<std::size_t>(count)));
}

DeviceResult<bool> CudaChanges::set(const kernels::Stream& stream, int sequence, const SequenceChanges& changes,
                                    CudaBuffers& buffers) {
  const auto at = static_cast<std::size_t>(sequence);
  const bool has_none = !heads_.gives(at) && !ranks_.gives(at) && !pairs_.gives(at) && cells_[at].empty();
  if (changes.none() && has_none) return false;

  // All memory first.
  const std::size_t layers = buffers.layers.size();
  DeviceResult<void> ready;
  if (copied_.handle() == nullptr) {
    auto event = kernels::Event::create_without_time();
    if (!event) return tl::unexpected(event.error());
    copied_ = std::move(*event);
  } else {
    ready = copied_.wait();
  }
  if (ready && !changes.heads.empty()) ready = heads_.allocate(layers);
  if (ready && !changes.ranks.empty()) ready = ranks_.allocate(layers);
  if (ready && !changes.pairs.empty()) ready = pairs_.allocate(layers);
  if (!ready) return tl::unexpected(ready.error());
  std::size_t cells = changes.cells.size();
  for (std::size_t s = 0; s < cells_.size(); ++s) cells += s == at ? 0 : cells_[s].size();
  auto renewed = reserve_cells(stream, cells);
  if (!renewed) return renewed;

  const auto set_table = [&](auto& table, const auto& given) -> DeviceResult<void> {
    auto set = table.set(stream, at, given, layers);
    if (!set) return tl::unexpected(set.error());
    *renewed = *renewed || *set;
    return {};
  };
  auto done = set_table(heads_, changes.heads).and_then([&] { return set_table(ranks_, changes.ranks); }).and_then([&] {
    return set_table(pairs_, changes.pairs);
  });
  if (done && !(changes.cells.empty() && cells_[at].empty())) {
    cells_[at] = changes.cells;
    for (kernels::CellChange& cell : cells_[at]) cell.sequence = sequence;
    if (std::exchange(has_cells_, cells > 0) != has_cells_) *renewed = true;
    done = copy_cells(stream);
  }
  if (done) done = copied_.record(stream);
  if (!done) return tl::unexpected(done.error());
  for (std::size_t l = 0; l < layers; ++l) {
    buffers.layers[l].changes = {heads_.of_layer(l), ranks_.of_layer(l), pairs_.of_layer(l)};
  }
  return renewed;
}

kernels::ChangeCellsArgs CudaChanges::cells(const CudaBuffers& buffers) const {
  kernels::ChangeCellsArgs args;
  args.batch = batch_;
  args.heads = config_.heads();
  args.headdim = config_.headdim;
  args.d_state = config_.d_state;
  args.bf16_state = buffers.state_dtype() == kernels::DType::bf16;
  args.count = cell_list_.at<const int>();
  args.cells = cell_list_.at<const kernels::CellChange>(cells_at);
  args.h = buffers.layers.front().matrix;
  return args;
}

}  // namespace engine
