#include "engine/verify/errors.h"

#include "engine/analysis/discretisation.h"
#include "engine/verify/twin.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <utility>
#include <vector>

namespace engine {

namespace {

double difference(float found, float expected) {
  if (std::isnan(found) && std::isnan(expected)) return 0;
  const double off = std::fabs(static_cast<double>(found) - static_cast<double>(expected));
  if (!std::isfinite(off)) return std::numeric_limits<double>::infinity();
  return off / std::max(std::fabs(static_cast<double>(expected)), least_error);
}

}  // namespace

void compare_errors(const StepErrors& found, const StepErrors& expected, int heads, int token, ErrorsReport& report) {
  const auto compare = [&](const std::vector<RuleErrors>& a, const std::vector<RuleErrors>& b, const char* frame) {
    if (a.size() != b.size()) report.worst = std::numeric_limits<double>::infinity();
    for (std::size_t at = 0; at < std::min(a.size(), b.size()); ++at) {
      const std::pair<const char*, double> rules[] = {{"Euler's", difference(a[at].euler, b[at].euler)},
                                                      {"the trapezoid's", difference(a[at].trapezoid, b[at].trapezoid)},
                                                      {"the learned rule's", difference(a[at].model, b[at].model)}};
      for (const auto& [rule, off] : rules) {
        ++report.values;
        if (off <= report.worst) continue;
        report.worst = off;
        const auto h = static_cast<std::size_t>(heads);
        report.where =
            fmt::format("{} error in the {} frame, layer {}, head {}, token {}", rule, frame, at / h, at % h, token);
      }
    }
  };
  compare(found.stored, expected.stored, "stored");
  compare(found.unrotated, expected.unrotated, "un-rotated");
}

Result<ErrorsReport> verify_errors(Backend& measured, const Weights& weights, int tokens) {
  ErrorsReport report;
  report.tokens = tokens;
  const ModelConfig& config = weights.config;
  const int batch = measured.plan().batch;
  std::vector<int> layers(static_cast<std::size_t>(config.n_layer));
  std::iota(layers.begin(), layers.end(), 0);
  std::vector<int> sequences{0};
  if (batch > 1) sequences.push_back(batch - 1);
  std::vector<SequenceState> previous(sequences.size());
  if (auto reset = measured.reset(); !reset) return tl::unexpected(reset.error());
  for (int t = 0; t < tokens; ++t) {
    std::vector<std::int32_t> ids;
    ids.reserve(static_cast<std::size_t>(batch));
    for (int b = 0; b < batch; ++b) ids.push_back(twin_token(config.vocab_size, t, b));
    if (auto stepped = measured.step(ids, nullptr); !stepped) return tl::unexpected(stepped.error());
    for (std::size_t i = 0; i < sequences.size(); ++i) {
      StepErrors found;
      StepCoefficients coefficients;
      SequenceState now;
      auto read = measured.read_errors(sequences[i], found)
                      .and_then([&] { return measured.read_coefficients(sequences[i], coefficients); })
                      .and_then([&] { return measured.read_state(sequences[i], layers, false, now); });
      if (!read) return tl::unexpected(read.error());
      const StepErrors expected = step_errors(weights, coefficients, t == 0 ? nullptr : &previous[i], now);
      compare_errors(found, expected, config.heads(), t, report);
      previous[i] = std::move(now);
    }
  }
  return report;
}

}  // namespace engine
