// A user scrubs, edits a token, looks at the branch beside the one before, renames it, deletes it, and undoes all that.
#include "tests/gui/driver.h"

#include <doctest/doctest.h>
#include <imgui_internal.h>

using gui_test::Driver;

namespace {

void step(Driver& driver, ImGuiTestContext& user, int count) {
  driver.workspace().post(engine::command::Speed{0});
  driver.workspace().post(engine::command::Step{count});
  REQUIRE(driver.wait(user, [&] { return driver.tokens() == count; }));
  user.Yield(3);
}

ImGuiWindow* strip(ImGuiTestContext& user) {
  ImGuiWindow* window = user.WindowInfo("//Token strip/tokens").Window;
  REQUIRE(window != nullptr);
  return window;
}

const engine::BranchView& current(Driver& driver) { return *driver.snapshot().find_branch(driver.snapshot().branch); }

// Puts the other symbol in the place of a token, through the strip.
void edit(Driver& driver, ImGuiTestContext& user, int position) {
  const std::int32_t id = driver.snapshot().tokens[static_cast<std::size_t>(position)]->id;
  const auto branches = driver.snapshot().branches.size();
  user.SetRef(strip(user));
  const std::string token = "$$" + std::to_string(position) + "/token";
  user.ItemDoubleClick(token.c_str());
  user.Yield(2);
  driver.picture("token-editor");
  user.Yield(2);
  user.ItemClick(id == 0 ? "//$FOCUSED/1###symbol1" : "//$FOCUSED/0###symbol0");
  CHECK(driver.wait(user, [&] { return driver.snapshot().branches.size() == branches + 1; }));
  CHECK(driver.wait(user, [&] { return driver.snapshot().mode == engine::SessionMode::idle; }));
  user.Yield(3);
}

}  // namespace

TEST_CASE("a token is edited in the strip, and the new branch stands beside the old one") {
  Driver driver;
  CHECK(driver.run([&](ImGuiTestContext& user) {
    step(driver, user, 16);
    const auto before = driver.workspace().document().snapshot;
    edit(driver, user, 5);
    CHECK(driver.snapshot().branches.size() == 2);
    CHECK(driver.tokens() == 16);
    CHECK(current(driver).parent == 0);
    CHECK(current(driver).fork == 5);
    for (std::size_t i = 0; i < 16; ++i) {
      CHECK((driver.snapshot().tokens[i]->id == before->tokens[i]->id) == (i != 5));
      // Parity: one bit turns all answers from there on.
      if (i >= 5) CHECK(driver.snapshot().tokens[i]->predicted != before->tokens[i]->predicted);
    }
    const std::string words = driver.words(user);
    CHECK(words.find("same until 5") != std::string::npos);
    CHECK(words.find("KL ") != std::string::npos);
    CHECK(words.find("beside main") != std::string::npos);
    driver.picture("branches");
    user.Yield(2);

    user.ItemClick("//Branches/###0");
    CHECK(driver.wait(user, [&] { return driver.snapshot().branch == 0; }));
    CHECK(driver.wait(user, [&] { return driver.tokens() == 16; }));
    CHECK(driver.snapshot().tokens[5]->id == before->tokens[5]->id);
  }));
}

TEST_CASE("branches are made, renamed and deleted in the menu, and undone by key and by button") {
  Driver driver;
  CHECK(driver.run([&](ImGuiTestContext& user) {
    step(driver, user, 10);
    user.ItemClick("//Transport/###branches");
    user.Yield(2);
    user.ItemClick("//$FOCUSED/###fork");
    CHECK(driver.wait(user, [&] { return driver.snapshot().branches.size() == 2; }));
    const int made = driver.snapshot().branch;
    CHECK(driver.tokens() == 10);
    user.Yield(2);
    user.ItemClick(("//$FOCUSED/list/$$" + std::to_string(made) + "/###rename").c_str());
    user.Yield(2);
    user.KeyCharsReplaceEnter("mine");
    CHECK(driver.wait(user, [&] { return current(driver).name == "mine"; }));
    driver.picture("branch-menu");
    user.Yield(2);
    user.ItemClick(("//$FOCUSED/list/$$" + std::to_string(made) + "/###delete").c_str());
    CHECK(driver.wait(user, [&] { return driver.snapshot().branches.size() == 1; }));
    user.KeyPress(ImGuiKey_Escape);
    user.Yield(2);

    user.KeyPress(ImGuiMod_Ctrl | ImGuiKey_Z);
    CHECK(driver.wait(user, [&] { return driver.snapshot().branches.size() == 2; }));
    CHECK(current(driver).name == "mine");
    user.ItemClick("//Transport/###undo");
    CHECK(driver.wait(user, [&] { return current(driver).name == "branch 2"; }));
    user.KeyPress(ImGuiMod_Ctrl | ImGuiMod_Shift | ImGuiKey_Z);
    CHECK(driver.wait(user, [&] { return current(driver).name == "mine"; }));
    user.ItemClick("//Transport/###undo");
    CHECK(driver.wait(user, [&] { return current(driver).name == "branch 2"; }));
    user.ItemClick("//Transport/###redo");
    CHECK(driver.wait(user, [&] { return current(driver).name == "mine"; }));
  }));
}

