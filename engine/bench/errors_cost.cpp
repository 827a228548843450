#include "engine/bench/errors_cost.h"

#include <algorithm>

namespace engine {

namespace {

constexpr int turns = 16;
constexpr int warm_up = 4;  // of each turn: the other's weights were in the caches
constexpr int verified_tokens = 8;

Result<void> take_turn(Backend& backend, std::span<const std::int32_t> ids, std::span<double> some,
                       std::vector<double>& all) {
  double not_counted[warm_up];
  if (auto timed = backend.time_steps(ids, not_counted, CacheState::warm); !timed) return timed;
  if (auto timed = backend.time_steps(ids, some, CacheState::warm); !timed) return timed;
  all.insert(all.end(), some.begin(), some.end());
  return {};
}

}  // namespace

Result<ErrorsCost> measure_errors_cost(Backend& without, const Weights& weights, const Weights& on_host,
                                       BackendOptions options, std::span<const std::int32_t> ids, int steps) {
  options.errors = true;
  const auto with = make_backend(weights, options);
  if (!with) return tl::unexpected(with.error());
  ErrorsCost cost;
  auto report = verify_errors(**with, on_host, verified_tokens);
  if (!report) return tl::unexpected(report.error());
  cost.report = std::move(*report);
  std::vector<double> some(static_cast<std::size_t>(std::max(1, (steps + turns - 1) / turns)));
  for (int turn = 0; turn < turns; ++turn) {
    if (auto done = take_turn(without, ids, some, cost.without_ms); !done) return tl::unexpected(done.error());
    if (auto done = take_turn(**with, ids, some, cost.with_ms); !done) return tl::unexpected(done.error());
  }
  return cost;
}

}  // namespace engine
