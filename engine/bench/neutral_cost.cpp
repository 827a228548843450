#include "engine/bench/neutral_cost.h"

#include "engine/verify/twin.h"

#include <algorithm>
#include <cstring>
#include <numeric>

namespace engine {

namespace {

constexpr int turns = 16;
constexpr int warm_up = 4;  // of each turn: a recorded step is recorded anew when tables come or go
constexpr int compared_tokens = 8;

Result<void> change(Backend& backend, const ModelConfig& config, bool neutral) {
  SequenceChanges changes;
  if (neutral) {
    changes.heads = neutral_heads(config, config.n_layer);
    changes.ranks = neutral_ranks(config, config.n_layer);
    changes.pairs = neutral_pairs(config, config.n_layer);
  }
  for (int b = 0; b < backend.plan().batch; ++b) {
    if (auto changed = backend.intervene(b, changes); !changed) return changed;
  }
  return {};
}

// Logits and states of the first and the last sequence, as bytes.
Result<std::vector<std::byte>> outcome(Backend& backend, const ModelConfig& config, bool neutral) {
  std::vector<std::byte> all;
  const auto add = [&all](const auto& values) {
    const auto* first = reinterpret_cast<const std::byte*>(values.data());
    all.insert(all.end(), first, first + values.size() * sizeof(values[0]));
  };
  auto ready = backend.reset().and_then([&] { return change(backend, config, neutral); });
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
  const auto without = outcome(backend, config, false);
  if (!without) return tl::unexpected(without.error());
  const auto with = outcome(backend, config, true);
  if (!with) return tl::unexpected(with.error());
  cost.same_bits = *without == *with;
  std::vector<double> not_counted(warm_up), some(static_cast<std::size_t>(std::max(1, (steps + turns - 1) / turns)));
  for (int turn = 0; turn < 2 * turns; ++turn) {
    const bool neutral = turn % 2 == 1;
    auto timed = change(backend, config, neutral)
                     .and_then([&] { return backend.time_steps(ids, not_counted, CacheState::warm); })
                     .and_then([&] { return backend.time_steps(ids, some, CacheState::warm); });
    if (!timed) return tl::unexpected(timed.error());
    std::vector<double>& all = neutral ? cost.with_ms : cost.without_ms;
    all.insert(all.end(), some.begin(), some.end());
  }
  if (auto ended = change(backend, config, false); !ended) return tl::unexpected(ended.error());
  return cost;
}

}  // namespace engine
