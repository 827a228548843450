// The command palette, the key list, and what the window does about a model that cannot be opened.
#include "app/shell/screenshot.h"
#include "tests/gui/driver.h"

#include <doctest/doctest.h>

#include <set>
#include <tuple>

using gui_test::Driver;

TEST_CASE("the palette finds an action by words and runs it") {
  Driver driver;
  CHECK(driver.run([&](ImGuiTestContext& user) {
    user.KeyPress(ImGuiMod_Ctrl | ImGuiKey_K);
    user.Yield(2);
    CHECK(driver.workspace().show_palette);
    driver.picture("palette");
    user.Yield(2);
    user.KeyChars("theme dark");
    user.Yield(2);
    user.KeyPress(ImGuiKey_Enter);
    user.Yield(2);
    CHECK_FALSE(driver.workspace().show_palette);
    CHECK(driver.workspace().light_theme);
    // Enter went to the palette, not to Run.
    CHECK(driver.snapshot().mode == engine::SessionMode::idle);
    user.KeyPress(ImGuiMod_Ctrl | ImGuiKey_K);
    user.Yield(2);
    user.KeyPress(ImGuiKey_Escape);
    user.Yield(2);
    CHECK_FALSE(driver.workspace().show_palette);
  }));
}

TEST_CASE("? lists the keys, + and - change the size") {
  Driver driver;
  CHECK(driver.run([&](ImGuiTestContext& user) {
    user.KeyChars("?");
    user.Yield(3);
    CHECK(driver.workspace().show_keys);
    CHECK(user.ItemExists("//Keys/Close"));
    driver.picture("keys");
    user.Yield(2);
    user.ItemClick("//Keys/Close");
    CHECK_FALSE(driver.workspace().show_keys);
    user.KeyChars("+");
    user.Yield(2);
    CHECK(driver.workspace().ui_scale == doctest::Approx(1.125));
    user.KeyChars("-");
    user.Yield(2);
    CHECK(driver.workspace().ui_scale == doctest::Approx(1.0));
  }));
}

TEST_CASE("a model that cannot be opened is a state of the window, not its end") {
  app::GuiOptions options;
  options.models = {"no-such-model", "parity"};
  Driver driver(options);
  CHECK_FALSE(driver.workspace().ready());
  REQUIRE(driver.workspace().documents[0].error.has_value());
  CHECK(driver.workspace().documents[0].error->message.find("no-such-model") != std::string::npos);
  driver.picture("failed");
  driver.frames(2);
  CHECK(driver.run([&](ImGuiTestContext& user) {
    user.ItemClick("//Transport/###model");
    user.ItemClick("//$FOCUSED/parity##1");
    CHECK(driver.workspace().ready());
    user.KeyPress(ImGuiKey_Space);
    CHECK(driver.wait(user, [&] { return driver.tokens() == 1; }));
  }));
}

TEST_CASE("a screenshot holds a picture") {
  Driver driver;
  driver.frames(3);
  const app::Image image = app::read_pixels(driver.app().surface().size());
  REQUIRE(image.rgb.size() == 1280U * 720U * 3U);
  std::set<std::tuple<int, int, int>> colours;
  for (std::size_t i = 0; i + 2 < image.rgb.size(); i += 3)
    colours.insert({image.rgb[i], image.rgb[i + 1], image.rgb[i + 2]});
  CHECK(colours.size() > 40);
}
