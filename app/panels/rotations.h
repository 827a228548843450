// What the parts of the state-rotations panel share: its settings and the values derived from one snapshot and one
// selection. UI thread only; included by rotations*.cpp alone.
#pragma once

#include "app/panels/panels.h"
#include "app/viewmodel/formula.h"
#include "app/viewmodel/phasors.h"
#include "app/viewmodel/raster.h"
#include "app/viewmodel/turns.h"
#include "app/viewmodel/view_key.h"

#include <imgui.h>

#include <string>
#include <vector>

namespace app {

// What the place of the phasors shows, and the places beside it.
enum class PhasorPane : std::uint8_t { plane, space };
enum class TurnPane : std::uint8_t { turns, find };
enum class MemoryPane : std::uint8_t { envelope, retention };

struct RotationsSettings {
  int trail = 24;               // tokens
  bool colour_by_phase = true;  // else by pair
  bool root_radius = false;     // distance from the origin is sqrt |z| instead of |z|: small phasors become visible
  bool keys = false;            // the last token's keys of the selected pair, one of each rank
  int window = 96;              // tokens of rasters, memory and concentrations
  PhasorPane phasors = PhasorPane::plane;
  TurnPane turns = TurnPane::turns;
  MemoryPane memory = MemoryPane::envelope;
  std::string find = "half a turn";  // what is searched for
  int pane = 1;                      // which of turns, find, memory, retention, state a low panel shows
  int tiny_pane = 0;                 // which of phases and those a panel lower still shows
  TurnOrder order = TurnOrder::turn;
  bool descending = true;
};

// Everything that the parts draw; made again only when its key changes.
struct RotationsData {
  ViewKey key;
  const engine::Snapshot* snapshot = nullptr;
  std::int64_t index = -1;
  Selection selection;
  PhasorView phasors;
  PhaseRaster raster;
  MemoryView memory;
  StateMatrix matrix;
  std::vector<TurnRow> turns;
  Formula formula;
};

void draw_phasors(PanelContext& context, const RotationsData& data, const RotationsSettings& settings, ImVec2 size);
// The selected pair's way through Re, Im and tokens.
void draw_pair_space(PanelContext& context, const RotationsData& data, ImVec2 size);
// Pairs of all layers and heads by what they do at the token.
void draw_pair_search(PanelContext& context, const RotationsData& data, RotationsSettings& settings, ImVec2 size);
// What is left of a token's contribution: from the coefficients, and measured.
void draw_retention(PanelContext& context, const RotationsData& data, ImVec2 size);
void draw_phase_raster(PanelContext& context, const RotationsData& data, ImVec2 size);
void draw_memory(PanelContext& context, const RotationsData& data, ImVec2 size);
void draw_state_matrix(PanelContext& context, const RotationsData& data, ImVec2 size);
void draw_turn_table(PanelContext& context, const RotationsData& data, RotationsSettings& settings, ImVec2 size);

}  // namespace app
