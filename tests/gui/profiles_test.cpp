// Pages of profiles beyond one token: all tokens on one axis, ranks, two profiles compared, samples.
#include "app/wiring/recorded_profile.h"
#include "tests/gui/driver.h"
#include "tests/support/example_profile.h"
#include "tests/support/temporary_folder.h"

#include <doctest/doctest.h>
#include <imgui_internal.h>

#include <chrono>
#include <fstream>
#include <thread>

using gui_test::Driver;

namespace {

bool holds(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

std::string keep(const tests::TemporaryFolder& folder, const char* name, const app::ProfileResult& profile) {
  std::string path = folder.file(name);
  std::ofstream(path, std::ios::binary) << *app::recording_bytes(profile);
  return path;
}

// Mixers of layer 1 take a fifth longer.
app::ProfileResult slower() {
  app::ProfileResult profile = tests::example_profile(3, 64);
  for (auto& token : profile.tokens) {
    auto changed = std::make_shared<profiler::TokenTimes>(*token);
    for (profiler::StageTime& piece : changed->stages)
      if (piece.tag.stage == 5) piece.duration_ns += piece.duration_ns / 5;
    token = changed;
  }
  return profile;
}

std::string keep_family(const tests::TemporaryFolder& folder) {
  app::RankFamily family;
  family.shape = "siso-187m";
  for (const int rank : {1, 2, 4, 8}) {
    app::RankRun run;
    run.rank = rank;
    run.parameters = 187'000'000 + 2'000'000 * rank;
    run.twin = "cpu";
    run.worst = 1e-6;
    run.rtol = 1e-4;
    run.result = tests::example_profile(6, 64);
    run.result.config.is_mimo = rank > 1;
    run.result.config.mimo_rank = rank;
    run.result.backend.fp32_flops_per_second = 6.7e13;
    run.result.backend.peak_source = "132 multiprocessors x 128 fp32 lanes x 2 x 1980 MHz, the highest clock";
    for (engine::Stage& stage : run.result.plan.stages)
      if (stage.kind == engine::StageKind::mixer) stage.cost.flops *= static_cast<std::uint64_t>(8 * rank);
    for (auto& token : run.result.tokens) {
      auto changed = std::make_shared<profiler::TokenTimes>(*token);
      for (profiler::StageTime& piece : changed->stages)
        if (run.result.plan.stages[piece.tag.stage].kind == engine::StageKind::mixer)
          piece.duration_ns = piece.duration_ns * (4 + rank) / 5;
      token = changed;
    }
    family.runs.push_back(std::move(run));
  }
  const auto bytes = app::family_bytes(family);
  REQUIRE(bytes.has_value());
  std::string path = folder.file("ranks.profile");
  std::ofstream(path, std::ios::binary) << *bytes;
  return path;
}

constexpr const char* recorded_pictures = "//Recorded times/pictures";

}  // namespace

TEST_CASE("two recorded profiles are compared: what is slower is found, sorted and filtered") {
  const tests::TemporaryFolder folder;
  const std::string before = keep(folder, "before.profile", tests::example_profile(3, 64));
  const std::string after = keep(folder, "after.profile", slower());
  for (const app::SurfaceSize size : {app::SurfaceSize{1604, 1000}, app::SurfaceSize{1280, 720}}) {
    app::GuiOptions options;
    options.profiles = {before, after};
    options.size = size;
    Driver driver(options);
    app::Workspace& workspace = driver.workspace();
    CHECK(driver.run([&](ImGuiTestContext& user) {
      user.Yield(4);
      driver.choose(user, recorded_pictures, "compare");
      REQUIRE(driver.wait(user, [&] { return workspace.compare.made.values != nullptr; }));
      user.Yield(3);
      const std::string words = driver.words(user);
      CHECK(holds(words, "slower beyond 5 %"));
      CHECK(holds(words, "no difference shown"));
      CHECK(holds(words, "B: after"));
      driver.picture("compare-" + std::to_string(size.width));
      user.Yield(2);
      driver.choose(user, recorded_pictures, "by stage");
      REQUIRE(driver.wait(user, [&] {
        return workspace.compare.made.values && workspace.compare.made.values->comparison.rows.size() == 12;
      }));
      driver.choose(user, recorded_pictures, "significant");
      user.Yield(2);
      CHECK(holds(driver.words(user), "mixer of layer 1"));
      CHECK_FALSE(holds(driver.words(user), "mixer of layer 2"));
      driver.choose(user, recorded_pictures, "significant");
      driver.choose(user, recorded_pictures, "##compare filter");
      user.KeyCharsReplace("layer 2");
      user.Yield(2);
      CHECK(holds(driver.words(user), "mixer of layer 2"));
      CHECK_FALSE(holds(driver.words(user), "mixer of layer 1"));
      // The other way round it is faster.
      user.KeyCharsReplace("layer 1");
      workspace.activate(1);
      const auto before_swap = workspace.compare.made.values;
      REQUIRE(driver.wait(
          user, [&] { return workspace.compare.made.values && workspace.compare.made.values != before_swap; }));
      user.Yield(3);
      CHECK(holds(driver.words(user), "faster"));
    }));
  }
}

TEST_CASE("one profile alone has nothing to be compared with, and the page says what to do") {
  const tests::TemporaryFolder folder;
  app::GuiOptions options;
  options.profiles = {keep(folder, "alone.profile", tests::example_profile(2, 40))};
  Driver driver(options);
  CHECK(driver.run([&](ImGuiTestContext& user) {
    user.Yield(4);
    driver.choose(user, recorded_pictures, "compare");
    CHECK(holds(driver.words(user), "Nothing to compare with"));
    driver.choose(user, recorded_pictures, "ranks");
    CHECK(holds(driver.words(user), "One rank was recorded"));
  }));
}

TEST_CASE("a recorded family: times against the rank, the path over the roofline, one rank's profile") {
  const tests::TemporaryFolder folder;
  const std::string file = keep_family(folder);
  for (const app::SurfaceSize size : {app::SurfaceSize{1604, 1000}, app::SurfaceSize{1280, 720}}) {
    app::GuiOptions options;
    options.profiles = {file};
    options.size = size;
    Driver driver(options);
    app::Workspace& workspace = driver.workspace();
    CHECK(driver.run([&](ImGuiTestContext& user) {
      user.Yield(4);
      REQUIRE(workspace.recorded());
      // What it was recorded for is what it opens on.
      CHECK(workspace.timing_page == app::TimingPage::ranks);
      user.Yield(2);
      CHECK(holds(driver.words(user), "Not equal between the ranks"));
      CHECK(workspace.document().timing_cache.ranks.values->path.size() == 4);
      driver.picture("ranks-" + std::to_string(size.width));
      user.Yield(2);
      driver.choose(user, recorded_pictures, "R = 8");
      CHECK(workspace.document().config().rank() == 8);
      CHECK(workspace.document().name == "ranks at rank 8");
      driver.choose(user, recorded_pictures, "roofline");
      driver.picture("rank-roofline-" + std::to_string(size.width));
      user.Yield(2);
      driver.choose(user, recorded_pictures, "R = 1");
      CHECK(workspace.document().config().rank() == 1);
    }));
  }
}

TEST_CASE("all tokens on one axis: a click chooses the token and the stage, the wheel zooms to a kernel") {
  const tests::TemporaryFolder folder;
  app::GuiOptions options;
  options.profiles = {keep(folder, "run.profile", tests::example_profile(12, 400))};
  Driver driver(options);
  app::Workspace& workspace = driver.workspace();
  CHECK(driver.run([&](ImGuiTestContext& user) {
    user.Yield(4);
    driver.choose(user, recorded_pictures, "all tokens");
    REQUIRE(driver.wait(user, [&] { return workspace.document().timing_cache.run.values != nullptr; }));
    user.Yield(2);
    driver.picture("run-whole");
    user.Yield(2);
    const ImRect area = user.WindowInfo(recorded_pictures).Window->Rect();
    user.MouseMoveToPos({area.GetCenter().x, area.Min.y + 0.60F * area.GetHeight()});
    CHECK(holds(driver.words(user), "at work"));
    for (int i = 0; i < 70; ++i) {
      user.MouseWheelY(1);
      user.Yield(1);
    }
    CHECK(workspace.run_zoomed);
    driver.picture("run-zoomed");
    user.Yield(2);
    REQUIRE(holds(driver.words(user), "a kernel"));
    user.MouseClick();
    user.Yield(2);
    CHECK(workspace.selection.token > 8);
    CHECK(workspace.selection.stage >= 0);
  }));
}

TEST_CASE("a frame of a recording with a million pieces costs what its pixels cost") {
  const tests::TemporaryFolder folder;
  int few = 0;
  for (const auto& [layers, tokens] : {std::pair{12, 400}, {40, 8200}}) {
    app::GuiOptions options;
    options.profiles = {keep(folder, "many.profile", tests::example_profile(layers, tokens))};
    options.size = {1604, 1000};
    Driver driver(options);
    app::Workspace& workspace = driver.workspace();
    CHECK(driver.run([&](ImGuiTestContext& user) {
      user.Yield(4);
      REQUIRE(workspace.recorded());
      app::TimingCache& cache = workspace.document().timing_cache;
      const bool large = cache.records > app::TimingCache::most_at_once;
      CHECK(large == (layers == 40));
      // Whatever looks at every record of a large recording is made behind the frames, and says how far it is.
      REQUIRE(driver.wait(user, [&] { return cache.table_made && cache.layers.values && cache.strip.values; }));
      driver.choose(user, recorded_pictures, "histogram");
      REQUIRE(driver.wait(user, [&] { return cache.distribution.values != nullptr && !cache.distribution.making; }));
      workspace.selection.stage_kind = static_cast<int>(engine::StageKind::mixer);
      if (large) {
        // In place of what the page asks for: it has come to 40 % and goes on until it is given up.
        cache.distribution.start({cache.newest, -1, workspace.selection.stage_kind},
                                 [](const profiler::GoesOn& goes_on) {
                                   while (goes_on(0.4)) std::this_thread::sleep_for(std::chrono::milliseconds(1));
                                   return app::TimingDistribution();
                                 });
        user.Yield(3);
        CHECK(cache.distribution.making != nullptr);
        CHECK(holds(driver.words(user), "counting 1,000,400 records… 40 %"));
        driver.picture("counting");
        user.Yield(2);
      }
      // Another choice gives that up.
      workspace.selection.stage_kind = static_cast<int>(engine::StageKind::in_proj);
      user.Yield(1);
      REQUIRE(driver.wait(user, [&] { return !cache.distribution.making; }));
      CHECK(cache.distribution.values->kind == static_cast<int>(engine::StageKind::in_proj));
      CHECK(cache.distribution.values->tokens == static_cast<std::size_t>(tokens));
      REQUIRE(driver.wait(user, [] { return app::BehindTask::leaving() == 0; }));
      workspace.selection.stage_kind = -1;
      driver.choose(user, recorded_pictures, "all tokens");
      const auto& run = workspace.document().timing_cache.run;
      REQUIRE(driver.wait(user, [&] { return run.values != nullptr; }));
      const std::size_t pieces = run.values->pieces();
      CHECK(pieces == static_cast<std::size_t>(tokens * (3 * layers + 2)));
      driver.app().frame_stats().clear();
      int most = 0;
      for (int i = 0; i < 30; ++i) {
        user.Yield(1);
        most = std::max(most, ImGui::GetIO().MetricsRenderVertices);
      }
      MESSAGE(pieces << " pieces: " << most << " vertices, a frame takes "
                     << driver.app().frame_stats().quantile_ms(0.5) << " ms, drawn in software");
      // Up to a block for each pixel across, each a few vertices, and the rest of the window.
      CHECK(most < 60'000);
      if (few > 0) CHECK(most < 2 * few);
      few = most;
    }));
  }
}

TEST_CASE("hardware samples lie below the kernels on their axis, with a legend, and tell their numbers") {
  const tests::TemporaryFolder folder;
  app::ProfileResult profile = tests::example_profile(6, 20);
  app::TokenSamples samples;
  samples.metrics = app::sampled_metrics();
  samples.interval_ns = 2000;
  samples.tokens.push_back({27, {}, {}});
  for (int i = 0; i < 100; ++i) {
    samples.tokens[0].start_ns.push_back(2000 * i);
    samples.tokens[0].values.push_back({90, 40.0 + 0.4 * i, 10, i % 7 == 0 ? 30.0 : 0.0, 50});
  }
  samples.tokens.push_back(samples.tokens[0]);
  samples.tokens[1].token = 20;
  profile.samples = samples;
  app::GuiOptions options;
  options.profiles = {keep(folder, "sampled.profile", profile)};
  options.size = {1280, 720};
  Driver driver(options);
  app::Workspace& workspace = driver.workspace();
  CHECK(driver.run([&](ImGuiTestContext& user) {
    user.Yield(4);
    driver.choose(user, recorded_pictures, "timeline");
    user.Yield(2);
    CHECK(workspace.document().timing_cache.samples.strip.own);  // the newest token is the sampled one
    driver.picture("samples-timeline");
    user.Yield(2);
    const ImRect area = user.WindowInfo(recorded_pictures).Window->Rect();
    const auto told = [&] {
      for (float y = area.Min.y + 50; y < area.Max.y; y += 5) {
        user.MouseMoveToPos({area.GetCenter().x, y});
        const std::string words = driver.words(user);
        if (holds(words, "tensor active 30.0 % of the peak") || holds(words, "tensor active 0.0 % of the peak"))
          return true;
      }
      return false;
    };
    CHECK(told());
    // Below a token that was not sampled stand no others' samples, but the way to one that was.
    workspace.select_token(22);
    user.Yield(2);
    CHECK(workspace.document().timing_cache.timeline.token == 22);
    CHECK_FALSE(told());
    driver.picture("samples-of-another-token");
    user.Yield(2);
    driver.choose(user, recorded_pictures, "samples: tokens 27 to 20");
    CHECK(workspace.selection.token == 27);
    CHECK(told());
    driver.choose(user, recorded_pictures, "all tokens");
    REQUIRE(driver.wait(user, [&] { return workspace.document().timing_cache.run.values != nullptr; }));
    // Every token that was sampled has them below its kernels, whichever is chosen.
    const auto& all = workspace.document().timing_cache.samples.all;
    REQUIRE(all.size() == 2);
    CHECK(all[1].strip.token == 20);
    const app::RunTimeline& run = *workspace.document().timing_cache.run.values;
    for (const app::PlacedStrip& placed : all) {
      const double start = run.start_of(static_cast<std::uint32_t>(placed.strip.token));
      workspace.run_span = {start / run.end_us(), (start + 200) / run.end_us()};
      user.Yield(2);
      bool said = false;
      for (float y = area.Min.y + 50; y < area.Max.y && !said; y += 5) {
        user.MouseMoveToPos({area.GetCenter().x, y});
        said = holds(driver.words(user), ("samples of token " + std::to_string(placed.strip.token) + " in").c_str());
      }
      CHECK(said);
    }
    workspace.run_span = {0.5, 1.0};
    user.Yield(2);
    driver.picture("samples-run");
    user.Yield(2);
  }));
}
