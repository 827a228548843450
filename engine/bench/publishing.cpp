#include "engine/bench/publishing.h"

#include <algorithm>
#include <cstring>

namespace engine {

namespace {

constexpr int turns = 8;

template <class T>
bool same_bits(const std::vector<T>& a, const std::vector<T>& b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(T)) == 0;
}

std::size_t bytes_of(const Published& step) {
  const StepCoefficients& c = step.coefficients;
  return step.layer.bytes() + sizeof(float) * (step.logits.size() + 8 * c.dt.size() + c.turn.size());
}

Result<bool> is_what_reading_gives(Backend& backend, const Published& step, int layer) {
  std::vector<float> logits(step.logits.size());
  StepCoefficients c;
  SequenceState state;
  auto read = backend.read_logits(0, logits).and_then([&] { return backend.read_coefficients(0, c); }).and_then([&] {
    return backend.read_state(0, {&layer, 1}, true, state);
  });
  if (!read) return tl::unexpected(read.error());
  const StepCoefficients& p = step.coefficients;
  const LayerState& l = state.layers[static_cast<std::size_t>(layer)];
  return step.position == backend.position() && same_bits(step.logits, logits) && same_bits(p.dt, c.dt) &&
         same_bits(p.a, c.a) && same_bits(p.lambda, c.lambda) && same_bits(p.alpha, c.alpha) &&
         same_bits(p.beta, c.beta) && same_bits(p.gamma, c.gamma) && same_bits(p.turn, c.turn) &&
         same_bits(p.state_norm, c.state_norm) && same_bits(p.state_change, c.state_change) &&
         same_bits(step.layer.angle, l.angle) && same_bits(step.layer.turns, l.turns) && same_bits(step.layer.k, l.k) &&
         same_bits(step.layer.v, l.v) && same_bits(step.layer.ssm, l.ssm);
}

}  // namespace

Result<PublishingCost> measure_publishing(Backend& backend, std::span<const std::int32_t> ids, int layer, int steps) {
  PublishingCost cost;
  cost.layer = layer;
  Published last;
  std::int64_t expected = 0, missed = 0;
  std::vector<double> some(static_cast<std::size_t>(std::max(1, steps / turns)));
  for (int turn = 0; turn < turns; ++turn) {
    if (auto timed = backend.time_steps(ids, some, CacheState::warm); !timed) return tl::unexpected(timed.error());
    cost.without_ms.insert(cost.without_ms.end(), some.begin(), some.end());

    expected = backend.position();
    const std::int64_t end = expected + static_cast<std::int64_t>(some.size());
    const auto receive = [&](const Published& step) {
      missed += step.position == ++expected ? 0 : 1;
      if (step.position == end) last = step;
    };
    if (auto ready = backend.publish({0, layer, receive}); !ready) return tl::unexpected(ready.error());
    if (auto timed = backend.time_steps(ids, some, CacheState::warm); !timed) return tl::unexpected(timed.error());
    cost.with_ms.insert(cost.with_ms.end(), some.begin(), some.end());
    if (auto ended = backend.publish({}); !ended) return tl::unexpected(ended.error());
    missed += expected == end ? 0 : 1;
  }
  cost.complete = missed == 0;
  cost.bytes = bytes_of(last);
  const auto same = is_what_reading_gives(backend, last, layer);
  if (!same) return tl::unexpected(same.error());
  cost.same_bits = *same;
  return cost;
}

}  // namespace engine
