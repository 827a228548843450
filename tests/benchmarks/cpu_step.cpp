// How fast the CPU backend steps: a model of 10 million parameters with random weights, and the built-in parity model.
// Not a test: run it alone on an idle machine. cpu_step [threads] [tokens]; 0 threads: all cores.
#include "engine/backend/cpu_backend.h"
#include "engine/model/model.h"
#include "engine/model/random_weights.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <map>
#include <string>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;

double milliseconds(Clock::time_point from, Clock::time_point to) {
  return std::chrono::duration<double, std::milli>(to - from).count();
}

// Time of every kind of stage, over all layers and tokens.
class StageClock : public engine::Observer {
 public:
  void step_begin(std::int64_t) override {}
  void before(const engine::Stage&) override { start_ = Clock::now(); }
  void after(const engine::Stage& stage) override {
    ms_[engine::name_of(stage.kind)] += milliseconds(start_, Clock::now());
  }
  void step_end(std::int64_t) override {}
  const std::map<std::string, double>& total_ms() const { return ms_; }

 private:
  Clock::time_point start_;
  std::map<std::string, double> ms_;
};

void measure(const std::string& name, const engine::Weights& weights, int threads, int tokens,
             const kernels::cpu::Table* table) {
  engine::CpuBackend backend(weights, 1, threads, table);
  std::vector<double> times;
  std::int32_t id = 0;
  for (int t = 0; t < tokens + 20; ++t) {
    id = (id * 7 + 1) % weights.config.vocab_size;
    const std::int32_t ids[] = {id};
    const auto start = Clock::now();
    if (!backend.step(ids, nullptr)) std::exit(3);
    if (t >= 20) times.push_back(milliseconds(start, Clock::now()));
  }
  std::sort(times.begin(), times.end());
  const double median = times[times.size() / 2];
  const auto cost = backend.plan().total();
  fmt::print(
      "{}, {} parameters, {}\n  {:.4f} ms a token (median of {}; min {:.4f}, p95 {:.4f}), {:.0f} tokens/s, {:.2f} MB, "
      "{:.1f} GB/s\n",
      name, weights.parameters, backend.info().device, median, tokens, times.front(), times[times.size() * 95 / 100],
      1e3 / median, static_cast<double>(cost.bytes()) / 1e6, static_cast<double>(cost.bytes()) / median / 1e6);
  StageClock clock;
  for (int t = 0; t < 100; ++t) {
    const std::int32_t ids[] = {t % weights.config.vocab_size};
    if (!backend.step(ids, &clock)) std::exit(3);
  }
  for (const auto& [kind, ms] : clock.total_ms()) fmt::print("    {:<14} {:>9.2f} us\n", kind, 10 * ms);
}

}  // namespace

int main(int argc, char** argv) {
  const int threads = argc > 1 ? std::atoi(argv[1]) : 0;
  const int tokens = argc > 2 ? std::atoi(argv[2]) : 500;
  engine::ModelConfig config;
  config.d_model = 352;
  config.d_intermediate = 704;
  config.n_layer = 6;
  config.vocab_size = 256;
  for (const auto dtype : {kernels::DType::f32, kernels::DType::bf16}) {
    const auto weights = engine::make_random_weights(config, dtype, 1);
    if (!weights) return 2;
    for (const kernels::cpu::Table* table : kernels::cpu::tables()) {
      measure(kernels::name_of(dtype), *weights, threads, tokens, table);
    }
  }
  const auto parity = engine::load_model("parity");
  if (parity) measure("parity", (*parity)->weights, threads, tokens * 10, nullptr);
}
