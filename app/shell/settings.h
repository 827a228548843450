// What survives a restart: the arrangement of the panels, the scale, the theme and how times are drawn, in one file of the user's
// configuration folder. UI thread only.
#pragma once

#include "app/shell/layout.h"
#include "app/shell/workspace.h"

#include <string>

namespace app {

class Settings {
 public:
  // What Dear ImGui's reader and writer see.
  struct Values {
    Workspace* workspace = nullptr;
    Layout* layout = nullptr;
  };

  // $XDG_CONFIG_HOME/mambascope/layout.ini, else ~/.config/...; empty where neither is known.
  static std::string default_path();

  // Reads the file, if it is there, into Dear ImGui, the workspace and the layout. Before the first frame. An empty path
  // remembers nothing. The workspace and the layout must outlive the Dear ImGui context, and so must this.
  void open(const std::string& path, Workspace& workspace, Layout& layout);
  // Writes the file when something changed; with `now`, in any case.
  void save(bool now);

 private:
  std::string path_;
  Values values_;
};

}  // namespace app
