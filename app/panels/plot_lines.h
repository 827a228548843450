// Lines that ImPlot does not draw by itself. Between begin_plot and end_plot, UI thread only.
#pragma once

#include <imgui.h>

#include <span>

namespace app {

// A dashed line through the points, without an entry in the legend; a coordinate that is not finite interrupts it. Axes
// may be logarithmic.
void draw_dashed(std::span<const double> x, std::span<const double> y, const ImVec4& colour, float weight, float dash);

}  // namespace app
