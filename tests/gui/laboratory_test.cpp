// A user tries the rules on test signals: signal, state, rules, a varying A, the head's own values, and the export.
#include "tests/gui/driver.h"

#include <doctest/doctest.h>
#include <imgui_internal.h>

#include <filesystem>
#include <fstream>

using gui_test::Driver;

namespace {

app::GuiOptions window(int width, int height) {
  app::GuiOptions options;
  options.size = {width, height};
  options.panel = "Discretisation";
  options.fill = true;
  return options;
}

void step(Driver& driver, ImGuiTestContext& user, int count) {
  driver.workspace().post(engine::command::Step{count});
  REQUIRE(driver.wait(user, [&] { return driver.tokens() == count; }));
  user.Yield(3);
}

}  // namespace

TEST_CASE("laboratory: every control does what it says") {
  Driver driver(window(1604, 1000));
  CHECK(driver.run([&](ImGuiTestContext& user) {
    step(driver, user, 12);
    app::LabSettings& lab = driver.workspace().discretisation.lab;
    user.SetRef("//Discretisation##filled");
    driver.picture("lab-own-input-1600");
    user.Yield(2);
    user.ItemClick("test signal");
    user.Yield(2);
    CHECK(driver.workspace().discretisation.page == app::DiscretisationPage::signal);
    CHECK(lab.follow_head);
    const double own = lab.dt;
    driver.picture("lab-sine-1600");
    user.Yield(2);

    user.ItemInputValue("##dt", 0.5F);
    CHECK(lab.dt == doctest::Approx(0.5));
    CHECK_FALSE(lab.follow_head);
    user.ItemInputValue("##decay", 0.25F);
    CHECK(lab.problem.a == doctest::Approx(-0.25));
    user.ItemInputValue("##omega", 1.5F);
    CHECK(lab.problem.omega == doctest::Approx(1.5));
    user.ItemInputValue("##lambda", 0.9F);
    CHECK(lab.lambda == doctest::Approx(0.9));
    user.ItemInputValue("##rate", 3.0F);
    CHECK(lab.problem.rate == doctest::Approx(3));
    for (const char* rule : {"first-order hold", "forward Euler", "bilinear"}) user.ItemClick(rule);
    CHECK(lab.shown[static_cast<std::size_t>(engine::RuleKind::bilinear)]);
    user.ItemInputValue("##fit-last", 0.05F);
    CHECK(lab.fit_last == doctest::Approx(0.05));
    user.Yield(2);
    driver.picture("lab-rules-1600");
    user.Yield(2);

    user.ItemClick("time-varying A");
    CHECK(lab.problem.varies());
    CHECK(driver.words(user).find("held over it, as Mamba-3 does") != std::string::npos);
    driver.picture("lab-varying-1600");
    user.Yield(2);
    user.ItemClick("in the middle");
    CHECK(lab.problem.hold == engine::Hold::middle);
    user.ItemClick("time-varying A");
    CHECK_FALSE(lab.problem.varies());

    for (const char* signal : {"constant", "linear", "chirp", "exponential", "step", "sine"}) {
      user.ItemClick("##signal");
      user.ItemClick((std::string("//$FOCUSED/###") + signal).c_str());
      user.Yield(2);
      CHECK(std::string(engine::name_of(lab.problem.signal)) == signal);
      driver.picture(std::string("lab-") + signal);
      user.Yield(2);
    }

    user.ItemClick("this head's values");
    user.Yield(2);
    CHECK(lab.follow_head);
    CHECK(lab.dt == own);
  }));
}

TEST_CASE("laboratory: a small window has a page for each row of figures") {
  {
    Driver driver(window(1280, 720));
    CHECK(driver.run([&](ImGuiTestContext& user) {
      step(driver, user, 12);
      user.SetRef("//Discretisation##filled");
      user.Yield(2);
      user.ItemClick("test signal");
      user.Yield(2);
      driver.picture("lab-fill-1280");
      user.Yield(2);
    }));
  }
  app::GuiOptions docked = window(1280, 720);
  docked.fill = false;
  Driver small(docked);
  CHECK(small.run([&](ImGuiTestContext& user) {
    step(small, user, 12);
    user.SetRef("//Discretisation");
    for (const char* page : {"model's own input", "test signal", "its errors", "stability"}) {
      user.ItemClick(page);
      user.Yield(2);
      small.picture(std::string("lab-docked-1280-") + page);
      user.Yield(2);
    }
    user.ItemClick("its errors");
    user.ItemClick("##rules");
    user.ItemClick("//$FOCUSED/bilinear");
    user.Yield(2);
    CHECK(small.workspace().discretisation.lab.shown[static_cast<std::size_t>(engine::RuleKind::bilinear)]);
  }));
}

TEST_CASE("laboratory: data and picture of a figure are written from its menu") {
  const auto here = std::filesystem::current_path();
  const auto folder = std::filesystem::temp_directory_path() / "mambascope-laboratory-test";
  std::filesystem::remove_all(folder);
  std::filesystem::create_directories(folder);
  std::filesystem::current_path(folder);
  {
    Driver driver(window(1280, 720));
    CHECK(driver.run([&](ImGuiTestContext& user) {
      step(driver, user, 6);
      user.SetRef("//Discretisation##filled");
      user.Yield(2);
      user.ItemClick("test signal");
      user.Yield(2);
      for (const char* item : {"Export data as CSV", "Export figure as PNG"}) {
        const ImGuiTestItemInfo figure = user.WindowInfo("//Discretisation##filled/local");
        REQUIRE(figure.Window != nullptr);
        user.MouseMoveToPos(figure.Window->Rect().GetCenter());
        user.MouseClick(ImGuiMouseButton_Right);
        user.Yield(2);
        user.ItemClick((std::string("//$FOCUSED/") + item).c_str());
        user.Yield(3);
      }
    }));
  }
  std::ifstream csv(folder / "output" / "local-errors.csv");
  std::string header;
  std::getline(csv, header);
  CHECK(header.find("dt,exponential_euler error,exponential_euler leading terms,") == 0);
  CHECK(std::filesystem::file_size(folder / "output" / "local-errors.png") > 1000);
  if (const char* pictures = std::getenv("MAMBASCOPE_TEST_PICTURES"))
    std::filesystem::copy_file(folder / "output" / "local-errors.png",
                               std::filesystem::path(pictures) / "lab-exported-figure.png",
                               std::filesystem::copy_options::overwrite_existing);
  std::filesystem::current_path(here);
  std::filesystem::remove_all(folder);
}
