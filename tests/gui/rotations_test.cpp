// A user searches pairs by what they do, follows one in three dimensions, looks at keys of ranks, and measures how long a
// token's contribution lasts.
#include "engine/analysis/rotation.h"
#include "tests/gui/driver.h"

#include <doctest/doctest.h>
#include <imgui_internal.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>

using gui_test::Driver;

namespace {

app::GuiOptions window(int width, int height, const char* model = "parity") {
  app::GuiOptions options;
  options.models = {model};
  options.size = {width, height};
  options.panel = "State rotations";
  options.fill = true;
  return options;
}

void step(Driver& driver, ImGuiTestContext& user, int count) {
  driver.workspace().post(engine::command::Step{count});
  REQUIRE(driver.wait(user, [&] { return driver.tokens() == count; }));
  user.Yield(4);
}

bool shows(Driver& driver, ImGuiTestContext& user, const char* words) {
  return driver.words(user).find(words) != std::string::npos;
}

double shown_turns(Driver& driver) {
  const app::Selection& at = driver.workspace().selection;
  return engine::phase_increment(driver.snapshot().model->config(), driver.workspace().shown()->coefficients, at.layer,
                                 at.head, at.pair) /
         (2 * 3.14159265358979);
}

}  // namespace

TEST_CASE("rotations: a search lists pairs of all heads by what they do, and a click selects one") {
  Driver driver(window(1604, 1000));
  CHECK(driver.run([&](ImGuiTestContext& user) {
    step(driver, user, 12);
    std::int64_t one = 11;
    while (driver.snapshot().tokens[static_cast<std::size_t>(one)]->id != 1) --one;
    driver.workspace().select_token(one);
    user.SetRef("//State rotations##filled");
    user.ItemClick("find");
    user.Yield(3);
    CHECK(shows(driver, user, "|Δθ| next to 1/2 of a turn"));
    driver.workspace().selection.head = 0;
    driver.workspace().selection.pair = 9;
    driver.picture("rotations-find-1600");
    user.Yield(2);
    const ImGuiTestItemInfo list = user.WindowInfo("//State rotations##filled/find");
    REQUIRE(list.Window != nullptr);
    // The best hit: the first line below the box, the heading and the header.
    user.ItemClick("**/##find");
    user.KeyCharsReplaceEnter("1/2 turn");
    user.Yield(3);
    const auto hits = user.WindowInfo("//State rotations##filled/find/##hits");
    REQUIRE(hits.Window != nullptr);
    const ImRect area = hits.Window->Rect();
    const float line = ImGui::GetTextLineHeight() * 0.88F + 2 * ImGui::GetStyle().CellPadding.y;
    user.MouseMoveToPos({area.Min.x + 20, area.Min.y + 1.5F * line});
    user.MouseClick();
    user.Yield(3);
    CHECK(std::abs(std::abs(std::remainder(shown_turns(driver), 1.0)) - 0.5) < 0.02);
    user.ItemClick("**/##find");
    user.KeyCharsReplaceEnter("purple");
    user.Yield(2);
    CHECK(shows(driver, user, "Not understood"));
    for (const char* preset : {"slowest decay", "largest change", "largest accumulated angle", "a fifth"}) {
      user.ItemClick("**/##presets");
      user.ItemClick((std::string("//$FOCUSED/") + preset).c_str());
      user.Yield(3);
      CHECK_FALSE(shows(driver, user, "Not understood"));
    }
    user.ItemClick("turns");  // the panel's settings outlive the window
  }));
}

TEST_CASE("rotations: a pair's way in three dimensions, the keys of its ranks, and the length of the window") {
  Driver driver(window(1604, 1000, "parity-mimo"));
  CHECK(driver.run([&](ImGuiTestContext& user) {
    step(driver, user, 16);
    user.SetRef("//State rotations##filled");
    user.ItemClick("4 keys");
    user.Yield(3);
    driver.picture("rotations-keys-mimo");
    user.Yield(2);
    CHECK(shows(driver, user, "un-rotated state of row p"));
    user.ItemClick("3D");
    user.Yield(4);
    driver.picture("rotations-space-mimo");
    user.Yield(2);
    CHECK(shows(driver, user, "un-rotated: 16 tokens up to"));
    user.ItemInputValue("##window", 8);
    user.Yield(3);
    CHECK(shows(driver, user, "window 8"));
    user.ItemClick("3D");
    user.Yield(2);
    CHECK(shows(driver, user, "un-rotated state of row p"));
    user.ItemInputValue("##window", 96);
    user.ItemClick("4 keys");
  }));
}

