// The discretisation error of the selected head over the last tokens, small, beside the predictions.
#include "app/panels/empty_state.h"
#include "app/panels/error_plot.h"
#include "app/panels/parts.h"
#include "app/viewmodel/shown.h"
#include "app/viewmodel/view_key.h"
#include "app/wiring/first_focus.h"

#include <algorithm>

namespace app {

void draw_errors(PanelContext& context) {
  static ViewKey key;
  static ErrorSeries series;
  Workspace& workspace = context.workspace;
  const Theme& theme = context.theme;
  keep_first_focus(workspace);
  const engine::Snapshot& snapshot = *workspace.document().snapshot;
  if (snapshot.empty()) {
    if (draw_empty_state(theme, "No token yet",
                         "Each step's error under the linear interpolant of its input appears here.", "Step")) {
      workspace.post(engine::command::Step{});
    }
    return;
  }
  const std::int64_t index = shown_index(snapshot, workspace.selection);
  const ViewKey now{&snapshot, snapshot.version, index, workspace.selection, 0};
  if (!(now == key)) {
    series = make_error_series(snapshot, workspace.selection, index, 64);
    key = now;
  }
  frame_chips(context);
  const ImVec2 space = ImGui::GetContentRegionAvail();
  if (!series.any) {
    note(theme,
         "No error is known for these tokens: the first has no interpolant, and of the others the records were dropped "
         "or, where they were prefilled, never made.");
    return;
  }
  const std::string caption = error_caption(series, workspace.selection.frame, true);
  const float height = note_height(theme, caption, space.x) + ImGui::GetStyle().ItemSpacing.y;
  draw_error_plot(context, "##errors", series, index, {space.x, std::max(space.y - height, 50 * theme.scale)});
  note(theme, caption);
}

}  // namespace app
