// Counting the stages of a token on a real backend of the CPU, with made-up counters: the same work in every pass, and the
// backend where it was.
#include "app/wiring/stage_counters.h"

#include "engine/model/random_weights.h"
#include "tests/profiler/counters/fake_counters.h"

#include <doctest/doctest.h>

using profiler::CounterSession;

namespace {

struct Bench {
  engine::ModelConfig config;
  engine::Weights weights;
  std::unique_ptr<engine::Backend> backend;
  Bench() {
    config.d_model = 64;
    config.d_intermediate = 64;
    config.n_layer = 2;
    config.vocab_size = 60;
    config.headdim = 32;
    config.d_state = 32;
    auto made = engine::make_random_weights(config, kernels::DType::f32, 5);
    REQUIRE(made.has_value());
    weights = std::move(*made);
    engine::BackendOptions options;
    options.choice = engine::BackendChoice::cpu;
    options.batch = 2;
    options.threads = 1;
    auto opened = engine::make_backend(weights, options);
    REQUIRE(opened.has_value());
    backend = std::move(*opened);
    for (int t = 0; t < 3; ++t) REQUIRE(backend->step(ids(t), nullptr).has_value());
  }
  static std::vector<std::int32_t> ids(int t) { return {t + 1, 40 + t}; }
  std::size_t logits() const { return static_cast<std::size_t>(config.padded_vocab()); }
  std::vector<float> next() {
    std::vector<float> out(logits());
    REQUIRE(backend->step(ids(9), nullptr).has_value());
    REQUIRE(backend->read_logits(1, out).has_value());
    return out;
  }
};

}  // namespace

TEST_CASE("every pass steps the same token from the same state, and leaves the backend where it was") {
  Bench counted, untouched;
  fake::CounterScript script;
  const std::size_t stages = counted.backend->plan().stages.size();
  auto session = CounterSession::start(std::make_unique<fake::Counters>(script), app::counted_metrics(), stages);
  REQUIRE(session);
  double done = 0;
  const auto counters = app::count_stages(*counted.backend, Bench::ids(7), 2, counted.logits(), *session,
                                          [&](double share) { done = share; });
  REQUIRE(counters.has_value());
  CHECK(counters->why.reason.empty());
  CHECK(counters->passes == 3);
  CHECK(done == doctest::Approx(1));
  CHECK(counters->same_bits);
  CHECK(counters->metrics.size() == 7);
  CHECK(script.count("begin_range") == static_cast<int>(3 * stages));
  REQUIRE(counters->values.size() == stages);
  for (std::size_t id = 0; id < stages; ++id) {
    REQUIRE(counters->values[id].size() == 7);
    CHECK(counters->values[id][2] == doctest::Approx(100.0 * static_cast<double>(id) + 2));
  }
  CHECK(counted.backend->position() == untouched.backend->position());
  CHECK(counted.next() == untouched.next());
}

TEST_CASE("counters that fail in the middle leave a reason, and the backend where it was") {
  Bench counted, untouched;
  fake::CounterScript script;
  script.faults["begin_range"] = profiler::CuptiFault::hardware_busy;
  script.fails_at["begin_range"] = 5;
  auto session = CounterSession::start(std::make_unique<fake::Counters>(script), app::counted_metrics(), 64);
  REQUIRE(session);
  const auto counters =
      app::count_stages(*counted.backend, Bench::ids(7), 2, counted.logits(), *session, [](double) {});
  REQUIRE(counters.has_value());
  CHECK(counters->why.reason.find("begin a range") != std::string::npos);
  CHECK(counters->why.remedy.find("dcgmi") != std::string::npos);
  CHECK(counters->values.empty());
  CHECK(counted.next() == untouched.next());
}
