// Comparing profiles, from values and as its user runs it.
#include "app/commands/compare_report.h"
#include "app/wiring/profile_comparison.h"
#include "app/wiring/recorded_profile.h"
#include "tests/support/run_program.h"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <random>
#include <string>

using nlohmann::json;
using tests::run_program;

namespace {

// 64 tokens of a plan with an embedding and two layers of a norm and a head; the stages of layer 1 take `factor` as long.
app::ProfileResult example(double factor, std::uint64_t seed) {
  app::ProfileResult profile;
  profile.model = "m";
  profile.program = "mambascope test";
  profile.recorded_at = "2026-11-23T11:20:00Z";
  profile.weights = "fp32";
  profile.backend.device = "a GPU";
  profile.status.source = profiler::TimeSource::cupti;
  std::mt19937_64 random(seed);
  for (int id = 0; id < 5; ++id) {
    engine::Stage stage;
    stage.id = id;
    stage.layer = id == 0 ? -1 : (id - 1) / 2;
    stage.kind = id == 0 ? engine::StageKind::embed : id % 2 == 1 ? engine::StageKind::norm : engine::StageKind::mixer;
    stage.cost = {1000, 200, 30};
    profile.plan.stages.push_back(stage);
  }
  for (std::uint32_t i = 0; i < 64; ++i) {
    auto token = std::make_shared<profiler::TokenTimes>();
    token->source = profiler::TimeSource::cupti;
    token->token = i;
    token->wall_start_ns = std::int64_t{100'000} * i;
    std::int64_t at = token->wall_start_ns;
    for (int id = 0; id < 5; ++id) {
      profiler::StageTime piece;
      piece.tag.stage = static_cast<std::uint16_t>(id);
      piece.start_ns = at;
      const double scale = id >= 3 ? factor : 1;
      piece.duration_ns = static_cast<std::int64_t>(scale * static_cast<double>(2000 + random() % 200));
      at += piece.duration_ns;
      token->stages.push_back(piece);
    }
    token->wall_ns = at - token->wall_start_ns + 500;
    profile.tokens.push_back(token);
  }
  return profile;
}

const app::ComparedRow& row_of(const app::ProfileComparison& comparison, const std::string& name) {
  for (const app::ComparedRow& row : comparison.rows)
    if (row.name == name) return row;
  FAIL(name);
  return comparison.rows.front();
}

}  // namespace

TEST_CASE("a difference is found where it is, and its size") {
  const app::ProfileResult a = example(1, 1), b = example(1.2, 2);
  const auto layers = app::compare_profiles(a, b, app::ProfileRows::layers, 0.05, 0);
  CHECK(layers.regressed());
  CHECK(row_of(layers, "layer 0").verdict == app::Verdict::no_change);
  const app::ComparedRow& slow = row_of(layers, "layer 1");
  CHECK(slow.verdict == app::Verdict::regression);
  CHECK(slow.ratio.ratio == doctest::Approx(1.2).epsilon(0.02));
  CHECK(slow.ratio.low < 1.2);
  CHECK(slow.ratio.high > 1.195);
  CHECK(slow.adjusted_p >= slow.p);
  // A threshold that the interval reaches into is not surely passed.
  CHECK(row_of(app::compare_profiles(a, b, app::ProfileRows::layers, 0.2, 0), "layer 1").verdict ==
        app::Verdict::slower);
  CHECK_FALSE(app::compare_profiles(a, b, app::ProfileRows::layers, 0.5, 0).regressed());
  CHECK(row_of(app::compare_profiles(b, a, app::ProfileRows::layers, 0.05, 0), "layer 1").verdict ==
        app::Verdict::faster);
  CHECK(app::compare_profiles(a, b, app::ProfileRows::kinds, 0.05, 0).rows.size() == 4);
  const auto stages = app::compare_profiles(a, b, app::ProfileRows::stages, 0.05, 0);
  CHECK(stages.rows.size() == 6);
  CHECK(row_of(stages, "mixer of layer 1").verdict == app::Verdict::regression);
  CHECK(row_of(stages, "mixer of layer 0").verdict == app::Verdict::no_change);
  CHECK_FALSE(app::compare_profiles(a, a, app::ProfileRows::stages, 0, 0).regressed());
}

TEST_CASE("a difference that the clock does not tell apart makes nothing slower") {
  // A clock that ticks every 32 ns; half of b's steps are a tick longer, so that its median lies between two ticks.
  const auto ticking = [](bool longer) {
    app::ProfileResult profile = example(1, 1);
    for (std::size_t i = 0; i < profile.tokens.size(); ++i) {
      auto token = std::make_shared<profiler::TokenTimes>(*profile.tokens[i]);
      for (profiler::StageTime& piece : token->stages) piece.duration_ns = 2048;
      if (longer && i % 2 == 0) token->stages[4].duration_ns += 32;
      token->wall_ns = 11'000;
      profile.tokens[i] = token;
    }
    return profile;
  };
  const auto compared = app::compare_profiles(ticking(false), ticking(true), app::ProfileRows::stages, 0, 0);
  CHECK(compared.tick_us == doctest::Approx(0.032));
  const app::ComparedRow& row = row_of(compared, "mixer of layer 1");
  CHECK(row.adjusted_p < 1e-6);
  CHECK(row.median_b_us - row.median_a_us == doctest::Approx(0.016));
  CHECK(row.verdict == app::Verdict::below_tick);
  CHECK_FALSE(compared.regressed());
  // The steady clock says itself what it tells apart.
  app::ProfileResult a = example(1, 1), b = example(1.2, 2);
  for (app::ProfileResult* profile : {&a, &b}) {
    profile->status.source = profiler::TimeSource::cpu_clock;
    profile->status.clock_uncertainty_ns = 1000;
  }
  CHECK(row_of(app::compare_profiles(a, b, app::ProfileRows::stages, 0.05, 0), "mixer of layer 1").verdict ==
        app::Verdict::below_tick);
}

TEST_CASE("the gaps are a row outside of the test, and variants say whose work lies elsewhere") {
  const app::ProfileResult a = example(1, 1);
  app::ProfileResult b = example(1, 2);
  const auto compared = app::compare_profiles(a, b, app::ProfileRows::kinds, 0.05, 0);
  const app::ComparedRow gaps = app::gaps_row(compared, 64, 32);
  CHECK(gaps.name == "gaps");
  CHECK(gaps.median_a_us == doctest::Approx(0.5));
  CHECK(gaps.ratio.ratio == doctest::Approx(1));
  CHECK(gaps.tokens_b == 32);
  CHECK(gaps.verdict == app::Verdict::unlike);
  CHECK(app::work_elsewhere(a, b).empty());
  // Another variant without a norm of its own: its work is in what is left.
  b.plan.variant = "fused";
  CHECK(app::work_elsewhere(a, b).empty());
  for (engine::Stage& stage : b.plan.stages)
    if (stage.kind == engine::StageKind::norm) stage.kind = engine::StageKind::in_proj;
  CHECK(app::work_elsewhere(a, b) ==
        "only A has norm; only B has in_proj: the other variant does that work in stages of other names, which hold "
        "more there");
  CHECK(app::comparison_text(a, b, compared, {}).find("only A has norm") != std::string::npos);
  CHECK(app::comparison_json(a, b, compared, {})["work_elsewhere"] == app::work_elsewhere(a, b));
}

TEST_CASE("a stage that only one of two variants has is not judged") {
  const app::ProfileResult a = example(1, 1);
  app::ProfileResult b = example(1, 2);
  for (engine::Stage& stage : b.plan.stages)
    if (stage.kind == engine::StageKind::norm) stage.kind = engine::StageKind::mlp_up;
  const auto compared = app::compare_profiles(a, b, app::ProfileRows::kinds, 0.05, 0);
  CHECK(compared.rows.size() == 5);
  CHECK(row_of(compared, "norm").verdict == app::Verdict::unlike);
  CHECK(row_of(compared, "norm").tokens_b == 0);
  CHECK(row_of(compared, "mlp_up").verdict == app::Verdict::unlike);
  CHECK(row_of(compared, "mixer").verdict == app::Verdict::no_change);
}

TEST_CASE("what must be alike is, or says what is not") {
  const app::ProfileResult a = example(1, 1);
  CHECK(app::why_not_comparable(a, a).empty());
  CHECK(app::differences(a, a).empty());
  app::ProfileResult b = a;
  b.config.d_model = 7;
  b.plan.batch = 2;
  b.weights = "bf16";
  b.status.source = profiler::TimeSource::cpu_clock;
  CHECK(app::why_not_comparable(a, b).size() == 4);
  b = a;
  b.plan.variant = "fused";
  b.backend.graph = true;
  CHECK(app::why_not_comparable(a, b).empty());
  CHECK(app::differences(a, b).size() == 2);
  // Whether a GPU's steps were waited for; a CPU's always are.
  app::ProfileResult queued = a, waited = a;
  queued.ahead = true;
  queued.backend.is_gpu = waited.backend.is_gpu = true;
  const auto how = app::differences(queued, waited);
  REQUIRE(how.size() == 1);
  CHECK(how[0] == "how steps follow: each step queued while the one before it ran and each step waited for");
  waited.backend.is_gpu = queued.backend.is_gpu = queued.ahead = false;
  CHECK(app::differences(queued, waited).empty());
}

TEST_CASE("with so few tokens that no difference could be shown, none is called absent") {
  app::ProfileResult a = example(1, 1), b = example(40, 2);
  a.tokens.resize(3);
  b.tokens.resize(3);
  const auto few = app::compare_profiles(a, b, app::ProfileRows::kinds, 0.05, 0);
  CHECK(few.too_few_tokens());
  CHECK_FALSE(few.regressed());
  for (const app::ComparedRow& row : few.rows) CHECK(row.verdict == app::Verdict::too_few);
  CHECK(app::comparison_text(a, b, few, {}).find("measure more") != std::string::npos);
  CHECK(app::comparison_json(a, b, few, {})["too_few_tokens"] == true);
  // One token has no interval.
  a.tokens.resize(1);
  const auto one = app::compare_profiles(a, b, app::ProfileRows::kinds, 0.05, 0);
  CHECK(one.rows[0].ratio.ratio > 1);
  CHECK(one.rows[0].ratio.low == 0);
  CHECK(app::comparison_json(a, b, one, {})["rows"][0]["ratio_interval"].is_null());
  const auto many = app::compare_profiles(example(1, 1), example(40, 2), app::ProfileRows::kinds, 0.05, 0);
  CHECK_FALSE(many.too_few_tokens());
}

TEST_CASE("compare ends with 1 on a regression, 2 for apples and pears") {
  const tests::TemporaryFolder folder;
  const auto keep = [&](const char* name, const app::ProfileResult& profile) {
    std::string path = folder.file(name);
    std::ofstream(path, std::ios::binary) << *app::recording_bytes(profile);
    return path;
  };
  const std::string a = keep("a.profile", example(1, 1)), b = keep("b.profile", example(1.2, 2));
  app::ProfileResult other = example(1, 3);
  other.plan.batch = 4;
  const std::string c = keep("c.profile", other);
  const auto worse = run_program({"compare", a, b, "--by", "layer"});
  CHECK(worse.exit_code == 1);
  CHECK(worse.out.find("significantly slower by more than 5 %: ") != std::string::npos);
  CHECK(worse.out.find("Mann") != std::string::npos);
  const auto better = run_program({"compare", b, a, "--json"});
  CHECK(better.exit_code == 0);
  const json printed = json::parse(better.out);
  CHECK(printed["regressed"] == false);
  CHECK(printed["rows"][0]["name"] == "whole step");
  CHECK(printed["rows"][0]["ratio_interval"].size() == 2);
  CHECK(run_program({"compare", b, a, "--json"}).out == better.out);
  CHECK(run_program({"compare", a, b, "--threshold", "50 %"}).exit_code == 0);
  CHECK(run_program({"compare", a, b, "--threshold", "0.02"}).exit_code == 1);
  const auto pears = run_program({"compare", a, c});
  CHECK(pears.exit_code == 2);
  CHECK(pears.out.empty());
  CHECK(pears.err.find("the batch is 1 and 4") != std::string::npos);
  app::ProfileResult more = example(1, 4);
  more.plan.stages.back().kind = engine::StageKind::errors;
  const auto with_errors = run_program({"compare", a, keep("d.profile", more)});
  CHECK(with_errors.exit_code == 2);
  CHECK(with_errors.err.find("only the second measures errors") != std::string::npos);
  const auto forced = run_program({"compare", a, c, "--force"});
  CHECK(forced.exit_code == 0);
  CHECK(forced.out.find("not alike: the batch is 1 and 4") != std::string::npos);
  for (const char* bad : {"x", "-1", "5", "5%%", "nan"})
    CHECK(run_program({"compare", a, b, "--threshold", bad}).exit_code == 2);
  CHECK(run_program({"compare", a}).exit_code == 2);
  CHECK(run_program({"compare", a, "/nonexistent"}).exit_code == 2);
}

TEST_CASE("kernels that wait for each other are not judged by their waiting") {
  // The same work; in the second profile every kernel begins while the one before it runs, and waits.
  const app::ProfileResult eager = example(1, 1);
  app::ProfileResult graph = example(1, 2);
  for (auto& token : graph.tokens) {
    auto early = std::make_shared<profiler::TokenTimes>(*token);
    for (std::size_t i = 1; i < early->stages.size(); ++i) {
      early->stages[i].start_ns -= 1500;
      early->stages[i].duration_ns += 1500;
    }
    token = early;
  }
  const auto kinds = app::compare_profiles(eager, graph, app::ProfileRows::kinds, 0.05, 0);
  CHECK(kinds.clock == profiler::StageClock::waiting_out);
  CHECK_FALSE(kinds.regressed());
  CHECK(row_of(kinds, "mixer").ratio.ratio == doctest::Approx(1).epsilon(0.02));
  const std::string text = app::comparison_text(eager, graph, kinds, {});
  CHECK(text.find("per token, waiting left out") != std::string::npos);
  CHECK(app::comparison_json(eager, graph, kinds, {})["stage_times"] == "waiting_out");
  CHECK(app::compare_profiles(eager, eager, app::ProfileRows::kinds, 0.05, 0).clock == profiler::StageClock::recorded);
}
