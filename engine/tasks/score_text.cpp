#include "engine/tasks/score_text.h"

#include <algorithm>
#include <cmath>
#include <vector>

namespace engine {

namespace {

// -log2 of the softmax at `id`, in double; NaN or infinite where the logits are not finite.
double bits_of(std::span<const float> logits, std::int32_t id) {
  const double largest = static_cast<double>(*std::max_element(logits.begin(), logits.end()));
  double sum = 0;
  for (const float logit : logits) sum += std::exp(static_cast<double>(logit) - largest);
  return (largest + std::log(sum) - static_cast<double>(logits[static_cast<std::size_t>(id)])) / std::log(2.0);
}

}  // namespace

Result<TextScore> score_text(Backend& backend, const ModelConfig& config, std::span<const std::int32_t> ids, int length,
                             const std::function<void(double)>& progress) {
  if (ids.size() < 2) return input_error("There is nothing to predict: the text has fewer than two tokens.");
  const auto batch = static_cast<std::size_t>(backend.plan().batch), window = static_cast<std::size_t>(length);
  const std::size_t predicted = ids.size() - 1, windows = (predicted + window - 1) / window;
  std::vector<float> logits(static_cast<std::size_t>(config.padded_vocab()));
  const auto candidates = std::span<const float>(logits).first(static_cast<std::size_t>(config.vocab_size));
  std::vector<std::int32_t> inputs(batch);
  std::vector<double> bits(windows);  // summed per window first: the same whatever the batch
  for (std::size_t first = 0; first < windows; first += batch) {
    if (auto done = backend.reset(); !done) return tl::unexpected(done.error());
    const std::size_t longest = std::min(window, predicted - first * window);
    for (std::size_t t = 0; t < longest; ++t) {
      // Places without a window, or whose window has ended, step anything and are not read.
      for (std::size_t b = 0; b < batch; ++b) inputs[b] = ids[std::min((first + b) * window + t, predicted)];
      if (auto done = backend.step(inputs, nullptr); !done) return tl::unexpected(done.error());
      for (std::size_t b = 0; b < batch && first + b < windows; ++b) {
        const std::size_t next = (first + b) * window + t + 1;
        if (next > predicted) continue;
        if (auto done = backend.read_logits(static_cast<int>(b), logits); !done) return tl::unexpected(done.error());
        const double cost = bits_of(candidates, ids[next]);
        if (!std::isfinite(cost)) {
          return input_error(
              "The logits are not finite. Look for infinity or NaN in the weights (mambascope inspect).");
        }
        bits[first + b] += cost;
      }
      if (progress) {
        const std::size_t together = std::min(batch, windows - first);
        progress((static_cast<double>(first) +
                  static_cast<double>(together) * static_cast<double>(t + 1) / static_cast<double>(longest)) /
                 static_cast<double>(windows));
      }
    }
  }
  TextScore score;
  score.tokens = static_cast<std::int64_t>(predicted);
  for (const double sum : bits) score.bits += sum;
  return score;
}

}  // namespace engine
