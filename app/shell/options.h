// What the command line asks of the window.
#pragma once

#include "app/shell/surface.h"
#include "app/wiring/evaluation.h"
#include "engine/backend/backend.h"
#include "engine/model/model.h"

#include <cstdint>
#include <string>
#include <vector>

namespace app {

// The page that runs the parity bench before the screenshot.
inline constexpr const char* parity_page = "parity";

struct GuiOptions {
  std::vector<std::string> models;      // each opens a document
  std::string preset;                   // opens one with random weights of a released shape; empty: none
  std::vector<std::string> profiles;    // recorded ones; each opens a document, too
  std::vector<std::string> recordings;  // of tokens; the same
  bool offscreen = false;
  int steps = 0;           // tokens to step before the screenshot
  double fps = 0;          // frames a second offscreen, as a display would show; 0: with every token, at most 60
  std::string screenshot;  // PNG file; empty: none
  std::string summary;     // JSON file of what was done and measured; empty: none
  std::string trace;       // Chrome trace JSON of the stages; empty: none
  std::string panel;       // brought to the front
  // One of discretisation_pages, intervention_pages or timing_pages; empty: each panel's first.
  std::string page;
  std::vector<std::string>
      changes;        // interventions, as text: beside the first model, or with the page in-force its own
  int scroll = 0;     // frames in which the page of all tokens, or the table of records, is scrolled through and timed
  bool fill = false;  // `panel` alone over the whole window
  bool evaluate = false;  // measure the first model's accuracy before the screenshot
  EvaluationChoice evaluation;
  std::string plant;  // a sign that the parity bench turns in every candidate, TENSOR[I]; empty: none
  SurfaceSize size{1600, 1000};
  float ui_scale = 0;  // 0: the monitor's
  bool light = false;
  bool share_gpu = true;        // what the GPU computed and shows stays there, where one GPU does both
  bool remember_layout = true;  // read and write the layout file; never offscreen
  std::uint64_t seed = 0;
  std::uint64_t history_mb = 0;  // that each model's history may take; 0: the session's default
  engine::BackendOptions backend;
  engine::LoadOptions load;
};

}  // namespace app
