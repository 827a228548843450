#include "engine/verify/twin.h"

#include "kernels/bf16.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>

namespace engine {

namespace {

// Steps tokens 0.. of every sequence from the start and calls `after(token)` once each is done.
template <class After>
Result<void> step_texts(Backend& backend, const ModelConfig& config, int tokens, int first_sequence, After after) {
  if (auto done = backend.reset(); !done) return done;
  std::vector<std::int32_t> ids(static_cast<std::size_t>(backend.plan().batch));
  for (int t = 0; t < tokens; ++t) {
    for (std::size_t b = 0; b < ids.size(); ++b) {
      ids[b] = twin_token(config.vocab_size, t, first_sequence + static_cast<int>(b));
    }
    if (auto done = backend.step(ids, nullptr); !done) return done;
    if (auto done = after(t); !done) return done;
  }
  return {};
}

void keep_worst(TwinReport& report, const Difference& found, const std::string& where) {
  // Negated, so that a difference that is not a number counts.
  if (report.where.empty() || !(found.max_rel <= report.worst)) {
    report.worst = found.max_rel;
    report.where = where;
  }
}

std::vector<int> all_layers(const ModelConfig& config) {
  std::vector<int> layers(static_cast<std::size_t>(config.n_layer));
  std::iota(layers.begin(), layers.end(), 0);
  return layers;
}

// The value, moved towards the exact one by what rounding to bf16 may have taken it away.
double unrounded(float value, float exact) {
  const double off = static_cast<double>(value) - static_cast<double>(exact);
  const double allowed = static_cast<double>(kernels::half_ulp_bf16(exact));
  if (std::fabs(off) <= allowed) return static_cast<double>(exact);
  return static_cast<double>(value) - std::copysign(allowed, off);
}

// `found`: a sequence's state in the measured backend after a step that the twin has done too.
Result<void> compare_states(const SequenceState& found, Backend& twin, const ModelConfig& config, TwinReport& report) {
  constexpr std::array parts = {std::pair{"angle", &LayerState::angle}, std::pair{"ssm", &LayerState::ssm},
                                std::pair{"k", &LayerState::k}, std::pair{"v", &LayerState::v}};
  const std::vector<int> layers = all_layers(config);
  SequenceState expected;
  if (auto read = twin.read_state(0, layers, true, expected); !read) return read;
  for (const int layer : layers) {
    const auto l = static_cast<std::size_t>(layer);
    for (const auto& [name, values] : parts) {
      const std::vector<float>& a = found.layers[l].*values;
      const std::vector<float>& b = expected.layers[l].*values;
      Comparison comparison;
      for (std::size_t i = 0; i < a.size(); ++i) {
        if (values == &LayerState::angle) {
          comparison.add_angle(a[i], b[i]);
        } else if (report.step_by_step && values == &LayerState::ssm) {
          comparison.add(unrounded(a[i], b[i]), b[i]);
        } else {
          comparison.add(a[i], b[i]);
        }
      }
      keep_worst(report, comparison.result(), fmt::format("{} of layer {}", name, layer));
    }
  }
  return {};
}

void compare_logits(const std::vector<float>& found, const std::vector<float>& expected, int token,
                    TwinReport& report) {
  Comparison comparison;
  for (std::size_t i = 0; i < expected.size(); ++i) comparison.add(found[i], expected[i]);
  keep_worst(report, comparison.result(), fmt::format("logits of token {}", token));
}

Result<void> compare_step_by_step(Backend& measured, Backend& twin, const ModelConfig& config, TwinReport& report) {
  report.step_by_step = true;
  const std::vector<int> layers = all_layers(config);
  std::vector<float> found(static_cast<std::size_t>(config.padded_vocab())), expected(found.size());
  std::vector<SequenceState> states(report.sequences.size());  // of the measured backend, before the step
  const auto read_states = [&]() -> Result<void> {
    for (std::size_t s = 0; s < states.size(); ++s) {
      if (auto read = measured.read_state(report.sequences[s], layers, true, states[s]); !read) return read;
    }
    return {};
  };
  if (auto done = measured.reset(); !done) return done;
  if (auto read = read_states(); !read) return read;
  return step_texts(measured, config, report.tokens, 0, [&](int token) -> Result<void> {
    std::vector<SequenceState> before(states.size());
    before.swap(states);
    if (auto read = read_states(); !read) return read;
    for (std::size_t s = 0; s < states.size(); ++s) {
      const std::int32_t id = twin_token(config.vocab_size, token, report.sequences[s]);
      if (auto taken = twin.restore(0, before[s]); !taken) return taken;
      if (auto done = twin.step({&id, 1}, nullptr); !done) return done;
      if (auto read = measured.read_logits(report.sequences[s], found); !read) return read;
      if (auto read = twin.read_logits(0, expected); !read) return read;
      compare_logits(found, expected, token, report);
      if (auto compared = compare_states(states[s], twin, config, report); !compared) return compared;
      if (token == report.tokens - 1) report.logits.insert(report.logits.end(), found.begin(), found.end());
    }
    return {};
  });
}

}  // namespace

std::int32_t twin_token(int vocab_size, std::int64_t position, int sequence) {
  return static_cast<std::int32_t>((1 + 7919 * position + 104729 * static_cast<std::int64_t>(sequence)) % vocab_size);
}

Result<TwinReport> compare_with_twin(Backend& measured, Backend& twin, const ModelConfig& config, int tokens) {
  TwinReport report;
  report.tokens = tokens;
  report.sequences.push_back(0);
  if (measured.plan().batch > 1) report.sequences.push_back(measured.plan().batch - 1);
  if (measured.info().state == "bf16") {
    if (auto compared = compare_step_by_step(measured, twin, config, report); !compared) {
      return tl::unexpected(compared.error());
    }
    return report;
  }
  const auto width = static_cast<std::size_t>(config.padded_vocab());

  std::vector<std::vector<float>> found;  // by token, then sequence
  std::vector<float> row(width);
  auto stepped = step_texts(measured, config, tokens, 0, [&](int) -> Result<void> {
    for (const int sequence : report.sequences) {
      if (auto read = measured.read_logits(sequence, row); !read) return read;
      found.push_back(row);
    }
    return {};
  });
  if (!stepped) return tl::unexpected(stepped.error());

  for (std::size_t s = 0; s < report.sequences.size(); ++s) {
    stepped = step_texts(twin, config, tokens, report.sequences[s], [&](int token) -> Result<void> {
      if (auto read = twin.read_logits(0, row); !read) return read;
      compare_logits(found[static_cast<std::size_t>(token) * report.sequences.size() + s], row, token, report);
      return {};
    });
    if (!stepped) return tl::unexpected(stepped.error());
    SequenceState state;
    auto compared = measured.read_state(report.sequences[s], all_layers(config), true, state);
    if (compared) compared = compare_states(state, twin, config, report);
    if (!compared) return tl::unexpected(compared.error());
    const std::vector<float>& last = found[found.size() - report.sequences.size() + s];
    report.logits.insert(report.logits.end(), last.begin(), last.end());
  }
  return report;
}

Result<StateEffect> measure_state_effect(Backend& measured, Backend& twin, const ModelConfig& config, int tokens) {
  std::vector<float> found(static_cast<std::size_t>(config.padded_vocab())), exact(found.size());
  const auto likeliest = [&](const std::vector<float>& logits) {
    return std::max_element(logits.begin(), logits.begin() + config.vocab_size) - logits.begin();
  };
  Comparison comparison;
  int agreeing = 0;
  if (auto done = twin.reset(); !done) return tl::unexpected(done.error());
  auto stepped = step_texts(measured, config, tokens, 0, [&](int token) -> Result<void> {
    const std::int32_t id = twin_token(config.vocab_size, token, 0);
    if (auto done = twin.step({&id, 1}, nullptr); !done) return done;
    if (auto read = measured.read_logits(0, found); !read) return read;
    if (auto read = twin.read_logits(0, exact); !read) return read;
    for (std::size_t i = 0; i < exact.size(); ++i) comparison.add(found[i], exact[i]);
    agreeing += likeliest(found) == likeliest(exact) ? 1 : 0;
    return {};
  });
  if (!stepped) return tl::unexpected(stepped.error());
  return StateEffect{tokens, comparison.result(), tokens > 0 ? static_cast<double>(agreeing) / tokens : 1.0};
}

Result<std::vector<float>> logits_again(Backend& measured, const ModelConfig& config, const TwinReport& report) {
  auto stepped = step_texts(measured, config, report.tokens, 0, [](int) -> Result<void> { return {}; });
  if (!stepped) return tl::unexpected(stepped.error());
  const auto width = static_cast<std::size_t>(config.padded_vocab());
  std::vector<float> logits(width * report.sequences.size());
  for (std::size_t s = 0; s < report.sequences.size(); ++s) {
    auto read = measured.read_logits(report.sequences[s], std::span(logits).subspan(s * width, width));
    if (!read) return tl::unexpected(read.error());
  }
  return logits;
}

}  // namespace engine
