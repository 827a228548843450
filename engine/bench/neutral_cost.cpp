#include "engine/bench/neutral_cost.h"

#include "engine/bench/changed_cost.h"
#include "engine/verify/twin.h"

#include <algorithm>
#include <cstring>
#include <numeric>

namespace engine {

namespace {

constexpr int compared_tokens = 8;

SequenceChanges neutral_changes(const ModelConfig& config) {
  SequenceChanges changes;
  changes.heads = neutral_heads(config, config.n_layer);
  changes.ranks = neutral_ranks(config, config.n_layer);
  changes.pairs = neutral_pairs(config, config.n_layer);
  return changes;
}

// Logits and states of the first and the last sequence, as bytes.
Result<std::vector<std::byte>> outcome(Backend& backend, const ModelConfig& config, const SequenceChanges& changes) {
  std::vector<std::byte> all;
  const auto add = [&all](const auto& values) {
    const auto* first = reinterpret_cast<const std::byte*>(values.data());
    all.insert(all.end(), first, first + values.size() * sizeof(values[0]));
  };
  auto ready = backend.reset().and_then([&] { return change_all(backend, changes); });
  if (!ready) return tl::unexpected(ready.error());
  const int batch = backend.plan().batch;
  std::vector<std::int32_t> ids(static_cast<std::size_t>(batch));
  for (int t = 0; t < compared_tokens; ++t) {
    for (int b = 0; b < batch; ++b) ids[static_cast<std::size_t>(b)] = twin_token(config.vocab_size, t, b);
    if (auto stepped = backend.step(ids, nullptr); !stepped) return tl::unexpected(stepped.error());
  }
  std::vector<float> logits(static_cast<std::size_t>(config.padded_vocab()));
  std::vector<int> layers(static_cast<std::size_t>(config.n_layer));
  std::iota(layers.begin(), layers.end(), 0);
  for (int b = 0; b < batch; b += std::max(1, batch - 1)) {
    SequenceState state;
    auto read = backend.read_logits(b, logits).and_then([&] { return backend.read_state(b, layers, true, state); });
    if (!read) return tl::unexpected(read.error());
    add(logits);
    for (const LayerState& layer : state.layers) {
      add(layer.angle);
      add(layer.turns);
      add(layer.k);
      add(layer.v);
      add(layer.ssm);
    }
  }
  return all;
}

}  // namespace

Result<NeutralCost> measure_neutral_cost(Backend& backend, const ModelConfig& config, std::span<const std::int32_t> ids,
                                         int steps) {
  NeutralCost cost;
  cost.tokens = compared_tokens;
  const SequenceChanges neutral = neutral_changes(config);
  const auto without = outcome(backend, config, {});
  if (!without) return tl::unexpected(without.error());
  const auto with = outcome(backend, config, neutral);
  if (!with) return tl::unexpected(with.error());
  cost.same_bits = *without == *with;
  auto timed = time_changed(backend, neutral, ids, steps, cost.without_ms, cost.with_ms);
  if (!timed) return tl::unexpected(timed.error());
  return cost;
}

}  // namespace engine
