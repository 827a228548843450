// Typing what the model shall consume; wrong text is refused in words and changes nothing.
#include "tests/gui/driver.h"
#include "tests/support/byte_model.h"
#include "tests/support/tokenizer_model.h"

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

TEST_CASE("where tokens are bytes, a prompt is text with blanks and lines, and an override is said") {
  const tests::TemporaryFolder folder;
  tests::write_byte_model(folder, R"(,"prompts":["It was ## a\n\tdark night."],"override":{"lambda":1})");
  app::GuiOptions options;
  options.models = {folder.path().string()};
  Driver driver(options);
  CHECK(driver.run([&](ImGuiTestContext& user) {
    user.ItemClick("//Transport/Prompt");
    user.Yield(2);
    user.ItemClick("//$FOCUSED/##example0");
    CHECK(driver.workspace().prompt.text == "It was ## a\n\tdark night.");
    user.Yield(2);
    driver.picture("prompt-bytes");
    user.ItemClick("//$FOCUSED/Start over with this");
    CHECK(driver.wait(user, [&] { return driver.snapshot().pending.size() == 24; }));
    driver.workspace().post(engine::command::Step{26});
    CHECK(driver.wait(user, [&] { return driver.tokens() == 26; }));
    CHECK(driver.snapshot().tokens[2]->id == ' ');
    CHECK(driver.snapshot().tokens[11]->id == '\n');
    CHECK(driver.snapshot().tokens[25]->origin == engine::TokenOrigin::sampled);
    user.Yield(3);
    driver.picture("bytes");
    user.KeyPress(ImGuiKey_P);
    user.Yield(2);
    // What was consumed stands in the editor, and typing replaces it.
    CHECK(driver.workspace().prompt.text.rfind("It was ## a\n\tdark night.", 0) == 0);
    user.KeyPress(ImGuiMod_Ctrl | ImGuiKey_A);
    user.KeyChars(" two  words");
    user.KeyPress(ImGuiKey_Enter);
    CHECK(driver.wait(user, [&] { return driver.tokens() == 0 && driver.snapshot().pending.size() == 11; }));
  }));
}

TEST_CASE("a folder with a tokenizer: text is typed, cut into tokens, consumed and shown") {
  const tests::TemporaryFolder folder;
  tests::write_tokenizer_model(folder);
  app::GuiOptions options;
  options.models = {folder.path().string()};
  Driver driver(options);
  CHECK(driver.run([&](ImGuiTestContext& user) {
    user.KeyPress(ImGuiKey_P);
    user.Yield(2);
    user.KeyPress(ImGuiMod_Ctrl | ImGuiKey_A);
    user.KeyChars("in the caf\xC3\xA9");
    user.KeyPress(ImGuiKey_Enter);
    CHECK(driver.wait(
        user, [&] { return driver.snapshot().pending.size() == 10; }));  // <s> i n " the" " " c a f and two bytes
    user.KeyPress(ImGuiKey_Space, 4);
    REQUIRE(driver.wait(user, [&] { return driver.tokens() == 4; }));
    std::vector<std::int32_t> ids;
    for (const auto& record : driver.snapshot().tokens) ids.push_back(record->id);
    CHECK(driver.snapshot().model->symbol(ids[3]) == "\u2423the");
    CHECK(driver.snapshot().model->text_of({ids.begin() + 1, ids.end()}) == "in the");
    user.KeyPress(ImGuiKey_P);
    user.Yield(2);
    // What was consumed and is to come stands there as it was typed.
    CHECK(driver.workspace().prompt.text == "in the caf\xC3\xA9");
    user.KeyPress(ImGuiKey_Escape);
  }));
}

TEST_CASE(
    "a long prompt is prefilled but for its last tokens, and a token of it gets its numbers when one goes there") {
  const tests::TemporaryFolder folder;
  tests::write_byte_model(folder);
  app::GuiOptions options;
  options.models = {folder.path().string()};
  options.backend.choice = engine::BackendChoice::reference;
  Driver driver(options);
  driver.workspace().post(engine::command::Prompt{std::vector<std::int32_t>(400, 'a')});
  CHECK(driver.run([&](ImGuiTestContext& user) {
    CHECK(driver.wait(user, [&] { return driver.snapshot().pending.size() == 400; }));
    user.KeyPress(ImGuiKey_P);
    user.Yield(2);
    driver.picture("prompt-prefill");
    CHECK(driver.snapshot().step_last == 64);
    user.KeyPress(ImGuiKey_Escape);
    user.ItemClick("//Transport/\uf051##last");
    CHECK(driver.wait(user, [&] { return driver.tokens() == 400; }));
    CHECK(driver.snapshot().tokens[50]->skipped);
    CHECK_FALSE(driver.snapshot().tokens[399]->skipped);
    driver.workspace().select_token(50);
    user.Yield(3);
    CHECK(driver.words(user).find("Prefilled: tokens 0 to 334") != std::string::npos);
    driver.picture("prefilled");
    user.KeyPress(ImGuiKey_G);
    CHECK(driver.wait(user, [&] { return driver.tokens() == 51 && !driver.snapshot().tokens[50]->skipped; }));
    CHECK_FALSE(driver.snapshot().tokens[50]->top.empty());
    // Another one by the button that stands where its state would be.
    driver.workspace().select_token(20);
    user.Yield(3);
    user.ItemClick("//State rotations/Go there (G)");
    CHECK(driver.wait(user, [&] { return driver.tokens() == 21 && !driver.snapshot().tokens[20]->skipped; }));
    user.Yield(2);
    CHECK_FALSE(user.ItemExists("//State rotations/Go there (G)"));
  }));
}
