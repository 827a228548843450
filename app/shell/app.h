// The program with its window: owns the surface, the Dear ImGui context, the workspace and the frame. Tests drive the
// same class frame by frame. UI thread only.
#pragma once

#include "app/shell/documents.h"
#include "app/shell/file_dialog.h"
#include "app/shell/frame_stats.h"
#include "app/shell/layout.h"
#include "app/shell/options.h"
#include "app/shell/palette.h"
#include "app/shell/settings.h"
#include "app/shell/surface.h"
#include "app/shell/workspace.h"
#include "app/theme/theme.h"

#include <chrono>
#include <memory>
#include <string>
#include <utility>

namespace app {

// The panel that the options bring to the front, by its whole name; empty: none.
std::string asked_panel(const GuiOptions& options);
// The panel that --page is of; empty: there is no page, or no panel to choose.
std::string panel_of_page(const GuiOptions& options);

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
  // Whether every model that was asked for is open or has failed.
  bool opened() const { return !opener_.busy(); }

  // The program that measures in a second process; tests name another.
  void set_program(std::string path) { program_ = std::move(path); }

  Workspace& workspace() { return workspace_; }
  Layout& layout() { return layout_; }
  Surface& surface() { return *surface_; }
  FrameStats& frame_stats() { return frame_stats_; }

 private:
  using Clock = std::chrono::steady_clock;

  explicit App(const GuiOptions& options);
  void apply_theme();
  void take_snapshots();
  void serve_requests();
  void refuse_without_weights();  // what recorded tokens cannot do, with the reason
  void serve_record();
  void serve_evaluation();
  void serve_effect();
  void serve_retention();
  void serve_parity();
  void serve_measurements();
  void serve_interventions();
  void draw();
  void draw_notice();
  bool wait_for_pause(Clock::time_point latest);
  void take_screenshot();

  GuiOptions options_;
  std::string program_ = "/proc/self/exe";
  std::unique_ptr<Surface> surface_;
  Workspace workspace_;
  Theme theme_;
  Layout layout_;
  Palette palette_;
  Settings settings_;
  FrameStats frame_stats_;
  DocumentOpener opener_;
  FileDialog dialog_;
  std::string noticed_;  // the notice that is on show
  Clock::time_point notice_ends_{};
};

}  // namespace app
