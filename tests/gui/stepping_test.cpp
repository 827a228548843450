// A user steps, runs, pauses, steps back, and chooses tokens; what the session did is what counts.
#include "tests/gui/driver.h"

#include <doctest/doctest.h>

using gui_test::Driver;

TEST_CASE("the model opens, and every panel draws before the first token and after it") {
  Driver driver;
  REQUIRE(driver.workspace().ready());
  CHECK(driver.tokens() == 0);
  CHECK(driver.snapshot().pending.size() > 0);
  CHECK(driver.run([&](ImGuiTestContext& user) {
    for (const std::string& panel : app::panel_names()) {
      driver.workspace().requests.focus_panel = panel;
      user.Yield(3);
      CHECK_MESSAGE(user.WindowInfo(("//" + panel).c_str()).Window->Active, panel);
    }
    user.KeyPress(ImGuiKey_Space);
    CHECK(driver.wait(user, [&] { return driver.tokens() == 1; }));
    for (const std::string& panel : app::panel_names()) {
      driver.workspace().requests.focus_panel = panel;
      user.Yield(3);
      CHECK_MESSAGE(user.WindowInfo(("//" + panel).c_str()).Window->Active, panel);
    }
  }));
}

TEST_CASE("Step and Back move by one token, by mouse and by key") {
  Driver driver;
  CHECK(driver.run([&](ImGuiTestContext& user) {
    user.ItemClick("//Transport/###step");
    CHECK(driver.wait(user, [&] { return driver.tokens() == 1; }));
    user.KeyPress(ImGuiKey_Space);
    CHECK(driver.wait(user, [&] { return driver.tokens() == 2; }));
    user.ItemClick("//Transport/###back");
    CHECK(driver.wait(user, [&] { return driver.tokens() == 1; }));
    user.KeyPress(ImGuiMod_Shift | ImGuiKey_LeftArrow);
    CHECK(driver.wait(user, [&] { return driver.tokens() == 0; }));
  }));
}

TEST_CASE("Run consumes tokens until Pause") {
  Driver driver;
  driver.workspace().post(engine::command::Speed{0});
  CHECK(driver.run([&](ImGuiTestContext& user) {
    user.ItemClick("//Transport/###run");
    CHECK(driver.wait(user, [&] { return driver.tokens() > 20; }));
    CHECK(driver.snapshot().mode == engine::SessionMode::running);
    user.ItemClick("//Transport/###run");
    CHECK(driver.wait(user, [&] { return driver.snapshot().mode == engine::SessionMode::idle; }));
    const auto stopped = driver.tokens();
    user.Yield(10);
    CHECK(driver.tokens() == stopped);
  }));
}

TEST_CASE("tokens are chosen by click and by arrow, and the newest is followed again") {
  Driver driver;
  driver.workspace().post(engine::command::Step{8});
  CHECK(driver.run([&](ImGuiTestContext& user) {
    CHECK(driver.wait(user, [&] { return driver.tokens() == 8; }));
    user.Yield(2);
    const ImGuiTestItemInfo strip = user.WindowInfo("//Token strip/tokens");
    REQUIRE(strip.Window != nullptr);
    user.SetRef(strip.Window);
    user.ItemClick("$$3/token");
    CHECK(driver.workspace().selection.token == 3);
    user.KeyPress(ImGuiKey_LeftArrow);
    CHECK(driver.workspace().selection.token == 2);
    user.KeyPress(ImGuiKey_RightArrow, 2);
    CHECK(driver.workspace().selection.token == 4);
    CHECK(driver.workspace().shown()->position == 4);
    user.KeyPress(ImGuiKey_Home);
    CHECK(driver.workspace().selection.token == 0);
    user.KeyPress(ImGuiKey_End);
    CHECK(driver.workspace().selection.token == -1);
    CHECK(driver.workspace().shown()->position == 7);
  }));
}

TEST_CASE("the reference agrees when the user asks for it") {
  Driver driver;
  driver.workspace().post(engine::command::Step{12});
  CHECK(driver.run([&](ImGuiTestContext& user) {
    CHECK(driver.wait(user, [&] { return driver.tokens() == 12; }));
    user.KeyPress(ImGuiKey_V);
    CHECK(driver.wait(user, [&] {
      const auto& verification = driver.workspace().document().verification;
      return verification && verification->result().has_value();
    }));
    const auto result = driver.workspace().document().verification->result();
    CHECK_FALSE(result->error.has_value());
    CHECK(result->tokens == 12);
    CHECK(result->states_complete);
    CHECK(result->worst > 0);
    CHECK(result->worst < 2e-4);
  }));
}
