// A user compares the backends at the shown token: empty states, a run, a click on a cell, a turned sign that is found, a run
// that is cancelled, and one that is of another token.
#include "app/wiring/parity.h"

#include "engine/intervention/intervention.h"
#include "tests/gui/driver.h"

#include <doctest/doctest.h>

using gui_test::Driver;

namespace {

using State = app::ParityProgressReport::State;

std::shared_ptr<const app::ParityProgressReport> report(Driver& driver) {
  const auto& job = driver.workspace().document().parity;
  return job ? job->report() : nullptr;
}

bool ended(Driver& driver, ImGuiTestContext& user) {
  return driver.wait(
      user, [&] { return report(driver) && report(driver)->state != State::running; }, 4000);
}

void show(Driver& driver, ImGuiTestContext& user) {
  driver.workspace().requests.focus_panel = "Parity";
  user.Yield(4);
}

void step(Driver& driver, ImGuiTestContext& user, int count) {
  const auto wanted = driver.tokens() + count;
  driver.workspace().post(engine::command::Step{count});
  REQUIRE(driver.wait(user, [&] { return driver.tokens() == wanted; }));
}

app::GuiOptions on(const char* model) {
  app::GuiOptions options;
  options.models = {model};
  return options;
}

}  // namespace

TEST_CASE("parity: before the first token it says so; one click compares, and a click on a cell selects its layer") {
  Driver driver(on("modular-brackets"));
  CHECK(driver.run([&](ImGuiTestContext& user) {
    show(driver, user);
    CHECK_FALSE(user.ItemExists("//Parity/Compare backends"));
    driver.picture("parity-no-token");
    step(driver, user, 6);
    user.Yield(2);
    driver.picture("parity-empty");
    user.ItemClick("//Parity/Compare backends");
    REQUIRE(ended(driver, user));
    const auto found = report(driver);
    CHECK(found->state == State::done);
    CHECK_FALSE(found->error.has_value());
    CHECK(found->bench.pass());
    CHECK(found->bench.tokens == 6);
    CHECK(driver.tokens() == 6);  // the session was left alone
    user.Yield(3);
    driver.picture("parity-done");
    user.Yield(2);
    REQUIRE(driver.workspace().document().config().n_layer > 1);
    user.ItemClick("//Parity/**/layer 1 ssm");
    CHECK(driver.workspace().selection.layer == 1);
    CHECK(driver.workspace().parity.cell == static_cast<int>(engine::parity_cell_index(
                                                driver.workspace().document().config(), 1, engine::ParityTensor::ssm)));
    user.ItemClick("//Parity/after the text");
    CHECK_FALSE(driver.workspace().parity.step);
    user.ItemClick("//Parity/✓ reference, prefilled");
    CHECK(driver.workspace().parity.candidate == 2);
    user.Yield(2);
    driver.picture("parity-prefill");
    user.Yield(2);
    // Of another token than the one that is shown by now.
    step(driver, user, 1);
    user.Yield(2);
    CHECK(report(driver)->bench.tokens == 6);
    CHECK(driver.words(user).find("token 6 is shown; this is of token 5") != std::string::npos);
    user.ItemClick("//Parity/Compare backends");
    REQUIRE(driver.wait(user, [&] { return driver.workspace().document().parity->question().ids.size() == 7; }));
    REQUIRE(ended(driver, user));
    CHECK(report(driver)->bench.tokens == 7);
  }));
}

TEST_CASE("parity: a turned sign is found, and what is no weight is said") {
  Driver driver(on("modular-brackets"));
  CHECK(driver.run([&](ImGuiTestContext& user) {
    show(driver, user);
    step(driver, user, 4);
    user.Yield(2);
    driver.workspace().parity.plant = "layers.1.mixer.B_bias[3]";
    user.ItemClick("//Parity/Compare backends");
    REQUIRE(ended(driver, user));
    const auto found = report(driver);
    REQUIRE_FALSE(found->bench.rows.empty());
    REQUIRE(found->bench.rows[0].begins() != nullptr);
    CHECK(found->bench.rows[0].begins()->layer == 1);
    CHECK(found->bench.rows[0].begins()->tensor == engine::ParityTensor::k);
    user.Yield(3);
    driver.picture("parity-planted");
    CHECK(driver.words(user).find("is wrong from layer 1 k on") != std::string::npos);
    user.ItemClick("//Parity/**/layer 1 k");
    CHECK(driver.workspace().selection.layer == 1);
    user.ItemInputValue("//Parity/##plant", "layers.9.mixer.D[0]");
    user.ItemClick("//Parity/Compare backends");
    REQUIRE(driver.wait(
        user, [&] { return report(driver)->error.has_value(); }, 4000));
    user.Yield(2);
    driver.picture("parity-no-such-weight");
    CHECK(driver.words(user).find("no tensor") != std::string::npos);
  }));
}

TEST_CASE("parity: Cancel ends a long run, its complete rows stay, and the window may close while it runs") {
  Driver driver(on("modular-brackets"));
  CHECK(driver.run([&](ImGuiTestContext& user) {
    show(driver, user);
    step(driver, user, 600);
    user.Yield(2);
    user.ItemClick("//Parity/Compare backends");
    REQUIRE(driver.wait(user, [&] { return report(driver) && report(driver)->done > 0; }));
    user.Yield(1);
    driver.picture("parity-running");
    user.ItemClick("//Parity/Cancel");
    REQUIRE(ended(driver, user));
    CHECK(report(driver)->state == State::cancelled);
    CHECK_FALSE(report(driver)->bench.pass());
    user.Yield(2);
    user.ItemClick("//Parity/Compare backends");
    REQUIRE(driver.wait(user, [&] { return report(driver)->state == State::running; }));
  }));
}
