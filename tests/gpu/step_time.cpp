// Prints how long a staged step takes on the GPU, launched eagerly: models of the released 187M shapes with random bf16
// weights. Wall time of Backend::step, which waits for the device; the median of many. Not a test: it judges nothing.
#include "engine/backend/cuda_backend.h"
#include "engine/model/random_weights.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <vector>

namespace {

double milliseconds_now() {
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

bool measure(bool mimo, int batch) {
  engine::ModelConfig config;
  config.d_model = 768;
  config.d_intermediate = mimo ? 1264 : 1536;
  config.n_layer = 12;
  config.vocab_size = 128256;
  config.pad_vocab_size_multiple = 16;
  config.is_mimo = mimo;
  const auto weights = engine::make_random_weights(config, kernels::DType::bf16, 1);
  if (!weights) return false;
  engine::BackendOptions options;
  options.batch = batch;
  auto backend = engine::make_cuda_backend(*weights, options);
  if (!backend) {
    std::fprintf(stderr, "%s\n", backend.error().message.c_str());
    return false;
  }
  std::vector<std::int32_t> ids(static_cast<std::size_t>(batch), 17);
  std::vector<double> steps, reads;
  engine::StepCoefficients coefficients;
  engine::SequenceState state;
  const std::vector<int> watched{0};
  const int warm_up = 20, measured = 200;
  for (int i = 0; i < warm_up + measured; ++i) {
    for (std::int32_t& id : ids) id = (id * 31 + 7) % config.vocab_size;
    const double start = milliseconds_now();
    if (auto done = (*backend)->step(ids, nullptr); !done) {
      std::fprintf(stderr, "%s\n", done.error().message.c_str());
      return false;
    }
    const double stepped = milliseconds_now();
    if (!(*backend)->read_coefficients(0, coefficients) || !(*backend)->read_state(0, watched, true, state))
      return false;
    const double read = milliseconds_now();
    if (i < warm_up) continue;
    steps.push_back(stepped - start);
    reads.push_back(read - stepped);
  }
  const double bytes = static_cast<double>((*backend)->plan().total().bytes());
  const double step_ms = median(steps);
  fmt::print(
      "{:<9} batch {:>3}: {:>7.3f} ms a step, {:>8.0f} tokens/s, {:>5.0f} GB/s, {} stages; reading coefficients and "
      "one "
      "layer's state {:.3f} ms\n",
      mimo ? "MIMO R=4" : "SISO", batch, step_ms, 1000.0 * batch / step_ms, bytes / step_ms * 1e-6,
      (*backend)->plan().stages.size(), median(reads));
  return true;
}

}  // namespace

int main() {
  if (const std::string reason = engine::why_no_cuda(); !reason.empty()) {
    std::fprintf(stderr, "%s\n", reason.c_str());
    return 3;
  }
  fmt::print(
      "187M shapes: 12 layers, d_model 768, N 128, P 64, vocabulary 128256; bf16 weights, fp32 state; staged, eager\n");
  for (const bool mimo : {false, true}) {
    for (const int batch : {1, 8, 64}) {
      if (!measure(mimo, batch)) return 3;
    }
  }
  return 0;
}
