// A user changes the rotation of the built-in parity model and looks at what it does: list, undo, controls, doses, patches.
#include "app/wiring/interventions.h"

#include "app/viewmodel/in_force.h"
#include "engine/analysis/rotation.h"
#include "tests/gui/driver.h"
#include "tests/support/temporary_folder.h"

#include <doctest/doctest.h>
#include <imgui_internal.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
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
    return !report->running && report->settings == desk(driver).settings(driver.snapshot().interventions) &&
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
    user.ItemClick("**/rotation");
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
    CHECK(zero->order.after == 20);
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

TEST_CASE("interventions: scope sliders choose layers, heads, ranks and tokens") {
  app::GuiOptions options = window(1000, 620);
  options.models = {"austen-mimo"};
  Driver driver(options);
  CHECK(driver.run([&](ImGuiTestContext& user) {
    step(driver, user, 16);
    engine::Intervention by;
    by.quantity = engine::Quantity::rank_write;
    by.value = 0;
    desk(driver).list.edit({by});
    user.Yield(2);
    user.ItemClick("**/$$0/###scope");
    user.SetRef("//$FOCUSED");
    user.ItemInputValue("**/heads/##first", 1);
    user.ItemInputValue("**/heads/##last", 2);
    user.ItemInputValue("**/ranks/##first", 2);
    user.ItemInputValue("**/tokens/##first", 8);
    user.ItemInputValue("**/layers/##first", 1);
    user.ItemInputValue("**/layers/##last", 1);
    const engine::Intervention& now = desk(driver).list.now().at(0);
    CHECK(now.heads == engine::IndexRange{1, 3});
    CHECK(now.ranks == engine::IndexRange{2, -1});
    CHECK(now.tokens == engine::IndexRange{8, -1});
    CHECK(now.layers == engine::IndexRange{1, 2});
    user.ItemClick("**/heads/all");
    CHECK(desk(driver).list.now().at(0).heads == engine::IndexRange{});
    user.KeyPress(ImGuiKey_Escape);
    user.SetRef("//Interventions##filled");
    CHECK(followed(driver, user));
    const auto report = desk(driver).follower->report();
    CHECK(engine::same_as_first(*report->tokens[7], 1));
    CHECK_FALSE(engine::same_as_first(*report->tokens[12], 1));
    // What never comes says so, in its row.
    by.tokens = {99, -1};
    desk(driver).list.edit({by});
    user.Yield(2);
    CHECK(holds(driver.words(user), "its tokens begin at 99, and there are 16"));
  }));
}

TEST_CASE("interventions: the session is stepped with these, on a new branch and on this one, and back") {
  Driver driver(window(1000, 620));
  CHECK(driver.run([&](ImGuiTestContext& user) {
    step(driver, user, 24);
    const auto before = driver.snapshot().tokens;
    driver.workspace().select_token(12);
    user.ItemClick("**/Zero rotation");
    user.ItemClick("**/###step-with");
    user.Yield(2);
    driver.picture("interventions-step-with");
    user.SetRef("//$FOCUSED");
    user.ItemClick("the shown one");
    CHECK(desk(driver).step_from == 12);
    user.ItemClick("###apply");
    CHECK(driver.wait(user, [&] { return driver.snapshot().branches.size() == 2 && driver.tokens() == 24; }));
    REQUIRE(driver.snapshot().interventions.size() == 1);
    CHECK(driver.snapshot().interventions[0].tokens == engine::IndexRange{12, -1});
    CHECK(driver.snapshot().tokens[11] == before[11]);
    CHECK(driver.snapshot().tokens[13]->state->layers[0].ssm != before[13]->state->layers[0].ssm);
    user.SetRef("//Interventions##filled");
    CHECK(desk(driver).use == app::InterventionDesk::Use::branch);
    user.Yield(4);
    CHECK(holds(driver.words(user), "in force · 1"));
    CHECK(followed(driver, user));
    driver.picture("interventions-in-force");

    // The branch's own list is edited in place: one more, off again, taken back.
    user.ItemClick("**/add");
    CHECK(driver.wait(user, [&] { return driver.snapshot().interventions.size() == 2; }));
    user.ItemClick("**/$$1/remove");
    CHECK(driver.wait(user, [&] { return driver.snapshot().interventions.size() == 1; }));
    user.ItemClick("**/clear");
    CHECK(driver.wait(user, [&] { return driver.snapshot().interventions.empty() && driver.tokens() == 24; }));
    user.Yield(2);
    user.ItemClick("**/undo");
    CHECK(driver.wait(user, [&] { return driver.snapshot().interventions.size() == 1; }));
    user.Yield(2);
    user.ItemClick("**/redo");
    CHECK(driver.wait(user, [&] { return driver.snapshot().interventions.empty(); }));
    user.Yield(2);
    user.ItemClick("**/undo");
    CHECK(driver.wait(user, [&] { return driver.snapshot().interventions.size() == 1 && driver.tokens() == 24; }));

    // What runs beside the branch starts from the branch.
    user.ItemClick("**/beside the branch");
    user.ItemClick("**/Zero rotation");
    CHECK(followed(driver, user));
    CHECK(desk(driver).follower->report()->settings.base == driver.snapshot().interventions);
    CHECK(holds(driver.words(user), "in force."));
    user.ItemClick("**/###step-with");
    user.Yield(2);
    user.SetRef("//$FOCUSED");
    user.ItemClick("this branch");
    user.ItemClick("###apply");
    CHECK(driver.wait(user, [&] { return driver.snapshot().interventions.size() == 2; }));
    CHECK(driver.snapshot().branches.size() == 2);
  }));
}

