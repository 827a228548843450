#include "engine/bench/generating.h"

#include <algorithm>
#include <chrono>

namespace engine {

namespace {

constexpr int turns = 8;
constexpr int compared_steps = 16;

using Clock = std::chrono::steady_clock;

double milliseconds_since(Clock::time_point start) {
  return std::chrono::duration<double, std::milli>(Clock::now() - start).count();
}

// Draws of the backend that are those of the host, from the logits that lie there; all are.
Result<bool> draws_are_the_host_s(Backend& backend, const ModelConfig& config, const Sampler& sampler, int& compared) {
  const int batch = backend.plan().batch;
  std::vector<std::int32_t> ids(static_cast<std::size_t>(batch));
  std::vector<float> logits(static_cast<std::size_t>(config.padded_vocab()));
  bool same = true;
  for (int step = 0; step < compared_steps; ++step) {
    std::vector<std::pair<int, std::int32_t>> expected;
    for (int b = 0; b < batch; b += std::max(1, batch - 1)) {
      if (auto read = backend.read_logits(b, logits); !read) return tl::unexpected(read.error());
      Sampler own = sampler;
      own.seed += static_cast<std::uint64_t>(b);
      const std::span<const float> choices(logits.data(), static_cast<std::size_t>(config.vocab_size));
      expected.emplace_back(b, sample(choices, own, static_cast<std::uint64_t>(backend.position())));
    }
    if (auto stepped = backend.generate(sampler, ids); !stepped) return tl::unexpected(stepped.error());
    for (const auto& [b, id] : expected) {
      same = same && ids[static_cast<std::size_t>(b)] == id;
      ++compared;
    }
  }
  return same;
}

}  // namespace

Result<GeneratingCost> measure_generating(Backend& backend, const ModelConfig& config, const Sampler& sampler,
                                          std::span<const std::int32_t> ids, int steps) {
  GeneratingCost cost;
  cost.sampler = sampler;
  const auto same = draws_are_the_host_s(backend, config, sampler, cost.draws_compared);
  if (!same) return tl::unexpected(same.error());
  cost.same_ids = *same;
  if (!cost.same_ids) return cost;
  const auto in_turn = static_cast<std::size_t>(std::max(1, steps / turns));
  std::vector<double> each(in_turn);
  std::vector<std::int32_t> drawn(in_turn * ids.size());
  for (int turn = 0; turn < turns; ++turn) {
    const auto first = Clock::now();
    if (auto timed = backend.time_steps(ids, each, CacheState::warm); !timed) return tl::unexpected(timed.error());
    cost.without_ms.push_back(milliseconds_since(first) / static_cast<double>(in_turn));
    const auto second = Clock::now();
    if (auto ran = backend.generate(sampler, drawn); !ran) return tl::unexpected(ran.error());
    cost.with_ms.push_back(milliseconds_since(second) / static_cast<double>(in_turn));
  }
  return cost;
}

}  // namespace engine
