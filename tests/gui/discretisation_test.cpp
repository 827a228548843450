// A user goes through the pages of the discretisation panel: carried errors, lambda, formulas, effect; and takes every
// figure along.
#include "tests/gui/driver.h"

#include <doctest/doctest.h>
#include <imgui_internal.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

using gui_test::Driver;

namespace {

app::GuiOptions window(const char* model, int width, int height, float scale = 0) {
  app::GuiOptions options;
  options.models = {model};
  options.size = {width, height};
  options.panel = "Discretisation";
  options.fill = true;
  options.ui_scale = scale;
  return options;
}

void step(Driver& driver, ImGuiTestContext& user, int count) {
  driver.workspace().post(engine::command::Step{count});
  CHECK(driver.wait(user, [&] { return driver.tokens() == count; }));
  user.SetRef("//Discretisation##filled");
  user.Yield(3);
}

void hover(ImGuiTestContext& user, const std::string& part, ImVec2 place = {0.5F, 0.6F}) {
  const ImGuiTestItemInfo info = user.WindowInfo(("//Discretisation##filled/" + part).c_str());
  CHECK_MESSAGE(info.Window != nullptr, part);
  if (info.Window == nullptr) return;
  const ImRect area = info.Window->Rect();
  user.MouseMoveToPos({area.Min.x + place.x * area.GetWidth(), area.Min.y + place.y * area.GetHeight()});
  user.Yield(2);
}

bool holds(const std::string& text, const char* part) { return text.find(part) != std::string::npos; }

}  // namespace

TEST_CASE("discretisation: errors carried over the tokens are one click away and say what they are") {
  Driver driver(window("modular", 1600, 1000));
  CHECK(driver.run([&](ImGuiTestContext& user) {
    step(driver, user, 20);
    CHECK(holds(driver.words(user), "Relative local error of each rule"));
    user.ItemClick("**/accumulated");
    CHECK(driver.workspace().discretisation.accumulated);
    user.Yield(4);
    CHECK(holds(driver.words(user), "What another rule would have made"));
    hover(user, "errors");
    CHECK(holds(driver.words(user), "relative to |exact state|"));
    driver.picture("accumulated-1600");
    user.Yield(2);
    user.ItemClick("stored frame");
    user.Yield(4);
    CHECK(holds(driver.words(user), "stored frame"));
    user.ItemClick("**/local");
    CHECK_FALSE(driver.workspace().discretisation.accumulated);
  }));
}

TEST_CASE(
    "discretisation: where lambda lies, what another one costs, and the convolution; a click moves the selection") {
  Driver driver(window("modular", 1600, 1000));
  CHECK(driver.run([&](ImGuiTestContext& user) {
    step(driver, user, 20);
    user.ItemClick("λ");
    user.Yield(3);
    CHECK(driver.workspace().discretisation.page == app::DiscretisationPage::lambda);
    const std::string words = driver.words(user);
    CHECK(holds(words, "weighs this input by γ"));
    CHECK(holds(words, "λ of 12 heads"));
    driver.picture("lambda-1600");
    hover(user, "lambda-cost");
    CHECK(holds(driver.words(user), "times that of the model's λ"));
    hover(user, "lambda-spread");
    CHECK(holds(driver.words(user), "of the 12 heads at this token"));
    hover(user, "taps");
    CHECK(holds(driver.words(user), "(last B x)"));
    hover(user, "convolution-map", {0.5F, 0.8F});
    driver.workspace().selection.head = 0;
    CHECK(holds(driver.words(user), "this input γ = "));
    user.MouseClick();
    user.Yield(2);
    CHECK(driver.workspace().selection.head > 0);
    CHECK(driver.workspace().selection.token >= 0);
  }));
}

