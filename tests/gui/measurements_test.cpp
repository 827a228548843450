// What a second process measures for the window: counters, samples and ranks, with progress, cancelling, and the reason where
// there is nothing.
#include "app/wiring/counters_json.h"
#include "app/wiring/samples_json.h"
#include "tests/gui/driver.h"
#include "tests/profiler/counters/fake_counters.h"
#include "tests/profiler/counters/fake_sampling.h"
#include "tests/support/temporary_folder.h"

#include <doctest/doctest.h>
#include <imgui_internal.h>
#include <nlohmann/json.hpp>

#include <filesystem>
#include <fstream>

using gui_test::Driver;

namespace {

bool holds(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

std::string script(const tests::TemporaryFolder& folder, const std::string& body) {
  static int number = 0;
  std::string path = folder.file(("program" + std::to_string(++number)).c_str());
  std::ofstream(path) << "#!/bin/sh\n" << body;
  std::filesystem::permissions(path, std::filesystem::perms::owner_all);
  return path;
}

}  // namespace

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
    driver.choose(user, "//Kernel timings/table", "Measure counters");
    const app::Document& document = workspace.document();
    REQUIRE(driver.wait(user, [&] { return document.counters_job && document.counters_job->progress() == 0.4; }));
    user.Yield(2);
    CHECK(holds(driver.words(user), "counting 40 %"));
    driver.picture("counters-progress");
    user.Yield(2);
    driver.choose(user, "//Kernel timings/table", "Cancel");
    REQUIRE(driver.wait(user, [&] { return document.counters_job->cancelled(); }));
    user.Yield(2);
    CHECK(holds(driver.words(user), "counting was cancelled"));
    CHECK(document.counters == nullptr);

    std::ofstream(go) << "go";
    driver.choose(user, "//Kernel timings/table", "Measure counters");
    REQUIRE(driver.wait(user, [&] { return document.counters != nullptr; }));
    user.Yield(2);
    driver.choose(user, "//Kernel timings/table", "counters");
    user.Yield(2);
    CHECK(holds(driver.words(user), "SM %"));
    driver.picture("counters-table");
    user.Yield(2);
    driver.choose(user, "//Kernel timings/pictures", "roofline");
    for (const app::RooflinePoint& point : document.timing_cache.roofline.values->points)
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
        driver.choose(user, "//Kernel timings/table", "counters");
        user.Yield(2);
        CHECK(holds(driver.words(user), "SM %"));
        driver.choose(user, "//Kernel timings/table", "times");
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

TEST_CASE("samples are taken in a second process: progress, cancelling, the strip; and why there are none") {
  const tests::TemporaryFolder folder;
  Driver driver;
  app::Workspace& workspace = driver.workspace();
  const auto model = engine::load_model("parity", {});
  REQUIRE(model.has_value());
  engine::BackendOptions choice;
  choice.choice = engine::BackendChoice::cpu;
  // What the second process would print, had it this library.
  const auto print = [&](fake::SamplingScript& script, const std::string& before) {
    const auto backend = engine::make_backend((*model)->weights, choice);
    REQUIRE(backend.has_value());
    auto session =
        profiler::SamplingSession::start(std::make_unique<fake::Sampling>(script), app::sampled_metrics(), 2000, 1000);
    const std::int32_t ids[] = {1, 0};
    app::TokenSamples samples;
    if (session) {
      auto taken = app::sample_tokens(**backend, ids, *session, {2, 200'000});
      REQUIRE(taken.has_value());
      samples = std::move(*taken);
    } else {
      samples.why = session.error();
    }
    const std::string file = folder.file("samples.json");
    std::ofstream(file) << app::samples_json(samples).dump();
    return ::script(folder, before + "cat " + file + "\n");
  };
  const std::string go = folder.file("go"), asked = folder.file("asked");
  fake::SamplingScript good;
  for (int t = 0; t < 2; ++t) good.play(200, 5 + t, 40, 5);
  CHECK(driver.run([&](ImGuiTestContext& user) {
    workspace.post(engine::command::Step{8});
    REQUIRE(driver.wait(user, [&] { return driver.tokens() == 8; }));
    workspace.requests.focus_panel = "Kernel timings";
    user.Yield(4);
    driver.app().set_program(print(
        good, "echo \"$@\" >" + asked + "\necho progress 0.6 >&2\nwhile [ ! -e " + go + " ]; do sleep 0.05; done\n"));
    const app::Document& document = workspace.document();
    driver.choose(user, "//Kernel timings/table", "Sample over time");
    REQUIRE(driver.wait(user, [&] { return document.samples_job && document.samples_job->progress() == 0.6; }));
    user.Yield(2);
    CHECK(holds(driver.words(user), "sampling 60 %"));
    driver.choose(user, "//Kernel timings/table", "Cancel");
    REQUIRE(driver.wait(user, [&] { return document.samples_job->cancelled(); }));
    user.Yield(2);
    CHECK(holds(driver.words(user), "sampling was cancelled"));
    CHECK(document.samples == nullptr);

    std::ofstream(go) << "go";
    driver.choose(user, "//Kernel timings/table", "Sample over time");
    REQUIRE(driver.wait(user, [&] { return document.samples != nullptr; }));
    user.Yield(2);
    CHECK(document.samples->tokens.size() == 2);
    // The same step as the window's: with the stage that measures the rules' errors, where that has one.
    std::string words;
    std::getline(std::ifstream(asked), words);
    CHECK(holds(words, "--samples-only"));
    CHECK(holds(words, "--errors"));
    CHECK(holds(driver.words(user), "Sample again"));
    // Of steps of their own: below the kernels of the shown token, and said to be of no token here.
    CHECK(document.timing_cache.samples.strip.apart);
    CHECK_FALSE(document.timing_cache.samples.strip.own);
    driver.picture("samples-live");
    user.Yield(2);
    driver.choose(user, "//Kernel timings/pictures", "all tokens");
    REQUIRE(driver.wait(user, [&] { return document.timing_cache.run.values != nullptr; }));
    user.Yield(2);
    CHECK(document.timing_cache.samples.all.size() == 1);

    struct Row {
      const char* call;
      profiler::CuptiFault fault;
      const char *says, *remedy;
    };
    for (const Row& row : {Row{"open", profiler::CuptiFault::no_privilege, "may not profile", "ERR_NVGPUCTRPERM"},
                           {"enable", profiler::CuptiFault::hardware_busy, "DCGM", "dcgmi profile --pause"},
                           {"open", profiler::CuptiFault::second_subscriber, "Another tool", "without that tool"},
                           {"stop", profiler::CuptiFault::hardware_busy, "DCGM", "dcgmi"}}) {
      CAPTURE(row.says);
      fake::SamplingScript refused;
      refused.faults[row.call] = row.fault;
      driver.app().set_program(print(refused, ""));
      workspace.requests.measure_samples = true;
      user.Yield(2);
      REQUIRE(driver.wait(user, [&] { return document.samples != nullptr; }));
      user.Yield(2);
      CHECK(holds(driver.words(user), "no samples: "));
      CHECK(holds(driver.words(user), row.says));
      CHECK(holds(driver.words(user), row.remedy));
      CHECK(document.timing_cache.samples.all.empty());
    }
    driver.picture("samples-forbidden");
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
    driver.choose(user, "//Kernel timings/table", "Measure counters");
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
    driver.choose(user, "//Kernel timings/pictures", "ranks");
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
