// A user measures a model's accuracy: evaluates, reads the curve, cancels, changes the model in the middle, and is told
// why where there is nothing to measure.
#include "tests/gui/driver.h"

#include <doctest/doctest.h>
#include <implot.h>
#include <implot_internal.h>

using gui_test::Driver;

namespace {

using State = app::EvaluationReport::State;

std::shared_ptr<const app::EvaluationReport> report(Driver& driver, std::size_t document = 0) {
  const auto& job = driver.workspace().documents[document].evaluation;
  return job ? job->report() : nullptr;
}

bool ended(Driver& driver, ImGuiTestContext& user, std::size_t document = 0) {
  return driver.wait(
      user, [&] { return report(driver, document)->state != State::running; }, 4000);
}

void show(Driver& driver, ImGuiTestContext& user) {
  driver.workspace().requests.focus_panel = "Accuracy";
  user.Yield(4);
}

}  // namespace

TEST_CASE("accuracy: one click evaluates, and the curve stands in the plot with its figures") {
  Driver driver;
  driver.workspace().accuracy.choice = {64, 40, 0, false};
  CHECK(driver.run([&](ImGuiTestContext& user) {
    show(driver, user);
    driver.picture("accuracy-empty");
    user.Yield(2);
    user.ItemClick("//Accuracy/Evaluate");
    REQUIRE(driver.wait(user, [&] { return report(driver) != nullptr; }));
    REQUIRE(ended(driver, user));
    user.Yield(3);
    CHECK(report(driver)->state == State::done);
    CHECK(report(driver)->models[0].counts.sequences == 40);
    CHECK(report(driver)->models[0].counts.accuracy() > 0.999);
    CHECK(driver.workspace().documents[0].snapshot->tokens.empty());  // the session was left alone

    const ImGuiTestItemInfo plot = user.ItemInfo("//Accuracy/##accuracy");
    REQUIRE(plot.ID != 0);
    ImPlotPlot* drawn = ImPlot::GetCurrentContext()->Plots.GetByKey(plot.ID);
    REQUIRE(drawn != nullptr);
    CHECK(drawn->Items.GetItemCount() == 1);
    driver.picture("accuracy-done");
    user.Yield(2);

    user.ItemClick("//Accuracy/**/##series");
    CHECK(driver.workspace().accuracy.hidden.count("parity") == 1);
    user.ItemClick("//Accuracy/**/##series");
    CHECK(driver.workspace().accuracy.hidden.empty());
    user.ItemClick("//Accuracy/raw");
    CHECK(driver.workspace().accuracy.unit == app::AccuracyUnit::raw);
    user.ItemClick("//Accuracy/linear");
    CHECK_FALSE(driver.workspace().accuracy.logarithmic);
    user.MouseMoveToPos(plot.RectFull.GetCenter());
    user.Yield(3);
    driver.picture("accuracy-hover");
    user.Yield(2);
  }));
}

TEST_CASE("accuracy: the palette's action brings the panel and evaluates, with the models of the family") {
  Driver driver;
  driver.workspace().accuracy.choice = {32, 16, 0, false};
  CHECK(driver.run([&](ImGuiTestContext& user) {
    show(driver, user);
    user.ItemClick("//Accuracy/with ablations");
    CHECK(driver.workspace().accuracy.choice.family);
    driver.workspace().requests.focus_panel = "State rotations";
    user.Yield(3);
    user.KeyPress(ImGuiMod_Ctrl | ImGuiKey_K);
    user.Yield(2);
    user.KeyChars("evaluate");
    user.Yield(2);
    user.KeyPress(ImGuiKey_Enter);
    REQUIRE(driver.wait(user, [&] { return report(driver) != nullptr; }));
    CHECK(bool{ImGui::FindWindowByName("Accuracy")->DockTabIsVisible});
    REQUIRE(ended(driver, user));
    CHECK(report(driver)->models.size() >= 2);
    user.Yield(3);
    driver.picture("accuracy-family");
    user.Yield(2);
  }));
}

TEST_CASE("accuracy: Cancel in the middle keeps what is complete, and it can be started again") {
  Driver driver;
  driver.workspace().accuracy.choice = {32, 1 << 20, 0, false};
  CHECK(driver.run([&](ImGuiTestContext& user) {
    show(driver, user);
    user.ItemClick("//Accuracy/Evaluate");
    REQUIRE(driver.wait(user, [&] {
      return report(driver) && !report(driver)->models.empty() && report(driver)->models[0].counts.sequences > 0;
    }));
    driver.picture("accuracy-running");
    user.Yield(2);
    // Stepping goes on beside it.
    driver.workspace().post(engine::command::Step{});
    CHECK(driver.wait(user, [&] { return driver.tokens() == 1; }));
    CHECK(report(driver)->state == State::running);
    user.ItemClick("//Accuracy/Cancel");
    REQUIRE(ended(driver, user));
    CHECK(report(driver)->state == State::cancelled);
    CHECK(report(driver)->models[0].counts.sequences > 0);
    user.Yield(2);
    driver.picture("accuracy-cancelled");
    user.Yield(2);
    driver.workspace().accuracy.choice.sequences = 8;
    user.ItemClick("//Accuracy/Evaluate");
    REQUIRE(driver.wait(user, [&] { return report(driver)->choice.sequences == 8; }));
    REQUIRE(ended(driver, user));
    CHECK(report(driver)->state == State::done);
  }));
}

TEST_CASE("accuracy: another model in the middle ends the evaluation of the first; the window may close at any time") {
  app::GuiOptions options;
  options.models = {"parity", "parity-mimo"};
  Driver driver(options);
  driver.workspace().accuracy.choice = {32, 1 << 20, 0, true};
  CHECK(driver.run([&](ImGuiTestContext& user) {
    show(driver, user);
    user.ItemClick("//Accuracy/Evaluate");
    REQUIRE(driver.wait(user, [&] { return report(driver) && report(driver)->done > 0; }));
    driver.workspace().activate(1);
    REQUIRE(ended(driver, user));
    CHECK(report(driver)->state == State::cancelled);
    user.Yield(2);
    CHECK(report(driver, 1) == nullptr);
    user.ItemClick("//Accuracy/Evaluate");
    REQUIRE(driver.wait(user, [&] { return report(driver, 1) && report(driver, 1)->done > 0; }));
    CHECK(report(driver, 1)->models[0].model == "parity-mimo");
  }));
  CHECK(report(driver, 1)->state == State::running);  // closed while it runs
}

TEST_CASE("accuracy: a model without a task says why, and what to do") {
  app::GuiOptions options;
  options.models = {std::string(TEST_GOLDEN) + "/siso-fp32"};
  Driver driver(options);
  CHECK(driver.run([&](ImGuiTestContext& user) {
    show(driver, user);
    CHECK(user.ItemExists("//Accuracy/Open parity"));
    CHECK_FALSE(user.ItemExists("//Accuracy/Evaluate"));
    driver.picture("accuracy-no-task");
    user.KeyPress(ImGuiKey_E);
    user.Yield(3);
    CHECK(report(driver) == nullptr);
    user.ItemClick("//Accuracy/Open parity");
    CHECK(driver.wait(user, [&] { return driver.workspace().documents.size() == 2 && driver.workspace().ready(); }));
    user.Yield(3);
    CHECK(user.ItemExists("//Accuracy/Evaluate"));
  }));
}