TEST_CASE("discretisation: every symbol of a formula tells what it is") {
  Driver driver(window("parity", 1600, 1000));
  CHECK(driver.run([&](ImGuiTestContext& user) {
    step(driver, user, 8);
    user.ItemClick("formulas");
    user.Yield(3);
    driver.picture("formulas-1600");
    user.Yield(2);
    user.MouseMove("**/coefficients-1:λ");
    user.Yield(3);
    CHECK(holds(driver.words(user), "The model's weight of this token's input"));
    user.MouseMove("**/recurrence-0:α");
    user.Yield(3);
    CHECK(holds(driver.words(user), "What this token leaves of the old state"));
    user.ItemClick("stored frame");
    user.Yield(3);
    user.MouseMove("**/recurrence-0:h");
    user.Yield(3);
    CHECK(holds(driver.words(user), "keys were rotated when written"));
  }));
}

TEST_CASE("discretisation: the effect of Euler and the trapezoid is run, follows the tokens, and is never an error") {
  Driver driver(window("modular", 1600, 1000));
  CHECK(driver.run([&](ImGuiTestContext& user) {
    step(driver, user, 12);
    driver.workspace().accuracy.choice.length = 32;
    driver.workspace().accuracy.choice.sequences = 10;
    user.ItemClick("effect");
    user.Yield(3);
    CHECK(holds(driver.words(user), "An effect on the model, not an error"));
    user.ItemClick("Run as Euler and trapezoid");
    const auto complete = [&](std::size_t tokens) {
      const auto& job = driver.workspace().document().effect;
      return job && !job->running() && job->report()->tokens != nullptr && job->report()->tokens->size() == tokens;
    };
    CHECK(driver.wait(user, [&] { return complete(12); }));
    user.Yield(4);
    const std::string words = driver.words(user);
    CHECK(holds(words, "Effect, not error: the same 12 tokens"));
    CHECK(holds(words, "predictions after token 11"));
    user.ItemClick("**/###effect-accuracy");
    CHECK(driver.wait(user, [&] {
      const auto& job = driver.workspace().document().effect_accuracy;
      return job && !job->running();
    }));
    CHECK(driver.workspace().document().effect_accuracy->report()->accuracy.size() == 3);
    user.Yield(3);
    CHECK(holds(driver.words(user), "scaled acc."));
    driver.picture("effect-1600");
    hover(user, "effect-kl");
    CHECK(holds(driver.words(user), "KL(as it is || this run)"));
    user.MouseClick();
    user.Yield(2);
    CHECK(driver.workspace().selection.token >= 0);
    hover(user, "effect-layers", {0.6F, 0.5F});
    CHECK(holds(driver.words(user), "layer 1: Euler"));
    user.MouseClick();
    user.Yield(2);
    CHECK(driver.workspace().selection.layer == 1);
    // More tokens: a quick run goes along.
    driver.workspace().post(engine::command::Step{3});
    CHECK(driver.wait(user, [&] { return complete(15); }));
  }));
}

TEST_CASE("discretisation: a long run under other lambdas says how far it is, and Cancel ends it") {
  app::GuiOptions options = window("austen-siso", 1600, 1000);
  options.backend.choice = engine::BackendChoice::cpu;
  Driver driver(options);
  CHECK(driver.run([&](ImGuiTestContext& user) {
    REQUIRE(driver.read(user, 'a', 6000));
    user.SetRef("//Discretisation##filled");
    user.ItemClick("effect");
    user.Yield(3);
    user.ItemClick("**/Run as Euler and trapezoid");
    const auto& job = driver.workspace().document().effect;
    REQUIRE(driver.wait(user, [&] { return job && job->report()->done > 0; }));
    driver.picture("effect-running");
    CHECK(holds(driver.words(user), "Running the tokens as Euler and as the trapezoid"));
    user.ItemClick("**/Cancel");
    REQUIRE(driver.wait(user, [&] { return job->report()->state == app::EffectReport::State::cancelled; }));
    CHECK(job->report()->tokens == nullptr);
    CHECK_FALSE(job->report()->error);
    user.Yield(10);
    CHECK(job->report()->state == app::EffectReport::State::cancelled);
    CHECK(user.ItemExists("**/Run as Euler and trapezoid"));
  }));
}

