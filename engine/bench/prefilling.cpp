#include "engine/bench/prefilling.h"

#include "engine/verify/difference.h"
#include "engine/verify/twin.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <numeric>

namespace engine {

namespace {

constexpr int runs = 5;
constexpr std::size_t warmup = 16;  // steps

using Clock = std::chrono::steady_clock;

double milliseconds_since(Clock::time_point start) {
  return std::chrono::duration<double, std::milli>(Clock::now() - start).count();
}

Difference compare(const std::vector<float>& found, const std::vector<float>& expected) {
  Comparison comparison;
  if (found.size() != expected.size()) comparison.add(HUGE_VAL, 0);
  for (std::size_t i = 0; i < std::min(found.size(), expected.size()); ++i) comparison.add(found[i], expected[i]);
  return comparison.result();
}

Difference compare_angles(const LayerState& found, const LayerState& expected) {
  constexpr double two_pi = 6.283185307179586;
  Comparison comparison;
  for (std::size_t i = 0; i < expected.angle.size(); ++i) {
    comparison.add_angle(found.angle[i], expected.angle[i]);
    // A turn that is counted on one side alone is no rounding.
    const double turns = static_cast<double>(found.turns[i]) - static_cast<double>(expected.turns[i]);
    const double phase = static_cast<double>(found.angle[i]) - static_cast<double>(expected.angle[i]) + two_pi * turns;
    if (!(std::fabs(phase) < 1)) comparison.add(HUGE_VAL, 0);
  }
  return comparison.result();
}

}  // namespace

Result<TextOutcome> outcome_of_text(Backend& backend, const ModelConfig& config, int sequence) {
  TextOutcome out;
  out.logits.resize(static_cast<std::size_t>(config.padded_vocab()));
  std::vector<int> layers(static_cast<std::size_t>(config.n_layer));
  std::iota(layers.begin(), layers.end(), 0);
  auto read = backend.read_logits(sequence, out.logits)
                  .and_then([&] { return backend.read_coefficients(sequence, out.coefficients); })
                  .and_then([&] { return backend.read_state(sequence, layers, true, out.state); });
  if (!read) return tl::unexpected(read.error());
  return out;
}

OutcomeDifference difference_of(const TextOutcome& found, const TextOutcome& expected) {
  OutcomeDifference all;
  const auto note = [&](const Difference& difference, const std::string& what) {
    if (all.where.empty() || difference.max_rel > all.worst) {
      all.worst = difference.max_rel;
      all.where = what;
    }
  };
  const Difference logits = compare(found.logits, expected.logits);
  all.logits = logits.max_rel;
  note(logits, "logits");
  const StepCoefficients &a = found.coefficients, &b = expected.coefficients;
  note(compare(a.dt, b.dt), "dt");
  note(compare(a.a, b.a), "A");
  note(compare(a.lambda, b.lambda), "lambda");
  note(compare(a.turn, b.turn), "turn");
  note(compare(a.state_norm, b.state_norm), "norms of the states");
  for (std::size_t l = 0; l < expected.state.layers.size(); ++l) {
    const LayerState &one = found.state.layers[l], &other = expected.state.layers[l];
    note(compare(one.ssm, other.ssm), fmt::format("ssm of layer {}", l));
    note(compare(one.k, other.k), fmt::format("k of layer {}", l));
    note(compare(one.v, other.v), fmt::format("v of layer {}", l));
    note(compare_angles(one, other), fmt::format("angle of layer {}", l));
  }
  return all;
}

Result<PrefillCost> measure_prefilling(Backend& backend, const ModelConfig& config, int tokens) {
  PrefillCost cost;
  cost.tokens = tokens;
  cost.chunked = backend.info().chunked_prefill;
  const auto batch = static_cast<std::size_t>(backend.plan().batch);
  std::vector<std::int32_t> ids;
  for (int t = 0; t < tokens; ++t) {
    for (int b = 0; b < static_cast<int>(batch); ++b) ids.push_back(twin_token(config.vocab_size, t, b));
  }
  std::vector<int> sequences = {0};
  if (batch > 1) sequences.push_back(static_cast<int>(batch) - 1);

  const auto step_first = [&](std::size_t count) -> Result<void> {
    if (auto reset = backend.reset(); !reset) return reset;
    for (std::size_t t = 0; t < count; t += batch) {
      if (auto stepped = backend.step({ids.data() + t, batch}, nullptr); !stepped) return stepped;
    }
    return {};
  };
  // Warm, as the prefills are: a first step takes memory and wakes threads.
  const auto warm = step_first(std::min(ids.size(), warmup * batch)).and_then([&] { return backend.reset(); });
  if (!warm) return tl::unexpected(warm.error());
  const auto stepping = Clock::now();
  if (auto stepped = step_first(ids.size()); !stepped) return tl::unexpected(stepped.error());
  cost.stepping_ms = milliseconds_since(stepping);
  std::vector<TextOutcome> expected;
  for (const int sequence : sequences) {
    auto outcome = outcome_of_text(backend, config, sequence);
    if (!outcome) return tl::unexpected(outcome.error());
    expected.push_back(std::move(*outcome));
  }

  const auto prefill = [&](double& taken_ms) -> Result<void> {
    if (auto reset = backend.reset(); !reset) return reset;
    const auto start = Clock::now();
    auto done = backend.prefill(ids, nullptr);
    taken_ms = milliseconds_since(start);
    return done;
  };
  if (auto done = prefill(cost.first_ms); !done) return tl::unexpected(done.error());
  std::vector<float> first;
  for (std::size_t i = 0; i < sequences.size(); ++i) {
    const auto outcome = outcome_of_text(backend, config, sequences[i]);
    if (!outcome) return tl::unexpected(outcome.error());
    const OutcomeDifference off = difference_of(*outcome, expected[i]);
    if (cost.where.empty() || off.worst > cost.worst) cost.worst = off.worst, cost.where = off.where;
    cost.logits = std::max(cost.logits, off.logits);
    first.insert(first.end(), outcome->logits.begin(), outcome->logits.end());
  }
  if (!(cost.worst <= PrefillCost::rtol)) return cost;
  for (int run = 0; run < runs; ++run) {
    double taken_ms = 0;
    if (auto done = prefill(taken_ms); !done) return tl::unexpected(done.error());
    cost.prefill_ms.push_back(taken_ms);
  }
  std::vector<float> last;
  for (const int sequence : sequences) {
    std::vector<float> logits(static_cast<std::size_t>(config.padded_vocab()));
    if (auto read = backend.read_logits(sequence, logits); !read) return tl::unexpected(read.error());
    last.insert(last.end(), logits.begin(), logits.end());
  }
  cost.same_bits_after = std::memcmp(first.data(), last.data(), sizeof(float) * first.size()) == 0;
  return cost;
}

}  // namespace engine
