// What the rank comparison draws, from a made-up family.
#include "app/viewmodel/rank_curves.h"

#include "tests/support/example_profile.h"

#include <doctest/doctest.h>

TEST_CASE("ranks: a curve for each kind, and a path with the executed intensity beside the paper's") {
  app::RankFamily family;
  family.shape = "s";
  for (const int rank : {1, 4}) {
    app::RankRun run;
    run.rank = rank;
    run.config.d_state = 128;
    run.config.headdim = 64;
    run.config.is_mimo = rank > 1;
    run.config.mimo_rank = rank;
    run.result = tests::example_profile(2, 40);
    run.result.backend.fp32_flops_per_second = 6.7e13;
    for (engine::Stage& stage : run.result.plan.stages)
      if (stage.kind == engine::StageKind::mixer) stage.cost.flops *= static_cast<std::uint64_t>(rank);
    if (rank == 1) run.result.plan.stages.back().kind = engine::StageKind::final_norm;
    family.runs.push_back(std::move(run));
  }
  const app::RankCurves curves = app::make_rank_curves(family);
  REQUIRE(curves.path.size() == 2);
  CHECK(curves.path[0].executed == doctest::Approx(4));
  CHECK(curves.path[1].executed == doctest::Approx(16));
  CHECK(curves.path[0].paper == doctest::Approx(2.40).epsilon(0.003));
  CHECK(curves.path[1].paper == doctest::Approx(7.34).epsilon(0.003));
  // The mixers of two layers, ids 2 and 5, take 3.02 and 6.02 us in the middle of the tokens.
  CHECK(curves.path[0].median_us == doctest::Approx(9.04).epsilon(0.01));
  CHECK(curves.path[0].gflop_per_s == doctest::Approx(4e6 / 9.04 / 1e3).epsilon(0.01));
  CHECK(curves.copy_gb_per_s == doctest::Approx(2000));
  CHECK(curves.peak_gflop_per_s == doctest::Approx(67000));
  CHECK(curves.curves.back().name == "whole step");
  for (const app::RankCurve& curve : curves.curves) {
    const bool one = curve.name == "head" || curve.name == "final_norm";
    CHECK(curve.points.size() == (one ? 1 : 2));
    for (std::size_t i = 1; i < curve.points.size(); ++i) CHECK(curve.points[i].rank > curve.points[i - 1].rank);
  }
}
