#include "engine/backend/backend.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <chrono>
#include <utility>
#include <vector>

namespace engine {

Result<void> Backend::step_all(std::span<const std::int32_t> ids, Observer* observer) {
  if (auto ok = check_generated(ids.size()); !ok) return ok;
  const auto batch = static_cast<std::size_t>(plan().batch);
  for (; !ids.empty(); ids = ids.subspan(batch)) {
    if (auto stepped = step(ids.first(batch), observer); !stepped) return stepped;
  }
  return {};
}

Result<void> Backend::time_steps(std::span<const std::int32_t> ids, std::span<double> milliseconds, CacheState cache) {
  if (cache == CacheState::cold)
    return input_error("Only a GPU's cache can be emptied between two steps. Use --l2 warm, or --backend cuda.");
  for (double& taken : milliseconds) {
    const auto start = std::chrono::steady_clock::now();
    if (auto done = step(ids, nullptr); !done) return done;
    taken = std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
  }
  return {};
}

Result<void> Backend::time_stages(std::span<const StageKind>, int, std::span<double>) {
  return input_error("This backend does not time stages by themselves.");
}

Result<void> Backend::generate(const Sampler& /*sampler*/, std::span<std::int32_t> /*ids*/) {
  return input_error("This backend does not draw ids.");
}

Result<void> Backend::prefill(std::span<const std::int32_t> ids, PrefillProgress* progress) {
  const auto batch = static_cast<std::size_t>(plan().batch);
  if (auto ok = check_generated(ids.size()); !ok) return ok;
  for (; !ids.empty(); ids = ids.subspan(batch)) {
    if (progress != nullptr && progress->cancelled) return input_error(prefill_cancelled);
    if (auto stepped = step(ids.first(batch), nullptr); !stepped) return stepped;
    if (progress != nullptr) ++progress->tokens;
  }
  return {};
}

Result<void> Backend::prefill_pieces(std::span<const std::int32_t> ids, std::size_t most, PrefillProgress* progress,
                                     std::int64_t& position, const RunPiece& run) const {
  const auto batch = static_cast<std::size_t>(plan().batch);
  const std::size_t tokens = ids.size() / batch - 1;
  std::vector<std::int32_t> own;
  for (std::size_t first = 0; first < tokens;) {
    if (progress != nullptr && progress->cancelled) return input_error(prefill_cancelled);
    const std::size_t count = std::min(most, tokens - first);
    own.resize(count);
    for (std::size_t b = 0; b < batch; ++b) {
      for (std::size_t t = 0; t < count; ++t) own[t] = ids[(first + t) * batch + b];
      if (auto done = run(static_cast<int>(b), own); !done) return done;
    }
    first += count;
    position += static_cast<std::int64_t>(count);
    if (progress != nullptr) progress->tokens += static_cast<std::int64_t>(count);
  }
  return {};
}

Result<void> Backend::read_state_tiles(int /*sequence*/, StateTiles& /*out*/) {
  return input_error(fmt::format("The backend '{}' does not read its state at a coarser grain.", info().name));
}

namespace {

class ReadTiles final : public ComingTiles {
 public:
  explicit ReadTiles(StateTiles tiles) : tiles_(std::make_shared<const StateTiles>(std::move(tiles))) {}
  bool arrived() const override { return true; }
  Result<std::shared_ptr<const StateTiles>> take() override { return tiles_; }

 private:
  std::shared_ptr<const StateTiles> tiles_;
};

}  // namespace

Result<std::unique_ptr<ComingTiles>> Backend::queue_state_tiles(int sequence, const TilesRequest& request) {
  StateTiles tiles;
  tiles.rows = request.rows;
  tiles.columns = request.columns;
  if (auto read = read_state_tiles(sequence, tiles); !read) return tl::unexpected(read.error());
  return std::make_unique<ReadTiles>(std::move(tiles));
}

Result<void> Backend::wait_for_tiles(Result<std::unique_ptr<ComingTiles>> coming, StateTiles& out) {
  if (!coming) return tl::unexpected(coming.error());
  auto there = (*coming)->take();
  if (!there) return tl::unexpected(there.error());
  out = **there;
  return {};
}

void StateTiles::summarise(const kernels::StateTilesSummary& summary) {
  largest = std::bit_cast<float>(summary.largest);
  all_finite = summary.not_finite == 0;
}

Result<void> Backend::read_errors(int /*sequence*/, StepErrors& /*out*/) {
  return input_error("This backend was not asked to measure the errors of its steps.");
}

// NOLINTNEXTLINE(performance-unnecessary-value-param): what overrides it keeps the request
Result<void> Backend::publish(PublishRequest request) {
  if (!request.receive) return {};
  return input_error("This backend does not publish what its steps leave.");
}

Result<void> Backend::intervene(int /*sequence*/, const SequenceChanges& /*changes*/) {
  return input_error(fmt::format("The backend '{}' cannot change what a step does.", info().name));
}

Result<void> Backend::check_generated(std::size_t ids) const {
  if (ids % static_cast<std::size_t>(plan().batch) == 0) return {};
  return input_error(fmt::format("Steps of {} sequences take so many ids each, and there are {}.", plan().batch, ids));
}

Result<void> Backend::check_tiles(int rows, int columns, const ModelConfig& config) {
  if (rows >= 1 && rows <= config.headdim && columns >= 1 && columns <= config.d_state) return {};
  return input_error(fmt::format("A head's {} x {} cells cannot be divided into {} x {} blocks.", config.headdim,
                                 config.d_state, rows, columns));
}

}  // namespace engine
