// A recorded profile as a document of its own: every page of its times, the table, and the selection that they share.
#include "app/wiring/recorded_profile.h"
#include "tests/gui/driver.h"
#include "tests/support/example_profile.h"
#include "tests/support/temporary_folder.h"

#include <doctest/doctest.h>
#include <imgui_internal.h>

#include <fstream>

using gui_test::Driver;

namespace {

bool holds(const std::string& text, const char* part) { return text.find(part) != std::string::npos; }

std::string keep(const tests::TemporaryFolder& folder, int layers = 12, int tokens = 40) {
  const std::string path = folder.file("example.profile");
  std::ofstream(path, std::ios::binary) << *app::recording_bytes(tests::example_profile(layers, tokens));
  return path;
}

}  // namespace

TEST_CASE("a recorded profile opens without a model, and all its pages have something to show") {
  const tests::TemporaryFolder folder;
  app::GuiOptions options;
  options.profiles = {keep(folder)};
  options.size = {1280, 720};
  Driver driver(options);
  REQUIRE(driver.workspace().recorded());
  CHECK_FALSE(driver.workspace().ready());
  CHECK(driver.run([&](ImGuiTestContext& user) {
    user.Yield(4);
    const std::string words = driver.words(user);
    CHECK(holds(words, "recorded on a GPU, 2026-11-23"));
    CHECK(holds(words, "whole step"));
    // What the * behind a name means stands with the table.
    CHECK(holds(words, "* mixer: fetches the weights"));
    const app::TimingCache& cache = driver.workspace().document().timing_cache;
    CHECK(cache.timeline.token == 47);
    CHECK(cache.table.tokens == 40);
    for (const char* page : {"timeline", "bars", "histogram", "roofline"}) {
      driver.choose(user, "//Recorded times/pictures", page);
      driver.picture(std::string("recorded-") + page);
      user.Yield(2);
    }
    CHECK(driver.workspace().timing_page == app::TimingPage::roofline);
    CHECK(cache.roofline.values->points.size() == 5);
    driver.choose(user, "//Recorded times/pictures", "histogram");
    CHECK(holds(driver.words(user), "whole step over 40 tokens"));
    CHECK(holds(driver.words(user), "1 outlier above"));
    // The outlier is a link to its token.
    user.ItemClick("**/token 17: 7426 µs");
    user.Yield(2);
    CHECK(driver.workspace().selection.token == 17);
  }));
}

TEST_CASE("rows of the table, layers and tokens of a recorded profile are one selection") {
  const tests::TemporaryFolder folder;
  app::GuiOptions options;
  options.profiles = {keep(folder)};
  options.size = {1280, 720};
  Driver driver(options);
  app::Workspace& workspace = driver.workspace();
  CHECK(driver.run([&](ImGuiTestContext& user) {
    user.Yield(4);
    // Tokens: arrows move along those that were measured.
    user.KeyPress(ImGuiKey_LeftArrow);
    user.Yield(2);
    CHECK(workspace.selection.token == 46);
    user.KeyPress(ImGuiKey_Home);
    user.Yield(2);
    CHECK(workspace.selection.token == 8);
    user.KeyPress(ImGuiKey_LeftArrow);
    CHECK(workspace.selection.token == 8);
    user.KeyPress(ImGuiKey_RightArrow);
    user.SleepNoSkip(0.2F, 0.05F);
    CHECK(workspace.selection.token == 9);
    CHECK(workspace.document().timing_cache.timeline.token == 9);

    // A stage of layer 3, found by its name.
    driver.choose(user, "//Recorded times/table", "stages");
    CHECK(workspace.timing_table.rows == app::ProfileRows::stages);
    driver.choose(user, "//Recorded times/table", "##filter");
    user.KeyCharsReplace("mixer layer 3");
    user.Yield(2);
    const ImRect table = user.WindowInfo("//Recorded times/table").Window->Rect();
    for (float y = table.Min.y + 34; y < table.Min.y + 80 && workspace.selection.stage < 0; y += 10) {
      user.MouseMoveToPos({table.Min.x + 60, y});
      user.MouseClick();
      user.Yield(2);
    }
    CHECK(workspace.selection.layer == 3);
    CHECK(workspace.selection.stage == 11);
    driver.choose(user, "//Recorded times/pictures", "histogram");
    CHECK(holds(driver.words(user), "mixer of layer 3 over 40 tokens"));
    driver.picture("recorded-stage");
    user.Yield(2);

    // A click on the map of layers.
    const ImRect map = user.WindowInfo("//Recorded layers").Window->Rect();
    bool over = false;
    for (float y = map.Min.y + 40; y < map.Max.y && !over; y += 6) {
      user.MouseMoveToPos({map.Min.x + 0.5F * map.GetWidth(), y});
      over = holds(driver.words(user), "of layer 7");
    }
    REQUIRE(over);
    user.MouseClick();
    user.Yield(2);
    CHECK(workspace.selection.layer == 7);
  }));
}

