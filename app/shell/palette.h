// The two overlays: the command palette, which finds any action by its name, and the list of keys. UI thread only.
#pragma once

#include "app/panels/panels.h"
#include "app/shell/actions.h"

#include <string>

namespace app {

class Palette {
 public:
  // Draws whichever of them the workspace shows.
  void draw(PanelContext& context);

 private:
  void draw_palette(PanelContext& context);
  void draw_keys(PanelContext& context);

  std::string query_;
  int chosen_ = 0;
  bool was_open_ = false;
  std::vector<UserAction> actions_;
};

}  // namespace app
