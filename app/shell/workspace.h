// Everything that the window shows and the panels change. UI thread only.
#pragma once

#include "app/viewmodel/selection.h"
#include "app/wiring/timing_store.h"
#include "engine/session/session.h"

#include <memory>
#include <string>
#include <vector>

namespace app {

// One open model: its session, its newest snapshot (taken once a frame), its timings.
struct Document {
  std::shared_ptr<const engine::Model> model;
  std::unique_ptr<TimingStore> timings;  // outlives the session, whose observer feeds it
  std::unique_ptr<engine::Session> session;
  std::shared_ptr<const engine::Snapshot> snapshot;
};

struct Workspace {
  std::vector<Document> documents;
  int active = 0;
  Selection selection;
  float ui_scale = 1.0F;
  bool light_theme = false;
  bool show_keys = false, show_palette = false;
  double frame_ms = 0;  // smoothed; for the trust strip

  Document& document() { return documents[static_cast<std::size_t>(active)]; }
  // The record that the views show: the selected token, else the newest; null before the first token.
  const engine::TokenRecord* shown();
};

}  // namespace app
