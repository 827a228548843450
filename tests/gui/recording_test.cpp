// Recording from the window, and recorded tokens as a document of their own.
#include "engine/recording/recording.h"

#include "tests/gui/driver.h"
#include "tests/support/temporary_folder.h"

#include <doctest/doctest.h>
#include <imgui_internal.h>

#include <filesystem>

using gui_test::Driver;

namespace {

bool holds(const std::string& text, const char* part) { return text.find(part) != std::string::npos; }

}  // namespace

TEST_CASE("what was stepped is recorded by the button, opened again without weights, and gone through") {
  const tests::TemporaryFolder folder;
  const std::string file = folder.file("kept.safetensors");
  std::vector<float> expected;
  {
    Driver driver;
    CHECK(driver.run([&](ImGuiTestContext& user) {
      driver.workspace().post(engine::command::Step{24});
      REQUIRE(driver.wait(user, [&] { return driver.tokens() == 24; }));
      user.ItemClick("//Transport/###record");
      user.Yield(2);
      driver.picture("record-popup");
      CHECK(driver.workspace().record_path == "parity-24.safetensors");
      user.SetRef("//$FOCUSED");
      user.ItemInput("##recording");
      user.KeyCharsReplaceEnter(file.c_str());
      REQUIRE(driver.wait(user, [&] { return std::filesystem::exists(file); }));
      REQUIRE(driver.wait(user, [&] { return holds(driver.words(user), "24 tokens recorded"); }));
      expected = driver.snapshot().tokens[11]->state->layers[0].ssm;
    }));
  }
  const auto recording = engine::Recording::open(file);
  REQUIRE(recording.has_value());
  CHECK((*recording)->tokens() == 24);
  CHECK((*recording)->info().timing_source == "CPU stage clock");

  app::GuiOptions options;
  options.models = {file};
  options.size = {1600, 1000};
  Driver driver(options);
  app::Workspace& workspace = driver.workspace();
  REQUIRE(workspace.ready());
  REQUIRE(workspace.document().replay != nullptr);
  CHECK(workspace.document().model->weights.embedding.data == nullptr);
  CHECK(driver.run([&](ImGuiTestContext& user) {
    REQUIRE(driver.wait(user, [&] { return driver.tokens() == 24; }));
    driver.picture("recording-reopened");
    CHECK(holds(driver.words(user), "recorded on"));
    // Back and forward by the buttons and the keys.
    user.ItemClick("//Transport/###back");
    REQUIRE(driver.wait(user, [&] { return driver.tokens() == 23; }));
    workspace.post(engine::command::Seek{12});
    REQUIRE(driver.wait(user, [&] { return driver.tokens() == 12; }));
    CHECK(driver.snapshot().tokens[11]->state->layers[0].ssm == expected);
    user.ItemClick("//Transport/###step");
    REQUIRE(driver.wait(user, [&] { return driver.tokens() == 13; }));
    workspace.post(engine::command::Seek{24});
    REQUIRE(driver.wait(user, [&] { return driver.tokens() == 24; }));
    user.KeyPress(ImGuiKey_Space);
    REQUIRE(driver.wait(user, [&] { return holds(driver.words(user), "The recording ends here"); }));
    // What needs weights says why not.
    for (auto* wanted : {&workspace.requests.verify, &workspace.requests.evaluate, &workspace.requests.effect}) {
      *wanted = true;
      REQUIRE(driver.wait(user, [&] { return holds(driver.words(user), "there are no weights to step with"); }));
    }
    // Every panel has something to draw or says why not, in every frame.
    for (const char* panel : {"Inspector", "State rotations", "Discretisation", "Accuracy", "Predictions",
                              "Discretisation error", "Kernel timings", "Model map"}) {
      workspace.requests.focus_panel = panel;
      user.Yield(4);
    }
  }));
}

TEST_CASE("a recording holds what was in force, and its reopened window shows it and moves no further than its end") {
  const tests::TemporaryFolder folder;
  const std::string file = folder.file("changed.safetensors");
  {
    Driver driver;
    CHECK(driver.run([&](ImGuiTestContext& user) {
      driver.workspace().post(engine::command::Step{16});
      REQUIRE(driver.wait(user, [&] { return driver.tokens() == 16; }));
      engine::Intervention zero;
      zero.value = 0;
      zero.tokens = {8, -1};
      driver.workspace().post(engine::command::Intervene{{zero}});
      REQUIRE(driver.wait(user, [&] { return !driver.snapshot().interventions.empty() && driver.tokens() == 16; }));
      user.Yield(3);
      CHECK(holds(driver.words(user), "Δ rotation x 0, from token 8"));
      driver.picture("strip-in-force");
      const auto save = [&] {
        user.ItemClick("//Transport/###record");
        user.SetRef("//$FOCUSED");
        user.ItemInput("##recording");
        user.KeyCharsReplace(file.c_str());
        user.Yield(2);
      };
      save();
      CHECK(holds(driver.words(user), "With what was in force: rotation x 0, from token 8"));
      user.ItemClick("###save");
      REQUIRE(driver.wait(user, [&] { return holds(driver.words(user), "16 tokens recorded"); }));
      // The same name again: asked for by a button, not by Enter.
      const auto written = std::filesystem::last_write_time(file);
      save();
      CHECK(holds(driver.words(user), "There is a file of this name."));
      user.KeyPress(ImGuiKey_Enter);
      user.Yield(4);
      CHECK(std::filesystem::last_write_time(file) == written);
    }));
  }
  app::GuiOptions options;
  options.models = {file};
  Driver driver(options);
  REQUIRE(driver.workspace().document().replay != nullptr);
  CHECK(driver.run([&](ImGuiTestContext& user) {
    REQUIRE(driver.wait(user, [&] { return driver.tokens() == 16; }));
    REQUIRE(driver.snapshot().interventions.size() == 1);
    CHECK(driver.snapshot().branches.size() == 1);
    user.Yield(3);
    CHECK(holds(driver.words(user), "Δ rotation x 0, from token 8"));
    driver.picture("recording-in-force");
    const auto disabled = [&](const char* item) {
      return (user.ItemInfo(item).ItemFlags & ImGuiItemFlags_Disabled) != 0;
    };
    CHECK(disabled("//Transport/###step"));
    CHECK(disabled("//Transport/###run"));
    CHECK_FALSE(user.ItemExists("//Transport/Prompt"));
    CHECK_FALSE(user.ItemExists("//Transport/###branches"));
    user.ItemClick("//Transport/###back");
    REQUIRE(driver.wait(user, [&] { return driver.tokens() == 15; }));
    user.Yield(2);
    CHECK_FALSE(disabled("//Transport/###step"));
    user.ItemClick("//Transport/###step");
    REQUIRE(driver.wait(user, [&] { return driver.tokens() == 16; }));
    // To its begin and to its end by the outer buttons, and through it by itself.
    user.ItemClick("//Transport/\uf048##first");
    REQUIRE(driver.wait(user, [&] { return driver.tokens() == 0; }));
    driver.workspace().post(engine::command::Speed{0});
    user.ItemClick("//Transport/###run");
    REQUIRE(driver.wait(user, [&] { return driver.tokens() == 16; }));
    driver.workspace().requests.focus_panel = "Interventions";
    user.Yield(4);
    CHECK(holds(driver.words(user), "Recorded under rotation x 0, from token 8"));
  }));
}
