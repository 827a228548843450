// Every family timed by itself on the device: verified before and after, with a time that memory allows.
#include "engine/bench/kernel_bench.h"

#include "tests/gpu/device.h"

#include <doctest/doctest.h>

#include <algorithm>

using engine::StageKind;

TEST_CASE("gpu bench kernel: every family verifies and takes time, cold and warm") {
  for (const int rank : {1, 4}) {
    for (int i = 0; i < engine::stage_kind_count; ++i) {
      const auto kind = static_cast<StageKind>(i);
      if (kind == StageKind::mimo_mix && rank == 1) continue;
      if (kind == StageKind::errors || kind == StageKind::sample) continue;
      if (gpu_test::small() && kind != StageKind::state_update && kind != StageKind::mixer) continue;
      for (const auto cache : {engine::CacheState::warm, engine::CacheState::cold}) {
        CAPTURE(name_of(kind));
        CAPTURE(rank);
        CAPTURE(name_of(cache));
        engine::KernelBenchOptions options;
        options.stages = {kind};
        if (kind == StageKind::mixer) options.backend.variant = engine::Variant::fused;
        options.shape.heads = 8;
        options.shape.d_model = 256;
        options.shape.rank = rank;
        options.backend.choice = engine::BackendChoice::cuda;
        options.backend.batch = 2;
        options.cache = cache;
        options.samples = 3;
        const auto bench = engine::run_kernel_bench(options, {});
        const std::string message = bench ? std::string() : bench.error().message;
        CAPTURE(message);
        REQUIRE(bench);
        CAPTURE(bench->before.where);
        CAPTURE(bench->before.worst);
        CHECK(bench->verified);
        for (const double us : bench->microseconds) {
          CHECK(us > 0.1);
          CHECK(us < 1e5);
        }
      }
    }
  }
}