TEST_CASE("discretisation: a test signal's states, and how far they are from the exact one") {
  Driver driver(window("parity", 1600, 1000));
  CHECK(driver.run([&](ImGuiTestContext& user) {
    step(driver, user, 6);
    user.ItemClick("test signal");
    user.Yield(2);
    user.ItemClick("**/rule − exact");
    user.Yield(2);
    CHECK(driver.workspace().discretisation.page == app::DiscretisationPage::signal_difference);
    hover(user, "paths");
    CHECK(holds(driver.words(user), "rule - exact, and its size"));
    driver.picture("difference-1600");
    user.Yield(2);
    user.ItemClick("**/h");
    CHECK(driver.workspace().discretisation.page == app::DiscretisationPage::signal);
  }));
}

TEST_CASE("discretisation: every figure is exported as data and as a picture") {
  const auto here = std::filesystem::current_path();
  const auto folder = std::filesystem::temp_directory_path() / "mambascope-figures-test";
  std::filesystem::remove_all(folder);
  std::filesystem::create_directories(folder);
  std::filesystem::current_path(folder);
  const struct {
    const char* page;
    std::vector<const char*> figures;
    std::vector<const char*> files;
  } pages[] = {
      {"model's own input",
       {"errors", "spread", "lambda", "weights"},
       {"errors-unrotated", "error-spread", "lambda", "coefficients"}},
      {"**/accumulated", {"errors", "spread"}, {"accumulated-errors-unrotated", "accumulated-error-spread"}},
      {"λ",
       {"lambda-spread", "lambda-cost", "taps", "convolution-map"},
       {"lambda-spread", "lambda-cost", "convolution-weights", "convolution-shares"}},
      {"test signal",
       {"paths", "plane", "stability", "local", "global"},
       {"test-signal", "test-signal", "stability", "local-errors", "global-errors"}},
      {"**/rule − exact", {"paths"}, {"rule-minus-exact"}},
      {"formulas", {"formulas/coefficients"}, {"formula-coefficients"}},
      {"effect", {"effect-kl", "effect-distance", "effect-layers"}, {"effect", "effect", "effect-layers"}},
  };
  {
    Driver driver(window("modular", 1600, 1000));
    CHECK(driver.run([&](ImGuiTestContext& user) {
      step(driver, user, 8);
      driver.workspace().requests.effect = true;
      CHECK(driver.wait(user, [&] {
        const auto& job = driver.workspace().document().effect;
        return job && !job->running();
      }));
      for (const auto& page : pages) {
        user.ItemClick(page.page);
        user.Yield(4);
        for (const char* figure : page.figures) {
          for (const char* item : {"Export data as CSV", "Export figure as PNG"}) {
            hover(user, figure, {0.4F, 0.55F});
            user.MouseClick(ImGuiMouseButton_Right);
            user.Yield(2);
            user.ItemClick((std::string("//$FOCUSED/") + item).c_str());
            user.Yield(3);
          }
        }
      }
    }));
  }
  for (const auto& page : pages) {
    for (std::size_t i = 0; i < page.figures.size(); ++i) {
      const auto file = folder / "output" / page.files[i];
      CAPTURE(file.string());
      CHECK(std::filesystem::exists(file.string() + ".csv"));
      REQUIRE(std::filesystem::exists(file.string() + ".png"));
      CHECK(std::filesystem::file_size(file.string() + ".png") > 1000);
    }
  }
  std::filesystem::current_path(here);
  std::filesystem::remove_all(folder);
}

TEST_CASE("discretisation: small windows and a large scale show every page") {
  for (const float scale : {1.0F, 1.5F}) {
    app::GuiOptions options = window("modular", 1280, 720, scale);
    options.fill = false;
    Driver driver(options);
    CHECK(driver.run([&](ImGuiTestContext& user) {
      driver.workspace().post(engine::command::Step{16});
      CHECK(driver.wait(user, [&] { return driver.tokens() == 16; }));
      driver.workspace().requests.effect = true;
      user.SetRef("//Discretisation");
      user.Yield(4);
      for (const char* page : {"λ", "formulas", "effect", "test signal", "model's own input"}) {
        user.ItemClick(page);
        user.Yield(4);
        driver.picture("docked-" + std::to_string(static_cast<int>(10 * scale)) + "-" + page);
        user.Yield(2);
      }
    }));
  }
}
