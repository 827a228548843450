// A user looks at the state: the first picture of a model, the map, frames, the raster, and taking data along.
#include "engine/analysis/rotation.h"
#include "tests/gui/driver.h"

#include <doctest/doctest.h>

#include <cmath>
#include <filesystem>
#include <fstream>

using gui_test::Driver;

namespace {

void step(Driver& driver, ImGuiTestContext& user, int count) {
  driver.workspace().post(engine::command::Step{count});
  REQUIRE(driver.wait(user, [&] { return driver.tokens() == count; }));
  user.Yield(3);
}

double shown_turn(Driver& driver) {
  const app::Selection& at = driver.workspace().selection;
  return engine::phase_increment(driver.snapshot().model->config(), driver.workspace().shown()->coefficients, at.layer,
                                 at.head, at.pair);
}

}  // namespace

TEST_CASE("the first picture of parity shows a pair that a 1 turns by half and a 0 leaves alone") {
  Driver driver;
  CHECK(driver.run([&](ImGuiTestContext& user) {
    step(driver, user, 12);
    for (std::int64_t token = 0; token < 12; ++token) {
      driver.workspace().select_token(token);
      const double turn = std::abs(std::remainder(shown_turn(driver), 2 * 3.14159265358979));
      if (driver.workspace().shown()->id == 1) {
        CHECK(turn > 3.0);
      } else {
        CHECK(turn < 0.2);
      }
    }
    driver.picture("first-picture");
  }));
}

TEST_CASE("a click on a cell of the map chooses layer and head, and that choice stays") {
  Driver driver;
  CHECK(driver.run([&](ImGuiTestContext& user) {
    step(driver, user, 4);
    const int heads = driver.snapshot().model->config().heads();
    for (const int head : {0, heads - 1}) {
      const ImRect cells = user.ItemInfo("//Model map/##cells").RectFull;
      const float width = cells.GetWidth() / static_cast<float>(heads);
      user.MouseMoveToPos({cells.Min.x + (static_cast<float>(head) + 0.5F) * width, cells.GetCenter().y});
      user.MouseClick();
      CHECK(driver.workspace().selection.head == head);
    }
    driver.workspace().post(engine::command::Step{8});
    CHECK(driver.wait(user, [&] { return driver.tokens() == 12; }));
    user.Yield(3);
    CHECK(driver.workspace().selection.head == heads - 1);
  }));
}

TEST_CASE("frames are one click apart, for the phasors and for the errors alike") {
  Driver driver;
  CHECK(driver.run([&](ImGuiTestContext& user) {
    step(driver, user, 4);
    CHECK(driver.workspace().selection.frame == app::Frame::unrotated);
    user.ItemClick("//State rotations/stored frame");
    CHECK(driver.workspace().selection.frame == app::Frame::stored);
    user.ItemClick("//Discretisation error/un-rotated");
    CHECK(driver.workspace().selection.frame == app::Frame::unrotated);
  }));
}

TEST_CASE("a click in the phase raster chooses a pair and a token") {
  Driver driver;
  CHECK(driver.run([&](ImGuiTestContext& user) {
    step(driver, user, 12);
    const ImGuiTestItemInfo raster = user.WindowInfo("//State rotations/raster");
    REQUIRE(raster.Window != nullptr);
    const ImRect area = raster.Window->Rect();
    user.MouseMoveToPos({area.Min.x + 0.4F * area.GetWidth(), area.Min.y + 0.35F * area.GetHeight()});
    user.MouseClick();
    user.Yield(2);
    CHECK(driver.workspace().selection.token >= 0);
    CHECK(driver.workspace().selection.token < 11);
    CHECK(driver.workspace().selection.pair < driver.snapshot().model->config().angles());
  }));
}

TEST_CASE("a right click on a plot writes its data, and says where") {
  const auto here = std::filesystem::current_path();
  const auto folder = std::filesystem::temp_directory_path() / "mambascope-panels-test";
  std::filesystem::remove_all(folder);
  std::filesystem::create_directories(folder);
  std::filesystem::current_path(folder);
  {
    Driver driver;
    CHECK(driver.run([&](ImGuiTestContext& user) {
      step(driver, user, 6);
      const ImRect panel = user.WindowInfo("//Discretisation error").Window->Rect();
      user.MouseMoveToPos(panel.GetCenter());
      user.MouseClick(ImGuiMouseButton_Right);
      user.Yield(2);
      user.ItemClick("//$FOCUSED/Export data as CSV");
    }));
  }
  std::ifstream file(folder / "output" / "errors-unrotated.csv");
  std::string header, line;
  std::getline(file, header);
  int lines = 0;
  while (std::getline(file, line)) ++lines;
  CHECK(header == "token,euler (relative),trapezoid (relative),model lambda (relative)");
  CHECK(lines == 6);
  std::filesystem::current_path(here);
  std::filesystem::remove_all(folder);
}
