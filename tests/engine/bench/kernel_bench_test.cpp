// A kernel family by itself: verified, as many layers as the cache demands, and no speed without verification.
#include "engine/bench/kernel_bench.h"

#include <doctest/doctest.h>

#include <algorithm>

using engine::StageKind;

namespace {

engine::KernelBenchOptions on_cpu(std::vector<StageKind> stages, int rank) {
  engine::KernelBenchOptions options;
  options.stages = std::move(stages);
  options.shape.heads = 4;
  options.shape.headdim = 16;
  options.shape.d_state = 16;
  options.shape.d_model = 32;
  options.shape.rank = rank;
  options.backend.choice = engine::BackendChoice::cpu;
  options.backend.threads = 1;
  options.backend.batch = 2;
  options.cache = engine::CacheState::warm;
  options.samples = 3;
  return options;
}

}  // namespace

TEST_CASE("every family of the step is timed by itself, at rank 1 and above") {
  for (const int rank : {1, 3}) {
    for (int i = 0; i < engine::stage_kind_count; ++i) {
      const auto kind = static_cast<StageKind>(i);
      CAPTURE(name_of(kind));
      CAPTURE(rank);
      if (kind == StageKind::embed || kind == StageKind::head) continue;  // their vocabulary is the released models'
      const auto bench = engine::run_kernel_bench(on_cpu({kind}, rank), {});
      const bool not_here = kind == StageKind::mixer || kind == StageKind::errors || kind == StageKind::sample;
      if (not_here || (kind == StageKind::mimo_mix && rank == 1)) {  // not in this plan
        REQUIRE_FALSE(bench);
        CHECK(bench.error().kind == engine::ErrorKind::input);
        continue;
      }
      REQUIRE(bench);
      CHECK(bench->verified);
      CHECK(bench->twin == "reference");
      CHECK(bench->layers == (kind == StageKind::final_norm ? 1 : 4));  // they fit the cache together
      CHECK(bench->microseconds.size() == 3);
      CHECK(std::all_of(bench->microseconds.begin(), bench->microseconds.end(), [](double us) { return us > 0; }));
      CHECK(bench->cost.bytes() > 0);
    }
  }
}

TEST_CASE("a cold cache takes more layers, and stages of one layer are timed and costed together") {
  engine::KernelBenchOptions options = on_cpu({StageKind::state_update, StageKind::readout}, 2);
  options.cache = engine::CacheState::cold;
  options.samples = 1;
  const auto both = engine::run_kernel_bench(options, {});
  REQUIRE(both);
  CHECK(both->verified);
  CHECK(both->layers > 1);
  CHECK(both->rounds * both->layers >= 100);
  CHECK(both->own_bytes == 4ULL * 2 * 64 * 16 * both->layers);  // one state a layer, though both go through it
  options.cache = engine::CacheState::warm;
  options.stages = {StageKind::state_update};
  const auto update = engine::run_kernel_bench(options, {});
  options.stages = {StageKind::readout};
  const auto readout = engine::run_kernel_bench(options, {});
  REQUIRE(update);
  REQUIRE(readout);
  CHECK(both->cost.bytes() == update->cost.bytes() + readout->cost.bytes());
}

TEST_CASE("a family that does not verify is not timed") {
  engine::KernelBenchOptions options = on_cpu({StageKind::rotate}, 1);
  options.rtol = 0;
  const auto bench = engine::run_kernel_bench(options, {});
  REQUIRE(bench);
  CHECK_FALSE(bench->verified);
  CHECK(bench->microseconds.empty());
}

TEST_CASE("the timed model has the asked shape, narrow where its width does not count") {
  engine::KernelShape shape;
  shape.heads = 24;
  shape.rank = 4;
  const StageKind update[] = {StageKind::state_update}, product[] = {StageKind::in_proj};
  const engine::ModelConfig narrow = engine::kernel_config(shape, update);
  CHECK(narrow.heads() == 24);
  CHECK(narrow.rank() == 4);
  CHECK(narrow.d_model < 2048);
  const engine::ModelConfig wide = engine::kernel_config(shape, product);
  CHECK(wide.d_model == 2048);
  CHECK(wide.heads() == 24);
  CHECK(engine::stage_kind("state_update") == StageKind::state_update);
  CHECK_FALSE(engine::stage_kind("attention").has_value());
}
