// Interventions in the background: a run over the tokens that is cancelled and goes on, and what a donor's file says.
#include "app/wiring/interventions.h"

#include "tests/support/recorded.h"
#include "tests/support/temporary_folder.h"
#include "tests/support/wait_for.h"

#include <doctest/doctest.h>

#include <fstream>
#include <memory>
#include <vector>

using tests::wait_for;

namespace {

std::shared_ptr<const engine::Model> parity() {
  auto model = engine::load_model("parity");
  REQUIRE(model.has_value());
  return *model;
}

}  // namespace

TEST_CASE("a counterfactual over the tokens is cancelled within a token and goes on where it was") {
  const auto model = parity();
  app::InterventionSettings settings;
  settings.list.resize(1);
  settings.list.front().value = 0;
  settings.controls = 0;
  std::vector<std::int32_t> ids(20000);
  for (std::size_t i = 0; i < ids.size(); ++i) ids[i] = static_cast<std::int32_t>(i * i % 2);
  app::InterventionFollower follower(model, {engine::BackendChoice::cpu, 1, {}});
  follower.want(settings, ids);
  REQUIRE(wait_for([&] { return !follower.report()->tokens.empty(); }));
  CHECK(follower.report()->of == ids.size());
  follower.cancel();
  REQUIRE(wait_for([&] { return follower.report()->cancelled; }));
  const auto cancelled = follower.report();
  CHECK_FALSE(cancelled->running);
  CHECK(cancelled->tokens.size() < ids.size());
  CHECK(cancelled->done() < 1);
  // More tokens of the text do not begin it again; the same list does not, either.
  ids.resize(cancelled->tokens.size() + 40);
  follower.want(settings, ids);
  REQUIRE(wait_for([&] { return follower.report()->of == ids.size(); }));
  CHECK(follower.report()->cancelled);
  CHECK(follower.report()->tokens.size() == cancelled->tokens.size());
  follower.go_on();
  REQUIRE(wait_for([&] { return follower.report()->tokens.size() == ids.size() && !follower.report()->running; }));
  const auto whole = follower.report();
  CHECK_FALSE(whole->cancelled);
  CHECK(whole->done() == 1);
  CHECK(whole->tokens.front() == cancelled->tokens.front());  // it went on
  // Another list begins anew, cancelled or not.
  follower.cancel();
  REQUIRE(wait_for([&] { return follower.report()->cancelled; }));
  settings.list.front().value = 0.5;
  follower.want(settings, ids);
  REQUIRE(wait_for([&] {
    const auto report = follower.report();
    return report->settings == settings && report->tokens.size() == ids.size() && !report->running;
  }));
  CHECK_FALSE(follower.report()->cancelled);
}

TEST_CASE("a donor's file says how long it is and what it was recorded under, or why it is none") {
  const tests::TemporaryFolder folder;
  const auto snapshot = tests::fake_snapshot({}, std::vector<std::int32_t>(37, 1));
  engine::RecordingInfo info = tests::info_of(*snapshot);
  info.interventions.resize(1);
  info.interventions.front().value = 0.5;
  tests::write_recording(*snapshot, info, folder.file("a.safetensors"));
  std::ofstream(folder.file("b.safetensors")) << "nothing";
  app::DonorFile donor({});
  CHECK(donor.facts() == nullptr);
  donor.want(folder.file("a.safetensors"));
  REQUIRE(wait_for([&] { return donor.facts() != nullptr; }));
  CHECK(donor.facts()->error.empty());
  CHECK(donor.facts()->tokens == 37);
  CHECK(donor.facts()->interventions == info.interventions);
  donor.want(folder.file("b.safetensors"));
  REQUIRE(wait_for([&] { return donor.facts() != nullptr; }));
  CHECK_FALSE(donor.facts()->error.empty());
  CHECK(donor.facts()->tokens == 0);
  donor.want("");
  CHECK(donor.facts() == nullptr);
}
