// The program with its window: owns the surface, the Dear ImGui context, the workspace and the frame. Tests drive the
// same class frame by frame. UI thread only.
#pragma once

#include "app/shell/layout.h"
#include "app/shell/options.h"
#include "app/shell/surface.h"
#include "app/shell/workspace.h"
#include "app/theme/theme.h"

#include <memory>

namespace app {

class App {
 public:
  // Opens the surface and starts opening the models. Error: no surface (system).
  static engine::Result<std::unique_ptr<App>> open(const GuiOptions& options);
  ~App();
  App(const App&) = delete;
  App& operator=(const App&) = delete;

  // Takes the newest snapshots, draws one frame and shows it.
  void frame();
  // Until the window is closed: draws when something happened, sleeps otherwise.
  void run();

  Workspace& workspace() { return workspace_; }
  Layout& layout() { return layout_; }
  Surface& surface() { return *surface_; }

 private:
  explicit App(const GuiOptions& options);
  void apply_theme();

  GuiOptions options_;
  std::unique_ptr<Surface> surface_;
  Workspace workspace_;
  Theme theme_;
  Layout layout_;
};

}  // namespace app
