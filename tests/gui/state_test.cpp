// A user looks at the whole model's state as one picture: scales, zoom from all to one cell, selection, export, and a model
// whose state is too large to be recorded whole.
#include "tests/gui/driver.h"
#include "tests/support/unusual_models.h"

#include <doctest/doctest.h>
#include <imgui_internal.h>

#include <filesystem>
#include <fstream>

using gui_test::Driver;

namespace {

app::GuiOptions window(int width, int height) {
  app::GuiOptions options;
  options.size = {width, height};
  options.panel = "State";
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

// A little left of and above the panel's middle: over the picture at every size.
ImVec2 middle(ImGuiTestContext& user) {
  const ImRect panel = user.WindowInfo("//State##filled").Window->Rect();
  return {panel.Min.x + 0.45F * panel.GetWidth(), panel.Min.y + 0.5F * panel.GetHeight()};
}

// 9 layers of 2 heads of 256 x 256 cells: 4.7 MB a sequence, more than is recorded with each token.
std::filesystem::path write_large() {
  tests::UnusualModel large;
  large.name = "large-state";
  large.config.d_model = 256;
  large.config.n_layer = 9;
  large.config.d_intermediate = 0;
  large.config.vocab_size = 61;
  large.config.headdim = 256;
  large.config.d_state = 256;
  large.dtype = kernels::DType::bf16;
  large.drive = 2;
  large.dt_offset = 1;
  const auto folder = std::filesystem::temp_directory_path() / "mambascope-large-state";
  std::filesystem::remove_all(folder);
  tests::write_model(folder, tests::weights_of(large, 4));
  return folder;
}

}  // namespace

TEST_CASE("state: before the first token there is a sentence, a reason and a button") {
  Driver driver(window(1280, 720));
  CHECK(driver.run([&](ImGuiTestContext& user) {
    user.SetRef("//State##filled");
    CHECK(shows(driver, user, "No token yet"));
    user.ItemClick("Step");
    CHECK(driver.wait(user, [&] { return driver.tokens() == 1; }));
  }));
}

TEST_CASE("state: all numbers are there, scales are chosen, the wheel zooms to one cell, a click selects") {
  Driver driver(window(1604, 1000));
  CHECK(driver.run([&](ImGuiTestContext& user) {
    step(driver, user, 12);
    user.SetRef("//State##filled");
    CHECK(shows(driver, user, "1 layer × 4 heads × 16 × 64 = 4,096 numbers"));
    CHECK(shows(driver, user, "all recorded"));
    driver.picture("state-parity-1600");
    user.Yield(2);
    for (const char* choice : {"largest |h|", "rms", "linear", "log", "± largest"}) {
      user.ItemClick(choice);
      user.Yield(2);
    }
    user.ItemClick("linear");
    user.Yield(2);
    driver.picture("state-parity-linear");
    user.Yield(2);
    CHECK(shows(driver, user, "· linear ·"));

    // From one head towards its middle, until cells are wide enough to carry their numbers.
    user.ItemClick("selected head");
    user.Yield(2);
    user.MouseMoveToPos(middle(user));
    for (int i = 0; i < 9; ++i) user.MouseWheelY(1);
    user.Yield(3);
    driver.picture("state-parity-cells");
    user.Yield(2);
    CHECK(shows(driver, user, "a cell:"));
    app::Selection& selection = driver.workspace().selection;
    selection.pair = 0;
    selection.row = 0;
    user.MouseClick();
    user.Yield(3);
    const app::Selection chosen = selection;
    CHECK(chosen.row > 0);
    CHECK(chosen.pair > 0);
    user.ItemClick("whole model");
    user.Yield(3);
    user.MouseMoveToPos({middle(user).x * 0.3F, middle(user).y});
    user.MouseClick();
    user.Yield(2);
    CHECK(selection.head < chosen.head);
    user.ItemClick("selected head");
    user.Yield(3);
    driver.picture("state-parity-head");
    user.Yield(2);
    user.MouseMoveToPos(middle(user));
    user.MouseDoubleClick();
    user.Yield(3);
    driver.picture("state-parity-fit");
    user.Yield(2);
  }));
}

TEST_CASE("state: data and picture are written from its menu") {
  const auto here = std::filesystem::current_path();
  const auto folder = std::filesystem::temp_directory_path() / "mambascope-state-test";
  std::filesystem::remove_all(folder);
  std::filesystem::create_directories(folder);
  std::filesystem::current_path(folder);
  {
    Driver driver(window(1280, 720));
    CHECK(driver.run([&](ImGuiTestContext& user) {
      step(driver, user, 6);
      for (const char* item : {"Export data as CSV", "Export figure as PNG"}) {
        user.MouseMoveToPos(middle(user));
        user.MouseClick(ImGuiMouseButton_Right);
        user.Yield(2);
        user.ItemClick((std::string("//$FOCUSED/") + item).c_str());
        user.Yield(3);
      }
    }));
  }
  std::ifstream csv(folder / "output" / "state.csv");
  std::string header, line;
  std::getline(csv, header);
  int lines = 0;
  while (std::getline(csv, line)) ++lines;
  CHECK(header == "layer,head,first row p,rows,first channel n,channels,value of largest magnitude,rms");
  CHECK(lines == 4096);
  CHECK(std::filesystem::file_size(folder / "output" / "state.png") > 1000);
  std::filesystem::current_path(here);
  std::filesystem::remove_all(folder);
}

TEST_CASE("state: a model too large to be recorded is shown whole from a reduced copy, and sharpens where one looks") {
  const std::filesystem::path folder = write_large();
  {
    app::GuiOptions options = window(1280, 720);
    options.models = {folder.string()};
    Driver driver(options);
    CHECK(driver.run([&](ImGuiTestContext& user) {
      step(driver, user, 5);
      user.SetRef("//State##filled");
      REQUIRE(driver.wait(
          user, [&] { return driver.snapshot().tiles != nullptr && driver.snapshot().tiles->position == 5; }));
      user.Yield(3);
      CHECK(shows(driver, user, "from a reduced copy of 8 × 16 blocks a head"));
      CHECK(shows(driver, user, "9 layers × 2 heads × 256 × 256 = 1,179,648 numbers"));
      driver.picture("state-large-whole");
      user.Yield(2);
      driver.workspace().selection.layer = 6;
      driver.workspace().selection.head = 1;
      user.ItemClick("selected head");
      CHECK(driver.wait(user, [&] { return driver.snapshot().watched_layer == 6; }));
      CHECK(driver.wait(user, [&] { return !driver.snapshot().tokens.back()->state->layers[6].ssm.empty(); }));
      user.Yield(4);
      driver.picture("state-large-head");
      user.Yield(2);
      // The next token is followed: tiles and the watched layer both.
      driver.workspace().post(engine::command::Step{1});
      CHECK(driver.wait(user, [&] {
        return driver.tokens() == 6 && driver.snapshot().tiles != nullptr && driver.snapshot().tiles->position == 6;
      }));
      user.Yield(3);
      CHECK(shows(driver, user, "whole state after token 5"));
      // An older token has only what was recorded of it.
      driver.workspace().select_token(1);
      user.Yield(4);
      CHECK(shows(driver, user, "1 of 9 layers"));
      user.ItemClick("whole model");
      user.Yield(3);
      driver.picture("state-large-older");
      user.Yield(2);
    }));
  }
  std::filesystem::remove_all(folder);
}
