// Relative errors of the three rules over tokens, on a logarithmic axis: drawn small beside the predictions and
// large in the discretisation panel. UI thread only.
#pragma once

#include "app/panels/panels.h"
#include "app/viewmodel/rule_errors.h"

#include <imgui.h>

#include <string>

namespace app {

ImVec4 colour_of(const Theme& theme, Rule rule);
// What the open model's own rule is called: "model's λ", or "λ = 1 override" where task.json fixes it.
std::string name_of_model_rule(const PanelContext& context);
// Chips that choose the frame, shared by the views that name it.
void frame_chips(PanelContext& context);
// Of one step, or carried over all tokens so far.
enum class ErrorKind : std::uint8_t { local, accumulated };
// `shown` is the token to mark.
void draw_error_plot(PanelContext& context, const char* id, const ErrorSeries& series, std::int64_t shown, ImVec2 size,
                     ErrorKind kind = ErrorKind::local);
// What the errors are relative to, and a warning where turns are fast in the un-rotated frame.
std::string error_caption(const ErrorSeries& series, Frame frame, bool brief);

}  // namespace app