TEST_CASE("interventions: a dose response, a grid of patches and their cancelling") {
  app::GuiOptions options = window(1000, 620);
  options.models = {"austen-siso"};
  Driver driver(options);
  CHECK(driver.run([&](ImGuiTestContext& user) {
    step(driver, user, 48);
    user.ItemClick("**/Zero rotation");
    // Its progress is gone then, and nothing moves under the mouse.
    CHECK(followed(driver, user));
    user.ItemClick("**/dose response");
    user.Yield(2);
    user.ItemClick("**/Measure");
    user.Yield(1);
    REQUIRE(desk(driver).dose != nullptr);
    REQUIRE(desk(driver).dose->running());
    user.ItemClick("**/Cancel");
    CHECK(driver.wait(
        user, [&] { return !desk(driver).dose->running(); }, 4000));
    CHECK(desk(driver).dose->report()->cancelled);
    CHECK_FALSE(desk(driver).dose->report()->error.has_value());
    user.ItemClick("**/patching");
    user.Yield(2);
    desk(driver).donor = "It was";
    desk(driver).patch_after = 2;
    user.ItemClick("**/###pairs");
    user.ItemClick("**/Patch");
    user.Yield(1);
    REQUIRE(desk(driver).patch != nullptr);
    REQUIRE(desk(driver).patch->running());
    user.ItemClick("**/Cancel");
    CHECK(driver.wait(
        user, [&] { return !desk(driver).patch->running(); }, 4000));
    CHECK(desk(driver).patch->report()->cancelled);
  }));
}

TEST_CASE("interventions: a run that was cancelled says so and goes on with a click") {
  Driver driver(window(1000, 620));
  CHECK(driver.run([&](ImGuiTestContext& user) {
    step(driver, user, 40);
    engine::Intervention zero;
    zero.value = 0;
    desk(driver).list.edit({zero});
    CHECK(driver.wait(user, [&] { return desk(driver).follower->report()->tokens.size() == 40; }));
    desk(driver).follower->cancel();
    CHECK(driver.wait(user, [&] { return desk(driver).follower->report()->cancelled; }));
    // Tokens that come are not followed.
    driver.workspace().post(engine::command::Step{10});
    CHECK(driver.wait(user, [&] { return driver.tokens() == 50 && desk(driver).follower->report()->of == 50; }));
    user.Yield(3);
    CHECK(desk(driver).follower->report()->tokens.size() == 40);
    driver.picture("interventions-cancelled");
    user.ItemClick("**/Go on");
    CHECK(driver.wait(user, [&] { return desk(driver).follower->report()->tokens.size() == 50; }));
    CHECK_FALSE(desk(driver).follower->report()->cancelled);
  }));
}

TEST_CASE("interventions: a long run shows how far it is, and Cancel ends it with what was stepped") {
  app::GuiOptions options = window(1000, 620);
  options.models = {"austen-siso"};
  options.backend.choice = engine::BackendChoice::reference;
  Driver driver(options);
  CHECK(driver.run([&](ImGuiTestContext& user) {
    constexpr int tokens = 400;
    CHECK(driver.read(user, 'a', tokens));
    engine::Intervention zero;
    zero.value = 0;
    desk(driver).list.edit({zero});
    CHECK(driver.wait(user, [&] { return user.ItemExists("**/Cancel"); }));
    driver.picture("interventions-running");
    user.ItemClick("**/Cancel");
    CHECK(driver.wait(user, [&] { return desk(driver).follower->report()->cancelled; }));
    const std::size_t stepped = desk(driver).follower->report()->tokens.size();
    CHECK(stepped > 0);
    CHECK(stepped < tokens);
    user.ItemClick("**/Go on");
    CHECK(driver.wait(
        user, [&] { return desk(driver).follower->report()->tokens.size() == tokens; }, 20000));
    CHECK_FALSE(desk(driver).follower->report()->running);
  }));
}

