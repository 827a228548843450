// Pages of profiles beyond one token: all tokens on one axis, ranks, two profiles compared; and what a second process measures
// for the window: counters and ranks, with progress, cancelling, and the reason where there is nothing.
#include "app/wiring/counters_json.h"
#include "app/wiring/recorded_profile.h"
#include "tests/gui/driver.h"
#include "tests/profiler/counters/fake_counters.h"
#include "tests/support/example_profile.h"
#include "tests/support/temporary_folder.h"

#include <doctest/doctest.h>
#include <imgui_internal.h>
#include <nlohmann/json.hpp>

#include <filesystem>
#include <fstream>

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

std::string script(const tests::TemporaryFolder& folder, const std::string& body) {
  static int number = 0;
  std::string path = folder.file(("program" + std::to_string(++number)).c_str());
  std::ofstream(path) << "#!/bin/sh\n" << body;
  std::filesystem::permissions(path, std::filesystem::perms::owner_all);
  return path;
}

void choose(ImGuiTestContext& user, const std::string& window, const char* item) {
  const ImGuiTestItemInfo found = user.WindowInfo(window.c_str());
  REQUIRE(found.Window != nullptr);
  user.SetRef(found.Window);
  user.ItemClick(item);
  user.Yield(2);
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
      choose(user, recorded_pictures, "compare");
      REQUIRE(driver.wait(user, [&] { return workspace.compare.made != nullptr; }));
      user.Yield(3);
      const std::string words = driver.words(user);
      CHECK(holds(words, "slower beyond 5 %"));
      CHECK(holds(words, "no difference shown"));
      CHECK(holds(words, "B: after"));
      driver.picture("compare-" + std::to_string(size.width));
      user.Yield(2);
      choose(user, recorded_pictures, "by stage");
      REQUIRE(driver.wait(user, [&] { return workspace.compare.made->comparison.rows.size() == 12; }));
      choose(user, recorded_pictures, "significant");
      user.Yield(2);
      CHECK(holds(driver.words(user), "mixer of layer 1"));
      CHECK_FALSE(holds(driver.words(user), "mixer of layer 2"));
      choose(user, recorded_pictures, "significant");
      choose(user, recorded_pictures, "##compare filter");
      user.KeyCharsReplace("layer 2");
      user.Yield(2);
      CHECK(holds(driver.words(user), "mixer of layer 2"));
      CHECK_FALSE(holds(driver.words(user), "mixer of layer 1"));
      // The other way round it is faster.
      user.KeyCharsReplace("layer 1");
      workspace.activate(1);
      const auto before_swap = workspace.compare.made;
      REQUIRE(driver.wait(user, [&] { return workspace.compare.made != before_swap; }));
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
    choose(user, recorded_pictures, "compare");
    CHECK(holds(driver.words(user), "Nothing to compare with"));
    choose(user, recorded_pictures, "ranks");
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
      CHECK(workspace.document().timing_cache.ranks.values.path.size() == 4);
      driver.picture("ranks-" + std::to_string(size.width));
      user.Yield(2);
      choose(user, recorded_pictures, "R = 8");
      CHECK(workspace.document().config().rank() == 8);
      CHECK(workspace.document().name == "ranks at rank 8");
      choose(user, recorded_pictures, "roofline");
      driver.picture("rank-roofline-" + std::to_string(size.width));
      user.Yield(2);
      choose(user, recorded_pictures, "R = 1");
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
    choose(user, recorded_pictures, "all tokens");
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
      choose(user, recorded_pictures, "all tokens");
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

TEST_CASE("counters are measured in a second process: progress, the end, their columns") {
  const tests::TemporaryFolder folder;
  Driver driver;
  app::Workspace& workspace = driver.workspace();
  const std::string go = folder.file("go");
  const std::string numbers = "[1000,500,3000,40,20,50,1000]";
  std::string stages;
  CHECK(driver.run([&](ImGuiTestContext& user) {
    workspace.post(engine::command::Step{8});
    REQUIRE(driver.wait(user, [&] { return driver.tokens() == 8; }));
    for (std::size_t i = 0; i < driver.snapshot().plan->stages.size(); ++i) stages += (i > 0 ? "," : "") + numbers;
    driver.app().set_program(script(
        folder,
        "echo progress 0.4 >&2\nwhile [ ! -e " + go +
            " ]; do sleep 0.05; done\necho '{\"available\":true,\"chip\":\"FK100\",\"library\":\"l\",\"passes\":2,"
            "\"seconds\":1,\"same_bits_in_every_pass\":true,\"ranges_dropped\":0,\"metrics\":[\"dram__bytes_read.sum\","
            "\"dram__bytes_write.sum\",\"lts__t_bytes.sum\",\"dram__throughput.avg.pct_of_peak_sustained_elapsed\","
            "\"sm__throughput.avg.pct_of_peak_sustained_elapsed\",\"sm__warps_active.avg.pct_of_peak_sustained_"
            "active\","
            "\"gpu__time_duration.sum\"],\"not_on_this_chip\":[],\"stages\":[" +
            stages + "]}'\n"));
    workspace.requests.focus_panel = "Kernel timings";
    user.Yield(4);
    choose(user, "//Kernel timings/table", "Measure counters");
    const app::Document& document = workspace.document();
    REQUIRE(driver.wait(user, [&] { return document.counters_job && document.counters_job->progress() == 0.4; }));
    user.Yield(2);
    CHECK(holds(driver.words(user), "counting 40 %"));
    driver.picture("counters-progress");
    user.Yield(2);
    choose(user, "//Kernel timings/table", "Cancel");
    REQUIRE(driver.wait(user, [&] { return document.counters_job->cancelled(); }));
    user.Yield(2);
    CHECK(holds(driver.words(user), "counting was cancelled"));
    CHECK(document.counters == nullptr);

    std::ofstream(go) << "go";
    choose(user, "//Kernel timings/table", "Measure counters");
    REQUIRE(driver.wait(user, [&] { return document.counters != nullptr; }));
    user.Yield(2);
    choose(user, "//Kernel timings/table", "counters");
    user.Yield(2);
    CHECK(holds(driver.words(user), "SM %"));
    driver.picture("counters-table");
    user.Yield(2);
    choose(user, "//Kernel timings/pictures", "roofline");
    for (const app::RooflinePoint& point : document.timing_cache.roofline.values.points)
      CHECK(point.counted_intensity > 0);
    driver.picture("counters-roofline");
    user.Yield(2);
  }));
}

TEST_CASE("what a fake library counts reaches the window, and so does what it refuses; the session steps on") {
  const tests::TemporaryFolder folder;
  Driver driver;
  app::Workspace& workspace = driver.workspace();
  const auto model = engine::load_model("parity", {});
  REQUIRE(model.has_value());
  engine::BackendOptions choice;
  choice.choice = engine::BackendChoice::cpu;
  // What the second process would print, had it this library.
  const auto counted_by = [&](fake::CounterScript& script) {
    const auto backend = engine::make_backend((*model)->weights, choice);
    REQUIRE(backend.has_value());
    auto session = profiler::CounterSession::start(std::make_unique<fake::Counters>(script), app::counted_metrics(),
                                                   (*backend)->plan().stages.size());
    if (!session) return app::no_counters(session.error().reason, session.error().remedy);
    const std::int32_t id = 1;
    auto counters =
        app::count_stages(**backend, {&id, 1}, (*model)->config().n_layer,
                          static_cast<std::size_t>((*model)->config().padded_vocab()), *session, [](double) {});
    REQUIRE(counters.has_value());
    return *counters;
  };
  const auto print = [&](fake::CounterScript& script) {
    const std::string file = folder.file("counters.json");
    std::ofstream(file) << app::counters_json(counted_by(script)).dump();
    return ::script(folder, "cat " + file + "\n");
  };
  struct Row {
    const char* call;
    profiler::CuptiFault fault;
    const char *says, *remedy;
  };
  const Row rows[] = {{"", profiler::CuptiFault::none, "", ""},
                      {"open", profiler::CuptiFault::no_privilege, "may not profile", "ERR_NVGPUCTRPERM"},
                      {"enable", profiler::CuptiFault::hardware_busy, "DCGM", "dcgmi profile --pause"},
                      {"open", profiler::CuptiFault::second_subscriber, "Another tool", "without that tool"},
                      {"begin_range", profiler::CuptiFault::no_driver, "no working NVIDIA driver", "nvidia-smi"}};
  CHECK(driver.run([&](ImGuiTestContext& user) {
    workspace.post(engine::command::Step{8});
    REQUIRE(driver.wait(user, [&] { return driver.tokens() == 8; }));
    workspace.requests.focus_panel = "Kernel timings";
    user.Yield(4);
    std::int64_t tokens = 8;
    for (const Row& row : rows) {
      CAPTURE(row.says);
      fake::CounterScript script;
      if (row.fault != profiler::CuptiFault::none) script.faults[row.call] = row.fault;
      driver.app().set_program(print(script));
      const app::Document& document = workspace.document();
      workspace.requests.measure_counters = true;
      user.Yield(2);
      REQUIRE(driver.wait(user, [&] { return document.counters != nullptr; }));
      user.Yield(2);
      if (row.fault == profiler::CuptiFault::none) {
        CHECK(document.counters->chip == "FK100");
        choose(user, "//Kernel timings/table", "counters");
        user.Yield(2);
        CHECK(holds(driver.words(user), "SM %"));
        choose(user, "//Kernel timings/table", "times");
      } else {
        CHECK(document.counters->why.reason.find(row.says) != std::string::npos);
        CHECK(holds(driver.words(user), row.says));
        CHECK(holds(driver.words(user), row.remedy));
      }
      workspace.post(engine::command::Step{1});
      REQUIRE(driver.wait(user, [&] { return driver.tokens() == tokens + 1; }));
      ++tokens;
    }
  }));
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
  profile.samples = samples;
  app::GuiOptions options;
  options.profiles = {keep(folder, "sampled.profile", profile)};
  options.size = {1280, 720};
  Driver driver(options);
  app::Workspace& workspace = driver.workspace();
  CHECK(driver.run([&](ImGuiTestContext& user) {
    user.Yield(4);
    choose(user, recorded_pictures, "timeline");
    user.Yield(2);
    CHECK(workspace.document().timing_cache.samples.strip.own);  // the newest token is the sampled one
    driver.picture("samples-timeline");
    user.Yield(2);
    const ImRect area = user.WindowInfo(recorded_pictures).Window->Rect();
    bool told = false;
    for (float y = area.Min.y + 50; y < area.Max.y && !told; y += 5) {
      user.MouseMoveToPos({area.GetCenter().x, y});
      told = holds(driver.words(user), "tensor active 30.0 % of the peak") ||
             holds(driver.words(user), "tensor active 0.0 % of the peak");
    }
    CHECK(told);
    choose(user, recorded_pictures, "all tokens");
    REQUIRE(driver.wait(user, [&] { return workspace.document().timing_cache.run.values != nullptr; }));
    workspace.run_span = {0.94, 1.0};
    user.Yield(2);
    driver.picture("samples-run");
    user.Yield(2);
  }));
}

TEST_CASE("where there is nothing to count the exact reason and remedy stand in the window") {
  Driver driver;
  app::Workspace& workspace = driver.workspace();
  driver.app().set_program(TEST_PROGRAM);  // counts nothing on a CPU
  CHECK(driver.run([&](ImGuiTestContext& user) {
    workspace.post(engine::command::Step{4});
    REQUIRE(driver.wait(user, [&] { return driver.tokens() == 4; }));
    workspace.requests.focus_panel = "Kernel timings";
    user.Yield(4);
    choose(user, "//Kernel timings/table", "Measure counters");
    REQUIRE(driver.wait(
        user, [&] { return workspace.document().counters != nullptr; }, 2000));
    user.Yield(2);
    const std::string words = driver.words(user);
    CHECK(holds(words, "no counters: The cpu backend has no hardware counters."));
    CHECK(holds(words, "Use --backend cuda."));
    driver.picture("counters-forbidden");
    user.Yield(2);
  }));
}

TEST_CASE("one click measures the ranks of the open model's shape, on the CPU's stage clock where there is no GPU") {
  Driver driver;
  app::Workspace& workspace = driver.workspace();
  driver.app().set_program(TEST_PROGRAM);
  CHECK(driver.run([&](ImGuiTestContext& user) {
    workspace.post(engine::command::Step{4});
    REQUIRE(driver.wait(user, [&] { return driver.tokens() == 4; }));
    workspace.requests.focus_panel = "Kernel timings";
    user.Yield(4);
    choose(user, "//Kernel timings/pictures", "ranks");
    CHECK(holds(driver.words(user), "the CPU's stage clock"));
    user.ItemClick("Measure ranks");
    const app::Document& document = workspace.document();
    REQUIRE(driver.wait(user, [&] { return document.ranks_job != nullptr; }));
    REQUIRE(driver.wait(
        user, [&] { return document.family != nullptr; }, 4000));
    user.Yield(3);
    CHECK(document.family->runs.size() == 4);
    CHECK(workspace.ready());
    driver.picture("ranks-live");
    user.Yield(2);
  }));
}
