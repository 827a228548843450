#include "engine/backend/memory_need.h"

#include "engine/model/presets.h"
#include "engine/model/random_weights.h"
#include "engine/model/read_ahead.h"
#include "tests/support/unusual_models.h"

#include <doctest/doctest.h>

using namespace engine;

TEST_CASE("the memory that a model needs is that of its weights, states and a step's values") {
  for (const tests::UnusualModel& model : tests::unusual_models()) {
    CAPTURE(model.name);
    const Weights weights = tests::weights_of(model, 4);
    BackendOptions options;
    options.choice = BackendChoice::cpu;
    options.batch = 3;
    const MemoryNeed need = memory_need(weights, options);
    const auto backend = make_backend(weights, options);
    REQUIRE(backend.has_value());
    CHECK(need.state == 3 * (*backend)->info().state_bytes);
    CHECK(need.work > 0);
    options.choice = BackendChoice::cuda;
    const MemoryNeed on_gpu = memory_need(weights, options);
    CHECK(on_gpu.state == need.state);
    CHECK(on_gpu.weights >= 2 * static_cast<std::uint64_t>(weights.parameters));  // bf16 at least
  }
}

TEST_CASE("what does not fit is refused with what it takes and what there is") {
  BackendOptions options;
  options.choice = BackendChoice::cpu;
  const MemoryNeed need{std::uint64_t{3} << 30, std::uint64_t{1} << 30, 1 << 20};
  CHECK(check_memory(need, options, std::uint64_t{5} << 30, "this machine").has_value());
  CHECK(check_memory(need, options, 0, "this machine").has_value());  // not known
  const auto refused = check_memory(need, options, std::uint64_t{2} << 30, "this machine");
  REQUIRE_FALSE(refused.has_value());
  CHECK(refused.error().kind == ErrorKind::system);
  CHECK(refused.error().message.find("4.0 GiB (3.0 GiB of weights, 1.0 GiB of state for 1 sequence") !=
        std::string::npos);
  CHECK(refused.error().message.find("this machine has 2.0 GiB free") != std::string::npos);
  options.batch = 4;
  CHECK(check_memory(need, options, 1, "the GPU").error().message.find("smaller --batch") != std::string::npos);
}

TEST_CASE("a batch that no machine holds is refused before anything is allocated") {
  const Weights weights = tests::weights_of(tests::unusual_models().front(), 4);
  BackendOptions options;
  options.choice = BackendChoice::cpu;
  options.batch = 65536;
  const MemoryNeed need = memory_need(weights, options);
  if (need.total() > available_host_memory()) CHECK_FALSE(make_backend(weights, options).has_value());
  CHECK(available_host_memory() > 0);
}

TEST_CASE("reading ahead tells how far it is and can be cancelled") {
  const Weights weights = tests::weights_of(tests::unusual_models().front(), 4);
  OpenProgress progress;
  CHECK(read_ahead(weights, &progress).has_value());
  CHECK(progress.total > 0);
  CHECK(progress.bytes == progress.total);
  CHECK(read_ahead(weights, nullptr).has_value());
  BackendOptions options;
  options.choice = BackendChoice::cpu;
  options.progress = std::make_shared<OpenProgress>();
  options.progress->cancelled = true;
  const auto cancelled = make_backend(weights, options);
  REQUIRE_FALSE(cancelled.has_value());
  CHECK(cancelled.error().message == opening_cancelled);
}
