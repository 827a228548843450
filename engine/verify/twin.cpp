#include "engine/verify/twin.h"

#include <fmt/format.h>

#include <array>
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

Result<void> compare_states(Backend& measured, Backend& twin, const ModelConfig& config, int sequence,
                            TwinReport& report) {
  constexpr std::array parts = {std::pair{"angle", &LayerState::angle}, std::pair{"ssm", &LayerState::ssm},
                                std::pair{"k", &LayerState::k}, std::pair{"v", &LayerState::v}};
  std::vector<int> layers(static_cast<std::size_t>(config.n_layer));
  std::iota(layers.begin(), layers.end(), 0);
  SequenceState found, expected;
  if (auto read = measured.read_state(sequence, layers, true, found); !read) return read;
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
        } else {
          comparison.add(a[i], b[i]);
        }
      }
      keep_worst(report, comparison.result(), fmt::format("{} of layer {}", name, layer));
    }
  }
  return {};
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
      const std::vector<float>& values = found[static_cast<std::size_t>(token) * report.sequences.size() + s];
      Comparison comparison;
      for (std::size_t i = 0; i < width; ++i) comparison.add(values[i], row[i]);
      keep_worst(report, comparison.result(), fmt::format("logits of token {}", token));
      return {};
    });
    if (!stepped) return tl::unexpected(stepped.error());
    if (auto compared = compare_states(measured, twin, config, report.sequences[s], report); !compared) {
      return tl::unexpected(compared.error());
    }
    const std::vector<float>& last = found[found.size() - report.sequences.size() + s];
    report.logits.insert(report.logits.end(), last.begin(), last.end());
  }
  return report;
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
