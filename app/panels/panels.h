// One function per panel. Each draws into the current Dear ImGui window from a snapshot, and posts commands or moves
// the selection; none keeps model data, none waits. UI thread only. The shell calls them only while the active document
// has a snapshot (it draws the welcome, opening and failed states itself); all of them draw a designed empty state
// (empty_state.h) before the first token.
#pragma once

#include "app/shell/workspace.h"
#include "app/theme/theme.h"

namespace app {

struct PanelContext {
  Workspace& workspace;
  const Theme& theme;
};

void draw_transport(PanelContext& context);
void draw_closed_transport(PanelContext& context);  // while the active document is not open: only the choice of models
void draw_branches(PanelContext& context);          // where there are several: which, and one beside the current one
void draw_token_strip(PanelContext& context);
// Of a recorded profile, which has neither tokens' meanings nor heads: wall times, and layers as stacks of stages.
void draw_recorded_strip(PanelContext& context);
void draw_recorded_layers(PanelContext& context);
void draw_model_map(PanelContext& context);
void draw_inspector(PanelContext& context);
void draw_rotations(PanelContext& context);
void draw_state(PanelContext& context);  // of the whole model, as one picture
void draw_discretisation(PanelContext& context);
void draw_interventions(PanelContext& context);  // what changes to the step do, beside controls of the same size
void draw_accuracy(PanelContext& context);       // over positions of the model's task, measured in the background
void draw_parity(PanelContext& context);  // backends beside the reference, per layer and tensor, in the background
void draw_predictions(PanelContext& context);
void draw_errors(PanelContext& context);  // discretisation error over tokens, small, beside the predictions
void draw_timings(PanelContext& context);
void draw_trust_strip(PanelContext& context);

}  // namespace app
