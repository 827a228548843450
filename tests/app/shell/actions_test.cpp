#include "app/shell/actions.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <set>

TEST_CASE("actions are found by all words of a query, in any case and order") {
  const app::Workspace workspace;
  const auto actions = app::actions_of(workspace);
  CHECK(app::find_actions(actions, "").size() == actions.size());
  const auto found = app::find_actions(actions, "TOKEN next");
  REQUIRE(found.size() == 1);
  CHECK(found[0].name == "Select the next token");
  CHECK(app::find_actions(actions, "no such action").empty());
  // Names that begin with the first word come first.
  CHECK(app::find_actions(actions, "step")[0].name.rfind("Step", 0) == 0);
}

TEST_CASE("action names are unique and every action can be run without a model") {
  app::Workspace workspace;
  std::set<std::string> names;
  for (const app::UserAction& action : app::actions_of(workspace)) {
    CHECK_MESSAGE(names.insert(action.name).second, action.name);
    action.run(workspace);
  }
  CHECK(workspace.requests.quit);
}