TEST_CASE("rotations: what is left of a token, from the coefficients and measured, and its data") {
  const auto here = std::filesystem::current_path();
  const auto folder = std::filesystem::temp_directory_path() / "mambascope-retention-test";
  std::filesystem::remove_all(folder);
  std::filesystem::create_directories(folder);
  std::filesystem::current_path(folder);
  {
    Driver driver(window(1604, 1000, "modular"));
    CHECK(driver.run([&](ImGuiTestContext& user) {
      step(driver, user, 24);
      driver.workspace().select_token(3);
      user.SetRef("//State rotations##filled");
      user.ItemClick("retention");
      user.Yield(3);
      driver.picture("rotations-retention-empty");
      user.Yield(2);
      user.ItemClick("**/Measure");
      const auto& document = driver.workspace().document();
      CHECK(driver.wait(user, [&] { return document.retention && !document.retention->running(); }));
      user.Yield(4);
      const auto report = document.retention->report();
      REQUIRE(report->probe != nullptr);
      CHECK(report->token == 3);
      CHECK(report->layer == driver.workspace().selection.layer);
      CHECK(shows(driver, user, "half-life"));
      driver.picture("rotations-retention");
      user.Yield(2);
      const ImGuiTestItemInfo plot = user.WindowInfo("//State rotations##filled/retention");
      REQUIRE(plot.Window != nullptr);
      user.MouseMoveToPos(plot.Window->Rect().GetCenter());
      user.MouseClick(ImGuiMouseButton_Right);
      user.Yield(2);
      user.ItemClick("//$FOCUSED/Export data as CSV");
      // Another token is probed by itself once a run was quick.
      driver.workspace().select_token(5);
      CHECK(driver.wait(user, [&] {
        const auto now = document.retention->report();
        return !now->running && now->token == 5 && now->probe != nullptr;
      }));
      user.ItemClick("memory");
    }));
  }
  std::ifstream csv(folder / "output" / "retention.csv");
  std::string header;
  std::getline(csv, header);
  CHECK(header == "token,head,analytic,measured,state norm");
  std::filesystem::current_path(here);
  std::filesystem::remove_all(folder);
}

TEST_CASE("rotations: retention of one model is not shown for another one that read the same tokens") {
  app::GuiOptions options = window(1604, 1000);
  options.models = {"parity", "parity-mimo"};
  Driver driver(options);
  CHECK(driver.run([&](ImGuiTestContext& user) {
    for (const int model : {1, 0}) {
      driver.workspace().activate(model);
      driver.workspace().post(engine::command::Prompt{{1, 0, 1, 1, 0, 1, 0, 0}});
      step(driver, user, 8);
      driver.workspace().select_token(3);
    }
    user.SetRef("//State rotations##filled");
    user.ItemClick("retention");
    user.Yield(3);
    user.ItemClick("**/Measure");
    const auto& document = driver.workspace().document();
    REQUIRE(driver.wait(user, [&] { return document.retention && !document.retention->running(); }));
    CHECK(shows(driver, user, "half-life"));
    driver.workspace().selection.layer = 0;
    user.Yield(3);
    const int layer = document.retention->report()->layer;
    driver.workspace().activate(1);
    driver.workspace().selection.layer = layer;
    driver.workspace().select_token(3);
    user.Yield(3);
    CHECK_FALSE(driver.workspace().document().retention);
    CHECK(user.ItemExists("**/Measure"));
    user.ItemClick("memory");
  }));
}

TEST_CASE("rotations: a long measurement of retention says how far it is, and Cancel ends it") {
  app::GuiOptions options = window(1604, 1000, "austen-siso");
  options.backend.choice = engine::BackendChoice::cpu;
  Driver driver(options);
  CHECK(driver.run([&](ImGuiTestContext& user) {
    constexpr int tokens = 6000;
    REQUIRE(driver.read(user, 'a', tokens));
    driver.workspace().select_token(tokens - 9);
    user.SetRef("//State rotations##filled");
    user.ItemClick("retention");
    user.Yield(3);
    user.ItemClick("**/Measure");
    const auto& document = driver.workspace().document();
    REQUIRE(driver.wait(user, [&] { return document.retention && document.retention->report()->done > 0; }));
    driver.picture("rotations-retention-running");
    user.ItemClick("**/Cancel");
    REQUIRE(driver.wait(user, [&] { return !document.retention->running(); }));
    CHECK(document.retention->report()->probe == nullptr);
    CHECK_FALSE(document.retention->report()->error);
    // It can be measured again, and what was asked for is not begun by itself.
    user.Yield(10);
    CHECK_FALSE(document.retention->running());
    CHECK(user.ItemExists("**/Measure"));
    user.ItemClick("memory");
  }));
}

TEST_CASE("rotations: a small window has a chip for each view") {
  Driver driver(window(1280, 720));
  driver.workspace().ui_scale = 1.5F;
  CHECK(driver.run([&](ImGuiTestContext& user) {
    step(driver, user, 12);
    user.SetRef("//State rotations##filled");
    for (const char* pane : {"find", "memory", "retention", "turns"}) {
      if (!user.ItemExists(pane)) continue;
      user.ItemClick(pane);
      user.Yield(3);
      driver.picture(std::string("rotations-small-") + pane);
      user.Yield(2);
    }
  }));
}
