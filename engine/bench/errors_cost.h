// What it costs to measure the errors of the discretisation rules in every step: two backends with the same weights, one of
// which does, take turns, so that a drift of the clock meets both.
#pragma once

#include "engine/backend/backend.h"
#include "engine/verify/errors.h"

#include <span>
#include <vector>

namespace engine {

struct ErrorsCost {
  static constexpr double rtol = 1e-4;
  std::vector<double> without_ms, with_ms;  // of each step
  ErrorsReport report;                      // of what the steps that measure have found, before they were timed
  bool verified() const { return report.pass(rtol); }
};

// Steps both at least as often as `steps`. `without` was made with `options`, which don't ask for errors; `on_host` are the
// same weights in host memory. Errors: those of the backends, a second of which must find room beside the first.
Result<ErrorsCost> measure_errors_cost(Backend& without, const Weights& weights, const Weights& on_host,
                                       BackendOptions options, std::span<const std::int32_t> ids, int steps);

}  // namespace engine
