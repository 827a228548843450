// At every size and scale the panels lie inside the window and beside each other.
#include "tests/gui/driver.h"

#include <doctest/doctest.h>
#include <imgui_internal.h>

#include <vector>

using gui_test::Driver;

namespace {

struct Area {
  std::string name;
  ImRect rect;
};

std::vector<Area> visible_areas() {
  std::vector<Area> areas;
  std::vector<std::string> names = app::panel_names();
  for (const char* bar : {"Transport", "Token strip", "Trust strip"}) names.emplace_back(bar);
  for (const std::string& name : names) {
    const ImGuiWindow* window = ImGui::FindWindowByName(name.c_str());
    REQUIRE(window != nullptr);
    if (!window->Active || window->Hidden) continue;
    const bool docked = window->DockNode != nullptr;
    const ImRect rect = docked ? window->DockNode->Rect() : window->Rect();
    areas.push_back({name, rect});
  }
  return areas;
}

void check_layout(Driver& driver, app::SurfaceSize size, float scale) {
  CAPTURE(size.width);
  CAPTURE(scale);
  driver.app().surface().resize(size);
  driver.workspace().ui_scale = scale;
  driver.frames(6);
  driver.picture("layout_" + std::to_string(size.width) + "_" + std::to_string(static_cast<int>(100 * scale)));
  driver.frames(1);
  const ImRect window({0, 0}, {static_cast<float>(size.width), static_cast<float>(size.height)});
  const std::vector<Area> areas = visible_areas();
  CHECK(areas.size() >= 4);
  for (std::size_t i = 0; i < areas.size(); ++i) {
    CAPTURE(areas[i].name);
    CHECK(window.Contains(areas[i].rect));
    CHECK(areas[i].rect.GetHeight() >= 20 * scale);
    for (std::size_t j = 0; j < i; ++j) {
      CAPTURE(areas[j].name);
      CHECK_FALSE(areas[i].rect.Overlaps(areas[j].rect));
    }
  }
  // The bars show all that they hold: nothing below their lower edge or beyond their right one.
  for (const char* bar : {"Transport", "Trust strip"}) {
    CAPTURE(bar);
    const ImGuiWindow* shown = ImGui::FindWindowByName(bar);
    CHECK(shown->ScrollMax.y == 0);
    CHECK(shown->ScrollMax.x == 0);
  }
}

}  // namespace

TEST_CASE("no panel overlaps another or leaves the window, at any size and scale") {
  Driver driver;
  driver.workspace().post(engine::command::Step{4});
  check_layout(driver, {1280, 720}, 1.0F);
  check_layout(driver, {1600, 1000}, 1.0F);
  check_layout(driver, {1600, 1000}, 1.5F);
  check_layout(driver, {1280, 720}, 2.0F);
  check_layout(driver, {1600, 1000}, 2.0F);
  check_layout(driver, {1280, 720}, 0.75F);
  check_layout(driver, {800, 600}, 1.0F);
}

TEST_CASE("at every size and scale a panel holds all that it draws: none has to be scrolled as a whole") {
  app::GuiOptions options;
  options.models = {"parity", "parity-mimo"};
  Driver driver(options);
  CHECK(driver.run([&](ImGuiTestContext& user) {
    driver.workspace().post(engine::command::Step{20});
    CHECK(driver.wait(user, [&] { return driver.tokens() == 20; }));
  }));
  const auto check = [&](const std::string& panel) {
    CAPTURE(panel);
    driver.workspace().requests.focus_panel = panel;
    driver.frames(4);
    const ImGuiWindow* window = ImGui::FindWindowByName(panel.c_str());
    CHECK(window->ScrollMax.y == 0);
    CHECK(window->ScrollMax.x == 0);
  };
  struct Setting {
    app::SurfaceSize size;
    float scale;
  };
  for (const Setting& setting : {Setting{{1280, 720}, 1.0F},
                                 {{1280, 720}, 1.5F},
                                 {{1280, 720}, 2.0F},
                                 {{1600, 1000}, 1.5F},
                                 {{1600, 1000}, 2.0F},
                                 {{800, 600}, 1.0F}}) {
    CAPTURE(setting.size.width);
    CAPTURE(setting.scale);
    driver.app().surface().resize(setting.size);
    driver.workspace().ui_scale = setting.scale;
    driver.frames(4);
    for (const char* panel :
         {"Model map", "Inspector", "State rotations", "Discretisation", "Predictions", "Discretisation error"})
      check(panel);
    for (const bool bars : {false, true}) {
      driver.workspace().timing_page = bars ? app::TimingPage::bars : app::TimingPage::timeline;
      check("Kernel timings");
      driver.picture("timings_" + std::to_string(setting.size.width) + "_" +
                     std::to_string(static_cast<int>(100 * setting.scale)) + (bars ? "_bars" : ""));
      driver.frames(1);
    }
  }
}

TEST_CASE("tabs change by click, and the layout can be reset") {
  Driver driver;
  CHECK(driver.run([&](ImGuiTestContext& user) {
    driver.workspace().requests.focus_panel = "Discretisation";
    user.Yield(3);
    CHECK(bool{ImGui::FindWindowByName("Discretisation")->DockTabIsVisible});
    const ImGuiWindow* hidden = ImGui::FindWindowByName("State rotations");
    CHECK_FALSE(bool{hidden->DockTabIsVisible});
    user.ItemClick(hidden->TabId);
    user.Yield(2);
    CHECK(bool{hidden->DockTabIsVisible});
    user.DockClear("Inspector", nullptr);
    user.Yield(2);
    CHECK(ImGui::FindWindowByName("Inspector")->DockNode == nullptr);
    driver.workspace().requests.reset_layout = true;
    user.Yield(4);
    CHECK(ImGui::FindWindowByName("Inspector")->DockNode != nullptr);
  }));
}
