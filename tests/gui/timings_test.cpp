// The kernel timings panel: the switch between timeline and bars, what hovering tells, and the choice of a kind of stage.
#include "tests/gui/driver.h"

#include <doctest/doctest.h>
#include <imgui_internal.h>

using gui_test::Driver;

namespace {

// Names of parts below a docked panel's window.
constexpr const char* pictures = "//Kernel timings/pictures";

bool holds(const std::string& text, const char* part) { return text.find(part) != std::string::npos; }

void step(Driver& driver, ImGuiTestContext& user, int count) {
  driver.workspace().post(engine::command::Step{count});
  REQUIRE(driver.wait(user, [&] { return driver.tokens() == count; }));
  // The panel takes new times ten times a second.
  REQUIRE(driver.wait(user, [&] {
    const auto& newest = driver.workspace().document().timing_cache.newest;
    return newest && newest->token + 1 == static_cast<std::uint32_t>(count);
  }));
  user.Yield(3);
}

void switch_to(Driver& driver, ImGuiTestContext& user, const char* view) {
  driver.workspace().requests.focus_panel = "Kernel timings";
  user.Yield(3);
  const ImGuiTestItemInfo window = user.WindowInfo(pictures);
  REQUIRE(window.Window != nullptr);
  user.SetRef(window.Window);
  user.ItemClick(view);
  user.Yield(2);
}

}  // namespace

TEST_CASE("the switch of kernel timings changes the picture, and hovering a bar tells its numbers") {
  Driver driver;
  CHECK(driver.run([&](ImGuiTestContext& user) {
    step(driver, user, 16);
    CHECK(driver.workspace().timing_page == app::TimingPage::timeline);
    switch_to(driver, user, "bars");
    CHECK(driver.workspace().timing_page == app::TimingPage::bars);
    driver.picture("bars");
    user.Yield(2);
    CHECK_FALSE(holds(driver.words(user), "of 16 tokens"));

    const app::StepBar& bar = driver.workspace().document().timing_cache.median_bar;
    REQUIRE(bar.parts.size() > 4);
    // Sweep over the plot until a tool tip says what lies under the mouse.
    const ImRect area = user.WindowInfo(pictures).Window->Rect();
    std::string told;
    for (float x = 0.2F; x < 0.6F && !holds(told, "of 16 tokens"); x += 0.05F) {
      user.MouseMoveToPos({area.Min.x + x * area.GetWidth(), area.Min.y + 0.35F * area.GetHeight()});
      told = driver.words(user);
    }
    driver.picture("bars-tooltip");
    user.Yield(2);
    CHECK(holds(told, "of 16 tokens"));
    CHECK(holds(told, "GB/s"));
    CHECK(holds(told, "read and written"));
    CHECK(holds(told, "CPU stage clock"));
    user.MouseClick();
    user.Yield(2);
    const int chosen = driver.workspace().selection.stage_kind;
    CHECK(chosen >= 0);
    user.MouseClick();
    user.Yield(2);
    CHECK(driver.workspace().selection.stage_kind == -1);

    switch_to(driver, user, "timeline");
    CHECK(driver.workspace().timing_page == app::TimingPage::timeline);
    told.clear();
    for (float x = 0.12F; x < 0.6F && !holds(told, "GFLOP/s"); x += 0.04F) {
      user.MouseMoveToPos({area.Min.x + x * area.GetWidth(), area.Min.y + 0.35F * area.GetHeight()});
      told = driver.words(user);
    }
    CHECK(holds(told, "GFLOP/s"));
    CHECK(holds(told, "of layer 0"));
    user.MouseClick();
    user.Yield(2);
    CHECK(driver.workspace().selection.stage >= 0);
    CHECK(driver.workspace().selection.stage_kind >= 0);
  }));
}

TEST_CASE("two models share the bars' axis, each with its medians and its token") {
  app::GuiOptions options;
  options.models = {"parity", "parity-mimo"};
  options.size = {1604, 1000};
  Driver driver(options);
  CHECK(driver.run([&](ImGuiTestContext& user) {
    step(driver, user, 24);
    CHECK(driver.wait(user, [&] { return driver.workspace().documents[1].snapshot->tokens.size() == 24; }));
    user.SleepNoSkip(0.2F, 0.05F);
    driver.picture("timelines-two");
    user.Yield(2);
    switch_to(driver, user, "bars");
    user.SleepNoSkip(0.2F, 0.05F);
    driver.picture("bars-two");
    user.Yield(2);
    for (const app::Document& document : driver.workspace().documents) {
      CHECK(document.timing_cache.median_bar.tokens == 24);
      CHECK(document.timing_cache.token_bar.token == 23);
    }
    // A token that is chosen is shown for both.
    driver.workspace().select_token(5);
    user.SleepNoSkip(0.2F, 0.05F);
    for (const app::Document& document : driver.workspace().documents)
      CHECK(document.timing_cache.token_bar.token == 5);
    // A kind is chosen in the table, and let go there. Rows: headings, step, gaps, embed, norm, in_proj.
    const ImRect table = user.WindowInfo("//Kernel timings/table").Window->Rect();
    const float row = ImGui::GetStyle().FontSizeBase + 3;
    user.MouseMoveToPos({table.GetCenter().x, table.Min.y + 5.5F * row});
    user.MouseClick();
    user.Yield(2);
    CHECK(driver.workspace().selection.stage_kind == static_cast<int>(engine::StageKind::in_proj));
    driver.picture("bars-two-chosen");
    user.Yield(2);
    user.MouseClick();
    user.Yield(2);
    CHECK(driver.workspace().selection.stage_kind == -1);
    // Times of another clock: an axis of their own, which says whose they are.
    driver.workspace().documents[1].timing_cache.table.source = profiler::TimeSource::cupti;
    const ImRect area = user.WindowInfo(pictures).Window->Rect();
    user.MouseMoveToPos({area.Min.x + 0.25F * area.GetWidth(), area.Min.y + 0.68F * area.GetHeight()});
    CHECK(holds(driver.words(user), "CUPTI kernel times"));
    driver.picture("bars-two-clocks");
    user.Yield(2);
    user.MouseMoveToPos({area.Min.x + 0.25F * area.GetWidth(), area.Min.y + 0.23F * area.GetHeight()});
    CHECK(holds(driver.words(user), "CPU stage clock"));
  }));
}