TEST_CASE("three branches fit into large and small windows") {
  Driver driver;
  CHECK(driver.run([&](ImGuiTestContext& user) {
    step(driver, user, 40);
    edit(driver, user, 21);
    driver.workspace().post(engine::command::Rename{driver.snapshot().branch, "one bit more"});
    driver.workspace().post(engine::command::SwitchTo{0});
    engine::Intervention still;
    still.value = 0;
    driver.workspace().post(engine::command::Fork{"no rotation", -1, {}});
    driver.workspace().post(engine::command::Intervene{{still}});
    CHECK(driver.wait(user, [&] { return driver.snapshot().interventions.size() == 1 && driver.tokens() == 40; }));
  }));
  for (const app::SurfaceSize size : {app::SurfaceSize{1600, 1000}, app::SurfaceSize{1280, 720}}) {
    driver.app().surface().resize(size);
    driver.frames(6);
    driver.picture("three-branches-" + std::to_string(size.width));
    driver.frames(3);
    const ImGuiWindow* bar = ImGui::FindWindowByName("Branches");
    const ImGuiWindow* transport = ImGui::FindWindowByName("Transport");
    REQUIRE(bar != nullptr);
    CHECK(bar->ContentSize.x <= bar->Size.x);
    CHECK(bar->ContentSize.y <= bar->Size.y);
    CHECK(transport->Size.y < 60);  // one row
    CHECK(driver.run([&](ImGuiTestContext& user) {
      const std::string words = driver.words(user);
      for (const char* expected :
           {"main · 40", "one bit more · 40", "no rotation · 40", "beside main", "KL ", "state "})
        CHECK_MESSAGE(words.find(expected) != std::string::npos, expected);
    }));
  }
}

TEST_CASE("a prompt that replaced another is taken back") {
  Driver driver;
  CHECK(driver.run([&](ImGuiTestContext& user) {
    step(driver, user, 12);
    driver.workspace().post(engine::command::Prompt{{1, 1}});
    CHECK(driver.wait(user, [&] { return driver.tokens() == 0; }));
    user.KeyPress(ImGuiMod_Ctrl | ImGuiKey_Z);
    CHECK(driver.wait(user, [&] { return driver.tokens() == 12; }));
  }));
}

TEST_CASE("scrubbing: the menu of a token goes back to it and forward again, without stepping twice") {
  Driver driver;
  CHECK(driver.run([&](ImGuiTestContext& user) {
    step(driver, user, 14);
    const auto before = driver.workspace().document().snapshot;
    const auto go = [&](int position, std::int64_t expected) {
      user.SetRef(strip(user));
      user.ItemClick(("$$" + std::to_string(position) + "/token").c_str(), ImGuiMouseButton_Right);
      user.Yield(2);
      driver.picture("token-menu");
      user.Yield(2);
      user.ItemClick("//$FOCUSED/###seek");
      CHECK(driver.wait(user, [&] { return driver.tokens() == expected; }));
      user.Yield(2);
    };
    go(3, 4);
    CHECK(driver.snapshot().furthest == 14);
    go(11, 12);
    CHECK(driver.snapshot().furthest == 14);
    CHECK(driver.snapshot().tokens[11] == before->tokens[11]);
  }));
}

TEST_CASE("the history's budget is shown, and changed in the window") {
  app::GuiOptions options;
  options.history_mb = 256;
  options.size = {1600, 1000};
  Driver driver(options);
  CHECK(driver.run([&](ImGuiTestContext& user) {
    step(driver, user, 4);
    CHECK(driver.snapshot().history_budget_bytes == std::uint64_t{256} << 20);
    driver.workspace().branches.edit_budget = true;
    user.Yield(2);
    user.ItemClick("//$FOCUSED/2048");
    CHECK(driver.wait(user, [&] { return driver.snapshot().history_budget_bytes == std::uint64_t{2048} << 20; }));
  }));
}
