// What hovering tells, and the motion that a single step makes.
#include "app/shell/screenshot.h"
#include "tests/gui/driver.h"

#include <doctest/doctest.h>
#include <imgui_internal.h>

#include <cmath>
#include <vector>

using gui_test::Driver;

namespace {

bool holds(const std::string& text, const char* part) { return text.find(part) != std::string::npos; }

void step(Driver& driver, ImGuiTestContext& user, int count) {
  const std::int64_t until = driver.tokens() + count;
  driver.workspace().post(engine::command::Step{count});
  REQUIRE(driver.wait(user, [&] { return driver.tokens() == until; }));
  user.Yield(3);
}

// Moves over the middle of a part of the window and returns the words of the frame.
std::string hover(Driver& driver, ImGuiTestContext& user, const char* window, ImVec2 place) {
  const ImGuiTestItemInfo info = user.WindowInfo(window);
  REQUIRE(info.Window != nullptr);
  const ImRect area = info.Window->Rect();
  user.MouseMoveToPos({area.Min.x + place.x * area.GetWidth(), area.Min.y + place.y * area.GetHeight()});
  user.Yield(2);
  return driver.words(user);
}

// The pixels of one docked panel.
std::vector<std::uint8_t> pixels_of(Driver& driver, const char* panel) {
  const app::Image image = app::read_pixels(driver.app().surface().size());
  const ImRect area = ImGui::FindWindowByName(panel)->Rect();
  std::vector<std::uint8_t> out;
  for (int y = static_cast<int>(area.Min.y); y < static_cast<int>(area.Max.y); ++y) {
    const std::size_t row = static_cast<std::size_t>(y) * static_cast<std::size_t>(image.width);
    const auto from = image.rgb.begin() + static_cast<std::ptrdiff_t>(3 * (row + static_cast<std::size_t>(area.Min.x)));
    const auto to = image.rgb.begin() + static_cast<std::ptrdiff_t>(3 * (row + static_cast<std::size_t>(area.Max.x)));
    out.insert(out.end(), from, to);
  }
  return out;
}

// Frames until nothing moves any more; how many there were.
int frames_in_motion(Driver& driver) {
  int moving = 0;
  for (int i = 0; i < 500; ++i) {
    driver.workspace().requests.redraw = false;
    driver.frames(1);
    if (driver.workspace().requests.redraw)
      ++moving;
    else if (moving > 0 || i > 20)
      break;
  }
  return moving;
}

}  // namespace

TEST_CASE("raster, matrix, map, errors and tokens tell what lies under the mouse") {
  app::GuiOptions options;
  options.size = {1604, 1000};  // high enough for all parts of the rotations
  Driver driver(options);
  CHECK(driver.run([&](ImGuiTestContext& user) {
    step(driver, user, 12);
    user.MouseMoveToPos({4, 4});
    user.Yield(2);
    const std::string before = driver.words(user);
    CHECK_FALSE(holds(before, " rad, |z| "));
    CHECK_FALSE(holds(before, "channel n 3"));

    const std::string raster = hover(driver, user, "//State rotations/raster", {0.5F, 0.4F});
    driver.picture("tooltip-raster");
    user.Yield(2);
    CHECK(holds(raster, " rad, |z| "));
    const std::string matrix = hover(driver, user, "//State rotations/matrix", {0.55F, 0.5F});
    CHECK(holds(matrix, "row p "));
    CHECK(holds(matrix, ", channel n "));
    CHECK(holds(matrix, "value "));
    const std::string memory = hover(driver, user, "//State rotations/memory", {0.5F, 0.45F});
    CHECK(holds(memory, "retained "));
    CHECK(holds(memory, "half-life "));
    const std::string errors = hover(driver, user, "//Discretisation error", {0.5F, 0.5F});
    CHECK(holds(errors, "relative to |E|"));

    user.MouseMove("//Model map/##cells");
    const std::string map = driver.words(user);
    CHECK(holds(map, "layer 0, head "));
    CHECK(holds(map, "state change ‖ΔH‖ = "));
    const ImGuiTestItemInfo strip = user.WindowInfo("//Token strip/tokens");
    user.SetRef(strip.Window);
    user.MouseMove("$$3/token");
    CHECK(holds(driver.words(user), "prediction after it"));
  }));
}

TEST_CASE("the strip shows whole cells at any size, and the wheel moves along it") {
  Driver driver;
  CHECK(driver.run([&](ImGuiTestContext& user) { step(driver, user, 60); }));
  for (const app::SurfaceSize size : {app::SurfaceSize{1280, 720}, {1000, 720}, {1437, 800}}) {
    CAPTURE(size.width);
    driver.app().surface().resize(size);
    driver.frames(4);
    CHECK(driver.run([&](ImGuiTestContext& user) {
      const ImGuiTestItemInfo strip = user.WindowInfo("//Token strip/tokens");
      user.SetRef(strip.Window);
      const ImRect area = strip.Window->Rect();
      const ImRect last = user.ItemInfo("$$59/token").RectFull;
      CHECK(area.Contains(last));
      CHECK(area.Max.x - last.Max.x <= 2);
      const double first = driver.workspace().strip_first;
      CHECK(first == std::floor(first));
      const std::string leftmost = "$$" + std::to_string(static_cast<int>(first)) + "/token";
      const ImRect left = user.ItemInfo(leftmost.c_str()).RectFull;
      CHECK(left.Min.x == doctest::Approx(area.Min.x).epsilon(0.01));
      user.MouseMoveToPos(area.GetCenter());
      user.MouseWheelY(2);
      user.Yield(2);
      CHECK(driver.workspace().strip_first == first - 6);
      user.MouseWheelY(-100);
      user.Yield(2);
      CHECK(driver.workspace().strip_first == first);
    }));
  }
}

TEST_CASE("a single step sweeps its phasors for a moment; several at once, going back and a new head do not") {
  Driver driver;
  driver.workspace().post(engine::command::Step{4});
  REQUIRE(driver.run([&](ImGuiTestContext& user) {
    CHECK(driver.wait(user, [&] { return driver.tokens() == 4; }));
    user.SleepNoSkip(0.3F, 0.05F);
  }));
  CHECK(frames_in_motion(driver) == 0);
  // Frames may take longer than the sweep here: what counts is that it begins, is drawn, and ends.
  const auto step_alone = [&](const engine::Command& command, std::int64_t until) {
    driver.workspace().post(command);
    int moving = 0;
    for (int i = 0; i < 2000 && driver.tokens() != until; ++i) {
      driver.workspace().requests.redraw = false;
      driver.frames(1);
      if (driver.workspace().requests.redraw) ++moving;
    }
    REQUIRE(driver.tokens() == until);
    const auto first = pixels_of(driver, "State rotations");
    moving += frames_in_motion(driver);
    driver.frames(2);
    return std::pair{moving, first != pixels_of(driver, "State rotations")};
  };
  const auto pause = [&] { CHECK(driver.run([](ImGuiTestContext& user) { user.SleepNoSkip(0.3F, 0.05F); })); };
  pause();
  const auto [moving, changed] = step_alone(engine::command::Step{1}, 5);
  CHECK(moving > 0);
  CHECK(changed);
  pause();
  CHECK(step_alone(engine::command::Step{3}, 8).first == 0);
  pause();
  CHECK(step_alone(engine::command::Seek{5}, 5).first == 0);
  pause();
  driver.workspace().selection.head = driver.workspace().selection.head == 0 ? 1 : 0;
  CHECK(frames_in_motion(driver) == 0);
}
