// A user changes the rotation of the built-in parity model and looks at what it does: list, undo, controls, doses, patches.
#include "app/wiring/interventions.h"

#include "tests/gui/driver.h"

#include <doctest/doctest.h>
#include <imgui_internal.h>

#include <string>

using gui_test::Driver;

namespace {

app::GuiOptions window(int width, int height, bool fill = true) {
  app::GuiOptions options;
  options.models = {"parity"};
  options.size = {width, height};
  options.panel = "Interventions";
  options.fill = fill;
  return options;
}

bool holds(const std::string& text, const char* part) { return text.find(part) != std::string::npos; }

app::InterventionDesk& desk(Driver& driver) { return *driver.workspace().document().interventions; }

void step(Driver& driver, ImGuiTestContext& user, int count) {
  driver.workspace().post(engine::command::Step{count});
  CHECK(driver.wait(user, [&] { return driver.tokens() == count; }));
  user.SetRef("//Interventions##filled");
  user.Yield(3);
}

// Until the follower has stepped all tokens with the list as it is.
bool followed(Driver& driver, ImGuiTestContext& user) {
  return driver.wait(user, [&] {
    if (!desk(driver).follower) return false;
    const auto report = desk(driver).follower->report();
    return !report->running && report->settings == desk(driver).settings() &&
           (report->settings.list.empty() || static_cast<std::int64_t>(report->tokens.size()) == driver.tokens());
  });
}

}  // namespace

TEST_CASE("interventions: a preset answers, the text grows, undo and redo, rows come and go") {
  Driver driver(window(1000, 620));
  CHECK(driver.run([&](ImGuiTestContext& user) {
    step(driver, user, 64);
    CHECK(holds(driver.words(user), "Nothing is changed"));
    user.ItemClick("**/Zero rotation");
    CHECK(followed(driver, user));
    REQUIRE(desk(driver).list.now().size() == 1);
    CHECK(desk(driver).list.now()[0].value == 0);
    auto report = desk(driver).follower->report();
    CHECK_FALSE(report->error.has_value());
    CHECK(report->tokens.size() == 64);
    int wrong = 0;
    for (std::size_t t = 0; t < 64; ++t) {
      const engine::EffectToken& token = *report->tokens[t];
      REQUIRE(token.sequences.size() == 4);
      CHECK(token.id == driver.snapshot().tokens[t]->id);
      CHECK(token.sequences[0].predicted == driver.snapshot().tokens[t]->predicted);
      wrong += token.sequences[1].predicted != driver.snapshot().tokens[t]->truth ? 1 : 0;
    }
    CHECK(wrong > 16);
    MESSAGE("64 tokens of parity, two controls: " << report->ms << " ms");
    user.Yield(4);
    driver.picture("interventions-zero");

    // What is stepped afterwards is followed; what was stepped is not stepped again.
    const auto before = report->tokens[10];
    driver.workspace().post(engine::command::Step{8});
    CHECK(driver.wait(user, [&] { return driver.tokens() == 72; }));
    CHECK(followed(driver, user));
    report = desk(driver).follower->report();
    CHECK(report->tokens.size() == 72);
    CHECK(report->tokens[10] == before);

    user.ItemClick("**/Reverse it");
    CHECK(desk(driver).list.now()[0].value == -1);
    user.ItemClick("**/undo");
    CHECK(desk(driver).list.now()[0].value == 0);
    user.ItemClick("**/redo");
    CHECK(desk(driver).list.now()[0].value == -1);
    user.ItemClick("**/add");
    CHECK(desk(driver).list.now().size() == 2);
    user.ItemClick("**/$$0/copy");
    CHECK(desk(driver).list.now().size() == 3);
    CHECK(desk(driver).list.now()[1].value == -1);
    user.ItemClick("**/$$1/remove");
    CHECK(desk(driver).list.now().size() == 2);
    user.ItemClick("**/step");
    CHECK(desk(driver).kind == engine::ControlKind::step);
    CHECK(followed(driver, user));
    user.ItemClick("**/turn");
    CHECK(desk(driver).kind == engine::ControlKind::rotation);
    CHECK(followed(driver, user));
    user.ItemClick("**/clear");
    CHECK(desk(driver).list.now().empty());
    CHECK(followed(driver, user));
    CHECK(holds(driver.words(user), "Nothing is changed"));
  }));
}

TEST_CASE("interventions: a dose response is measured beside its controls") {
  Driver driver(window(1000, 620));
  CHECK(driver.run([&](ImGuiTestContext& user) {
    step(driver, user, 64);
    user.ItemClick("**/Zero rotation");
    user.ItemClick("**/dose response");
    user.Yield(2);
    user.ItemClick("**/Measure");
    CHECK(driver.wait(
        user, [&] { return desk(driver).dose && !desk(driver).dose->running(); }, 3000));
    const auto report = desk(driver).dose->report();
    REQUIRE(report->dose.size() == 14);
    CHECK(report->dose.front().counterfactual.kl_bits == 0);
    CHECK(report->dose.back().counterfactual.accuracy() < 0.8);
    user.Yield(4);
    driver.picture("interventions-dose");
  }));
}

TEST_CASE("interventions: patching shows the head that holds the parity") {
  Driver driver(window(1000, 620));
  CHECK(driver.run([&](ImGuiTestContext& user) {
    step(driver, user, 24);
    driver.workspace().select_token(20);
    user.ItemClick("**/patching");
    user.Yield(2);
    desk(driver).donor = "0";
    user.ItemClick("**/Patch");
    CHECK(driver.wait(
        user, [&] { return desk(driver).patch && !desk(driver).patch->running(); }, 3000));
    const auto zero = desk(driver).patch->report();
    CHECK(zero->grid.effects.size() == 4);
    CHECK(zero->patched_after == 20);
    desk(driver).donor = "1";
    user.ItemClick("**/Patch");
    CHECK(driver.wait(
        user, [&] { return !desk(driver).patch->running(); }, 3000));
    const auto one = desk(driver).patch->report();
    const auto answers = [](const app::MeasureReport& r) { return r.grid.reference.donor_answer.back(); };
    CHECK(answers(*zero) != answers(*one));  // the donors' parities differ
    user.Yield(4);
    driver.picture("interventions-patching");
    desk(driver).donor = "2x";
    user.ItemClick("**/Patch");
    CHECK_FALSE(desk(driver).donor_error.empty());
  }));
}

TEST_CASE("interventions: in the docked workspace of both usual sizes") {
  for (const auto& [width, height] : {std::pair{1599, 1000}, std::pair{1280, 720}}) {
    Driver driver(window(width, height, false));
    CHECK(driver.run([&](ImGuiTestContext& user) {
      driver.workspace().post(engine::command::Step{64});
      CHECK(driver.wait(user, [&] { return driver.tokens() == 64 && driver.workspace().document().interventions; }));
      user.SetRef("//Interventions");
      user.Yield(4);
      user.ItemClick("**/Zero rotation");
      CHECK(followed(driver, user));
      user.Yield(4);
      driver.picture("interventions-docked-" + std::to_string(width));
    }));
  }
}
