// Typing what the model shall consume; wrong text is refused in words and changes nothing.
#include "tests/gui/driver.h"

#include <doctest/doctest.h>

using gui_test::Driver;

namespace {
const char* const field = "//$FOCUSED/##prompt";
}

TEST_CASE("a typed prompt starts over and is consumed") {
  Driver driver;
  driver.workspace().post(engine::command::Step{3});
  CHECK(driver.run([&](ImGuiTestContext& user) {
    CHECK(driver.wait(user, [&] { return driver.tokens() == 3; }));
    user.ItemClick("//Transport/Prompt");
    user.ItemInput(field);
    user.KeyCharsReplaceEnter("1 1 0 1");
    CHECK(driver.wait(user, [&] { return driver.tokens() == 0 && driver.snapshot().pending.size() == 4; }));
    user.KeyPress(ImGuiKey_Space, 4);
    CHECK(driver.wait(user, [&] { return driver.tokens() == 4; }));
    CHECK(driver.snapshot().tokens[2]->id == 0);
    // Three ones: odd.
    CHECK(driver.snapshot().model->label(driver.snapshot().tokens[3]->predicted) == "odd");
  }));
}

TEST_CASE("an unknown symbol is refused and nothing is lost") {
  Driver driver;
  driver.workspace().post(engine::command::Step{2});
  CHECK(driver.run([&](ImGuiTestContext& user) {
    CHECK(driver.wait(user, [&] { return driver.tokens() == 2; }));
    user.KeyPress(ImGuiKey_P);
    user.Yield(2);
    user.ItemInput(field);
    user.KeyCharsReplaceEnter("10x1");
    user.Yield(2);
    CHECK(driver.workspace().prompt.error.find('x') != std::string::npos);
    driver.picture("prompt");
    user.Yield(2);
    CHECK(driver.tokens() == 2);
    // Keys belong to the text field: neither a step nor a run came of the typing.
    CHECK(driver.snapshot().mode == engine::SessionMode::idle);
    user.KeyPress(ImGuiKey_Escape);
  }));
}
