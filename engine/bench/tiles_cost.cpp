#include "engine/bench/tiles_cost.h"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <memory>

namespace engine {

namespace {

constexpr int turns = 8;
constexpr int warm_up = 4;  // of each turn

using Clock = std::chrono::steady_clock;

// Steps, each with its blocks queued behind it and taken one step later. The last blocks: of the last step.
Result<void> take_turn(Backend& backend, std::span<const std::int32_t> ids, const TilesRequest* request, int steps,
                       std::vector<double>& each_ms, std::shared_ptr<const StateTiles>& last) {
  std::unique_ptr<ComingTiles> coming;
  const auto take = [&]() -> Result<void> {
    if (coming == nullptr) return {};
    auto taken = coming->take();
    if (!taken) return tl::unexpected(taken.error());
    last = std::move(*taken);
    coming.reset();
    return {};
  };
  auto start = Clock::now();
  for (int i = 0; i < warm_up + steps; ++i) {
    if (i == warm_up) start = Clock::now();
    if (auto stepped = backend.step(ids, nullptr); !stepped) return stepped;
    if (auto taken = take(); !taken) return taken;
    if (request == nullptr) continue;
    auto queued = backend.queue_state_tiles(0, *request);
    if (!queued) return tl::unexpected(queued.error());
    coming = std::move(*queued);
  }
  if (auto taken = take(); !taken) return taken;
  each_ms.push_back(std::chrono::duration<double, std::milli>(Clock::now() - start).count() / steps);
  return {};
}

Result<bool> are_of_the_state(Backend& backend, const ModelConfig& config, const StateTiles& tiles) {
  std::vector<kernels::StateTile> expected;
  for (int layer = 0; layer < config.n_layer; ++layer) {
    SequenceState state;
    if (auto read = backend.read_state(0, {&layer, 1}, true, state); !read) return tl::unexpected(read.error());
    std::vector<kernels::StateTile> own(tiles.count / static_cast<std::size_t>(config.n_layer));
    kernels::StateTilesArgs<float> args;
    args.heads = config.heads();
    args.headdim = config.headdim;
    args.d_state = config.d_state;
    args.rows = tiles.rows;
    args.columns = tiles.columns;
    args.h = state.layers[static_cast<std::size_t>(layer)].ssm.data();
    args.tiles = own.data();
    kernels::state_tiles(args);
    expected.insert(expected.end(), own.begin(), own.end());
  }
  return tiles.position == backend.position() && tiles.tiles.size() == expected.size() &&
         std::memcmp(tiles.tiles.data(), expected.data(), tiles.bytes()) == 0;
}

}  // namespace

Result<TilesCost> measure_tiles_cost(Backend& backend, const ModelConfig& config, std::span<const std::int32_t> ids,
                                     int steps) {
  TilesRequest on_host, on_device;
  on_host.rows = on_device.rows = std::min(on_host.rows, config.headdim);
  on_host.columns = on_device.columns = std::min(on_host.columns, config.d_state);
  on_device.on_device = true;
  TilesCost cost;
  cost.rows = on_host.rows;
  cost.columns = on_host.columns;
  const int in_turn = std::max(1, (steps + turns - 1) / turns);
  std::shared_ptr<const StateTiles> last, unused;
  for (int turn = 0; turn < turns; ++turn) {
    auto done = take_turn(backend, ids, nullptr, in_turn, cost.without_ms, unused)
                    .and_then([&] { return take_turn(backend, ids, &on_device, in_turn, cost.on_device_ms, unused); })
                    .and_then([&] { return take_turn(backend, ids, &on_host, in_turn, cost.host_ms, last); });
    if (!done) return tl::unexpected(done.error());
  }
  cost.bytes = last->bytes();
  const auto same = are_of_the_state(backend, config, *last);
  if (!same) return tl::unexpected(same.error());
  cost.same_bits = *same;
  return cost;
}

}  // namespace engine
