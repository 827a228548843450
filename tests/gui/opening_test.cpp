// Opening models: progress with a way out, paths that are dropped on the window, recent models.
#include "tests/gui/driver.h"
#include "tests/support/temporary_folder.h"

#include <doctest/doctest.h>

#include <filesystem>

using gui_test::Driver;

namespace {

bool holds(const std::string& text, const char* part) { return text.find(part) != std::string::npos; }

}  // namespace

TEST_CASE("a model that is being opened shows how far it is, and can be cancelled") {
  Driver driver;
  app::Document opening;
  opening.name = "large";
  opening.opening.progress = std::make_shared<engine::OpenProgress>();
  opening.opening.begun = std::chrono::steady_clock::now() - std::chrono::seconds(2);
  const auto progress = opening.opening.progress;
  driver.workspace().documents.push_back(std::move(opening));
  driver.workspace().activate(1);
  CHECK(driver.run([&](ImGuiTestContext& user) {
    CHECK(holds(driver.words(user), "Reading its weights"));  // before the size is known
    progress->total = 4'000'000'000;
    progress->bytes = 1'000'000'000;
    driver.picture("opening");
    CHECK(holds(driver.words(user), "1.0 of 4.0 GB"));
    CHECK(holds(driver.words(user), "s left"));
    CHECK_FALSE(progress->cancelled);
    user.ItemClick("//State rotations/###cancel opening");
    user.Yield(2);
    CHECK(progress->cancelled);
  }));
}

TEST_CASE("what is dropped on the window opens, and what was opened is remembered") {
  const tests::TemporaryFolder folder;
  namespace fs = std::filesystem;
  const fs::path copy = folder.path() / "mine";
  fs::copy(fs::path(TEST_GOLDEN) / "siso-1500-tokens", copy);
  Driver driver;
  CHECK(driver.workspace().recent.empty());
  driver.workspace().requests.dropped = {(copy / "config.json").string(), (folder.path() / "none").string()};
  CHECK(driver.run([&](ImGuiTestContext& user) {
    CHECK(driver.wait(user, [&] { return driver.app().opened() && driver.workspace().documents.size() == 3; }));
    CHECK(driver.workspace().documents[1].name == "mine");
    CHECK(driver.workspace().documents[1].is_open());
    REQUIRE(driver.workspace().documents[2].error.has_value());
    CHECK(holds(driver.workspace().documents[2].error->message, "There is no model"));
    CHECK(driver.workspace().recent == std::vector<std::string>{(copy / "model.safetensors").string()});
    driver.workspace().activate(0);
    user.Yield(2);
    user.ItemClick("//Transport/###model");
    user.Yield(2);
    driver.picture("model-menu");
    CHECK(holds(driver.words(user), "Recent"));
    user.ItemClick("//$FOCUSED/mine##1");
    CHECK(driver.workspace().active == 1);
  }));
}