TEST_CASE("headings of the table sort it") {
  const tests::TemporaryFolder folder;
  app::GuiOptions options;
  options.profiles = {keep(folder, 2)};
  Driver driver(options);
  app::TimingTableView& view = driver.workspace().timing_table;
  CHECK(driver.run([&](ImGuiTestContext& user) {
    user.Yield(4);
    const ImRect table = user.WindowInfo("//Recorded times/table").Window->Rect();
    for (float y = table.Min.y + 20; y < table.Min.y + 60 && view.sorted_by < 0; y += 6) {
      user.MouseMoveToPos({table.Min.x + 0.36F * table.GetWidth(), y});
      user.MouseClick();
      user.Yield(2);
    }
    CHECK(view.sorted_by == 1);
    CHECK(view.descending);
    user.MouseClick();
    user.Yield(2);
    CHECK_FALSE(view.descending);
    user.MouseClick();
    user.Yield(2);
    CHECK(view.sorted_by == -1);
  }));
}

TEST_CASE("a file that is no profile is said so, and a recorded one opens beside a model") {
  const tests::TemporaryFolder folder;
  const std::string broken = folder.file("broken.profile");
  std::ofstream(broken) << "not a profile";
  {
    app::GuiOptions options;
    options.profiles = {broken};
    Driver driver(options);
    CHECK(driver.run([&](ImGuiTestContext& user) {
      user.Yield(4);
      REQUIRE(driver.workspace().document().error.has_value());
      CHECK(holds(driver.words(user), "does not begin as a recorded profile does"));
    }));
  }
  app::GuiOptions options;
  options.models = {"parity"};
  options.profiles = {keep(folder, 2)};
  options.size = {1604, 1000};
  Driver driver(options);
  app::Workspace& workspace = driver.workspace();
  CHECK(driver.run([&](ImGuiTestContext& user) {
    REQUIRE(workspace.documents.size() == 2);
    CHECK(workspace.ready());
    workspace.post(engine::command::Step{12});
    REQUIRE(driver.wait(user, [&] { return driver.tokens() == 12; }));
    workspace.timing_page = app::TimingPage::bars;
    user.SleepNoSkip(0.3F, 0.05F);
    // Two clocks: two axes, which the panel draws itself.
    CHECK(workspace.documents[1].timing_cache.median_bar.tokens == 40);
    CHECK(workspace.documents[1].timing_cache.table.source == profiler::TimeSource::cupti);
    CHECK(workspace.documents[0].timing_cache.table.source == profiler::TimeSource::cpu_clock);
    driver.picture("recorded-beside-live");
    user.Yield(2);
    workspace.activate(1);
    user.Yield(4);
    CHECK(workspace.recorded());
    driver.picture("recorded-roomy");
    user.Yield(2);
    workspace.activate(0);
    user.Yield(4);
    CHECK(workspace.ready());
  }));
}

TEST_CASE("a million records are a table: arranged behind the window, drawn where they are seen") {
  const tests::TemporaryFolder folder;
  app::GuiOptions options;
  options.profiles = {keep(folder, 40, 8200)};
  options.page = app::records_page;
  options.size = {1280, 720};
  Driver driver(options);
  app::Workspace& workspace = driver.workspace();
  app::TimingTableView& view = workspace.timing_table;
  const auto& kept = workspace.document().timing_cache.record_rows;
  CHECK(driver.run([&](ImGuiTestContext& user) {
    CHECK(workspace.timing_page == app::TimingPage::timeline);
    REQUIRE(driver.wait(
        user, [&] { return kept.values != nullptr; }, 6000));
    REQUIRE(kept.values->rows.size() > 1'000'000);
    user.Yield(2);
    const ImGuiWindow* rows = nullptr;
    for (const ImGuiWindow* window : user.UiContext->Windows)
      if (window->WasActive && std::string(window->Name).find("records") != std::string::npos) rows = window;
    REQUIRE(rows != nullptr);
    // Rows fill the window at the very end, too, where a float has no digits left for a pixel.
    view.scroll_to = 1;
    user.Yield(3);
    CHECK(rows->Scroll.y > 16e6F);
    user.MouseMoveToPos({rows->Rect().Min.x + 40, rows->Rect().Max.y - 9});
    user.MouseClick();
    user.Yield(2);
    CHECK(workspace.selection.token == 8207);
    CHECK(workspace.selection.stage == 121);
    workspace.selection = {};
    driver.picture("records-last");
    user.Yield(2);
    // Other rows are made while these stay, and frames are drawn meanwhile.
    const app::RecordRows* before = kept.values.get();
    view.sorted_by = static_cast<int>(app::RecordColumn::time);
    user.Yield(1);
    CHECK(kept.making != nullptr);
    CHECK(kept.values.get() == before);
    REQUIRE(driver.wait(
        user, [&] { return kept.values.get() != before && !kept.making; }, 6000));
    CHECK(kept.values->token(kept.values->rows.front()).token == 17);
    // A row chooses its token, its stage and its layer.
    view.filter = "mixer layer 39 token 30";
    REQUIRE(driver.wait(
        user, [&] { return !kept.making && kept.values->rows.size() == 1; }, 6000));
    const ImRect area = rows->Rect();
    for (float y = area.Min.y + 18; y < area.Min.y + 60 && workspace.selection.stage < 0; y += 8) {
      user.MouseMoveToPos({area.Min.x + 40, y});
      user.MouseClick();
      user.Yield(2);
    }
    CHECK(workspace.selection.token == 30);
    CHECK(workspace.selection.stage == 119);
    CHECK(workspace.selection.layer == 39);
    CHECK(workspace.document().timing_cache.timeline.token == 30);
    // Another level sorts by columns of its own.
    driver.choose(user, "//Recorded times/table", "kinds");
    CHECK_FALSE(view.records);
    CHECK(view.sorted_by == -1);
  }));
}
