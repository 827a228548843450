#include "engine/bench/changed_cost.h"

#include "engine/intervention/changes.h"

#include <fmt/format.h>

#include <algorithm>

namespace engine {

namespace {

constexpr int turns = 16;
constexpr int warm_up = 4;  // of each turn: a recorded step is recorded anew when tables come or go

}  // namespace

Result<void> change_all(Backend& backend, const SequenceChanges& changes) {
  for (int b = 0; b < backend.plan().batch; ++b) {
    if (auto changed = backend.intervene(b, changes); !changed) return changed;
  }
  return {};
}

Result<void> check_timed(std::span<const Intervention> list, const ModelConfig& config) {
  for (const Intervention& by : list) {
    if (auto possible = check(by, config); !possible) return possible;
    if (by.tokens == IndexRange()) continue;
    return input_error(fmt::format(
        "{} names tokens, and steps that are timed follow no text: leave them out, so that every step is changed.",
        describe(by)));
  }
  return {};
}

Result<ChangedCost> compare_changed(Backend& measured, Backend& twin, const ModelConfig& config,
                                    std::span<const Intervention> list, int tokens, const TwinReport& plain) {
  const SequenceChanges changes = changes_at(list, config, 0);
  ChangedCost cost;
  cost.list.assign(list.begin(), list.end());
  for (Backend* backend : {&measured, &twin}) {
    if (auto changed = change_all(*backend, changes); !changed) return tl::unexpected(changed.error());
  }
  auto report = compare_with_twin(measured, twin, config, tokens);
  for (Backend* backend : {&measured, &twin}) {
    if (auto ended = change_all(*backend, {}); !ended) return tl::unexpected(ended.error());
  }
  if (!report) return tl::unexpected(report.error());
  cost.report = std::move(*report);
  cost.differs = cost.report.logits != plain.logits;
  return cost;
}

Result<void> time_changed(Backend& backend, const SequenceChanges& changes, std::span<const std::int32_t> ids,
                          int steps, std::vector<double>& without_ms, std::vector<double>& with_ms) {
  std::vector<double> not_counted(warm_up), some(static_cast<std::size_t>(std::max(1, (steps + turns - 1) / turns)));
  for (int turn = 0; turn < 2 * turns; ++turn) {
    const bool changed = turn % 2 == 1;
    auto timed = change_all(backend, changed ? changes : SequenceChanges())
                     .and_then([&] { return backend.time_steps(ids, not_counted, CacheState::warm); })
                     .and_then([&] { return backend.time_steps(ids, some, CacheState::warm); });
    if (!timed) return timed;
    std::vector<double>& all = changed ? with_ms : without_ms;
    all.insert(all.end(), some.begin(), some.end());
  }
  return change_all(backend, {});
}

}  // namespace engine
