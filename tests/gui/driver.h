// Drives the real application, offscreen, frame by frame, with Dear ImGui's test engine as its user.
#pragma once

#include "app/shell/app.h"

#include <imgui_te_context.h>
#include <imgui_te_engine.h>

#include <functional>
#include <memory>
#include <string>

namespace gui_test {

// Why no window can be drawn here; empty: it can.
const std::string& why_no_surface();

class Driver {
 public:
  // Opens the application on these models (default: the built-in parity) and waits until they are open or have failed.
  explicit Driver(app::GuiOptions options = {});
  ~Driver();
  Driver(const Driver&) = delete;
  Driver& operator=(const Driver&) = delete;

  app::App& app() { return *app_; }
  app::Workspace& workspace() { return app_->workspace(); }
  const engine::Snapshot& snapshot() { return *workspace().document().snapshot; }
  std::int64_t tokens() { return static_cast<std::int64_t>(snapshot().tokens.size()); }

  // Runs `user` as a test of the engine. False: an item was missing or couldn't be used, or it took too long.
  bool run(const std::function<void(ImGuiTestContext&)>& user);
  // Draws frames until `done`, at most `limit` of them; for use inside and outside of run.
  bool wait(ImGuiTestContext& context, const std::function<bool()>& done, int limit = 600);
  void frames(int count);
  // Gives the active model a text of so many equal tokens and waits until all are stepped, or prefilled where it does that.
  // Whether they are.
  bool read(ImGuiTestContext& context, std::int32_t id, int count);
  // The words of the next frame, tool tips among them; not those that a panel draws itself, without an item.
  std::string words(ImGuiTestContext& context);
  // Clicks an item of a window, or of a child by its path, and draws the frames after it.
  void choose(ImGuiTestContext& context, const std::string& window, const char* item);
  // For people: writes the next frame as NAME.png into the folder MAMBASCOPE_TEST_PICTURES, where that is set.
  void picture(const std::string& name);

 private:
  std::unique_ptr<app::App> app_;
  ImGuiTestEngine* engine_ = nullptr;
  int runs_ = 0;
  bool listening_ = false;
  std::string heard_;
};

}  // namespace gui_test
