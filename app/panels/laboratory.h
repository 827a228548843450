// The test-signal part of the discretisation panel: its controls and figures. UI thread only; included by
// discretisation*.cpp and lab_*.cpp alone.
#pragma once

#include "app/panels/panels.h"
#include "app/viewmodel/lab_difference.h"
#include "app/viewmodel/laboratory.h"

#include <imgui.h>
#include <implot.h>

#include <string>

namespace app {

// The same colour, shape and name for a rule in all figures.
ImVec4 rule_colour(const Theme& theme, engine::RuleKind kind);
ImPlotMarker rule_marker(engine::RuleKind kind);
std::string rule_label(const PanelContext& context, const LabSettings& settings, engine::RuleKind kind);

// `roomy`: every rule has a chip of its own, else they are in a list that opens.
void draw_lab_controls(PanelContext& context, LabSettings& settings, const HeadValues& head, bool roomy);

void draw_paths_in_time(PanelContext& context, const LabStudy& study, ImVec2 size);
// Rule minus exact over time.
void draw_differences(PanelContext& context, const LabStudy& study, const LabDifference& difference, ImVec2 size);
void draw_paths_in_plane(PanelContext& context, const LabStudy& study, ImVec2 size);
enum class LabError : std::uint8_t { local, global };
void draw_lab_errors(PanelContext& context, const LabStudy& study, LabError which, ImVec2 size);

}  // namespace app