TEST_CASE("interventions: patching from a branch and from a recording, by layers and pairs") {
  const tests::TemporaryFolder folder;
  const std::string file = folder.file("donor.safetensors");
  Driver driver(window(1000, 620));
  CHECK(driver.run([&](ImGuiTestContext& user) {
    step(driver, user, 24);
    driver.workspace().requests.record = file;
    CHECK(driver.wait(user, [&] { return std::filesystem::exists(file); }));
    const std::int32_t other = 1 - driver.snapshot().tokens[3]->id;
    driver.workspace().post(engine::command::EditToken{3, other});
    CHECK(driver.wait(user, [&] { return driver.snapshot().branches.size() == 2 && driver.tokens() == 24; }));
    driver.workspace().select_token(10);
    user.ItemClick("**/patching");
    user.Yield(2);
    user.ItemClick("**/a branch");
    user.Yield(2);
    user.ItemInputValue("**/##donor-at", 10);
    user.ItemClick("**/layers");
    const auto patched = [&] {
      user.ItemClick("**/Patch");
      CHECK(driver.wait(
          user, [&] { return desk(driver).patch && !desk(driver).patch->running(); }, 3000));
      return desk(driver).patch->report();
    };
    const auto by_branch = patched();
    CHECK_FALSE(by_branch->error.has_value());
    CHECK(by_branch->order.donor.size() == 11);
    CHECK(by_branch->order.after == 10);
    REQUIRE(by_branch->grid.effects.size() == 1);
    user.Yield(4);
    CHECK(holds(driver.words(user), "The state of main after token 10"));
    driver.picture("interventions-patching-branch");

    user.ItemClick("**/a recording");
    user.Yield(2);
    desk(driver).donor_path = file;
    const auto known = [&] { return desk(driver).donor_file && desk(driver).donor_file->facts() != nullptr; };
    CHECK(driver.wait(user, known));
    user.Yield(2);
    CHECK(holds(driver.words(user), "24 tokens, recorded without interventions"));
    // The slider ends where the recording does.
    user.ItemInputValue("**/##donor-at", 4000);
    CHECK(desk(driver).donor_at == 23);
    user.ItemInputValue("**/##donor-at", 10);
    user.ItemInputValue("**/##patch-after", 9);
    user.ItemClick("**/shown");
    const auto by_file = patched();
    REQUIRE_FALSE(by_file->error.has_value());
    CHECK(by_file->grid.effects[0].tokens.back().kl_bits == by_branch->grid.effects[0].tokens.back().kl_bits);
    user.ItemClick("**/###pairs");
    CHECK(patched()->grid.effects.size() == 4 * 32);
    user.Yield(4);
    driver.picture("interventions-patching-pairs");
    desk(driver).donor_path = folder.file("none.safetensors");
    CHECK(patched()->error.has_value());
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
      driver.picture("interventions-docked-" + std::to_string(driver.app().surface().size().width));
    }));
  }
}

TEST_CASE("interventions: the views show the turn that was made, not the one that the model would have made") {
  Driver driver(window(1000, 620));
  CHECK(driver.run([&](ImGuiTestContext& user) {
    step(driver, user, 12);
    engine::Intervention half;
    half.value = 0.5;
    half.tokens = {8, -1};
    driver.workspace().post(engine::command::Intervene{{half}});
    CHECK(driver.wait(user, [&] { return !driver.snapshot().interventions.empty() && driver.tokens() == 12; }));
    const engine::Snapshot& now = driver.snapshot();
    double largest = 0;
    for (std::int64_t t = 6; t < 12; ++t) {
      for (int pair = 0; pair < now.model->config().angles(); ++pair) {
        const auto& step = now.tokens[static_cast<std::size_t>(t)]->coefficients;
        // What the angles themselves say, whole turns included.
        const auto angle = [&](std::int64_t i) {
          return engine::accumulated_phase(now.model->config(),
                                           now.tokens[static_cast<std::size_t>(i)]->state->layers[0], 1, pair);
        };
        const double made = engine::phase_increment(now.model->config(), step, 0, 1, pair);
        CHECK(made == doctest::Approx(angle(t) - angle(t - 1)).epsilon(1e-4));
        CHECK((step.pairs != nullptr) == (t >= 8));
        if (t >= 8) largest = std::max(largest, std::abs(made));
      }
    }
    CHECK(largest > 1);
  }));
}
