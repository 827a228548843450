// Everything that the window shows and the panels change. UI thread only.
#pragma once

#include "app/viewmodel/selection.h"
#include "app/wiring/timing_store.h"
#include "engine/session/session.h"

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace app {

// One open model: its session, its newest snapshot (taken once a frame), its timings. While it opens and when that
// failed, only `name` and `error` say anything.
struct Document {
  std::string name;   // as asked for
  std::string error;  // why it could not be opened; empty while it opens and when it is open
  std::shared_ptr<const engine::Model> model;
  std::unique_ptr<TimingStore> timings;  // outlives the session, whose observer feeds it
  std::unique_ptr<engine::Session> session;
  std::shared_ptr<const engine::Snapshot> snapshot;

  bool is_open() const { return snapshot != nullptr; }
};

// What a panel or an action asks of the shell; the shell clears each once it has done it.
struct Requests {
  std::string open_model;   // name or path
  std::string focus_panel;  // bring this panel's tab to the front
  std::string screenshot;   // write the next frame to this PNG file
  bool redraw = false;       // a motion goes on: draw the next frame at once instead of sleeping
  bool reset_layout = false;
  bool quit = false;
};

struct Workspace {
  std::vector<Document> documents;
  int active = 0;
  Selection selection;
  float ui_scale = 1.0F;
  bool light_theme = false;
  bool show_keys = false, show_palette = false;
  double frame_ms = 0;  // smoothed; for the trust strip
  Requests requests;
  std::string notice;  // one sentence about what just happened, shown for a few seconds

  Document& document() { return documents[static_cast<std::size_t>(active)]; }
  // Whether the active document has a snapshot to draw.
  bool ready() const;
  // The record that the views show: the selected token, else the newest; null before the first token.
  const engine::TokenRecord* shown();
  // Sends a command to the active session, if there is one.
  void post(engine::Command command);
  // Selects a token by position, clamped to those that exist; the newest one is followed.
  void select_token(std::int64_t position);
};

}  // namespace app
