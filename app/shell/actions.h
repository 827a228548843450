// Everything that a user can do by key or by name: one list for the keyboard, the key list and the command palette.
// UI thread only.
#pragma once

#include "app/shell/workspace.h"

#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace app {

struct UserAction {
  std::string name;  // "Step one token"
  std::string keys;  // as shown to people: "Space"; empty: palette only
  std::function<void(Workspace&)> run;
};

// The actions that exist now; those of models and panels depend on what is open.
std::vector<UserAction> actions_of(const Workspace& workspace);

// Actions whose name contains every word of `query`, in any case; names that begin with it come first.
std::vector<UserAction> find_actions(const std::vector<UserAction>& actions, std::string_view query);

// Runs what the keys of this frame ask for; nothing while a text field has the focus.
void handle_keys(Workspace& workspace);

}  // namespace app
