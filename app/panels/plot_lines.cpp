#include "app/panels/plot_lines.h"

#include "app/panels/parts.h"

#include <implot.h>

#include <algorithm>
#include <cmath>

namespace app {

void draw_dashed(std::span<const double> x, std::span<const double> y, const ImVec4& colour, float weight, float dash) {
  ImDrawList* list = ImPlot::GetPlotDrawList();
  const ImVec2 low = ImPlot::GetPlotPos(), extent = ImPlot::GetPlotSize();
  ImPlot::PushPlotClipRect();
  float along = 0;  // pixels since the first point: dashes go on over corners
  for (std::size_t i = 1; i < std::min(x.size(), y.size()); ++i) {
    if (!std::isfinite(x[i - 1]) || !std::isfinite(y[i - 1]) || !std::isfinite(x[i]) || !std::isfinite(y[i])) continue;
    const ImVec2 from = ImPlot::PlotToPixels(x[i - 1], y[i - 1]), to = ImPlot::PlotToPixels(x[i], y[i]);
    const float length = std::hypot(to.x - from.x, to.y - from.y);
    const bool outside = std::max(from.x, to.x) < low.x || std::min(from.x, to.x) > low.x + extent.x;
    // Zoomed far in, a segment is longer than anybody sees.
    if (!(length > 0) || length > 1e5F || outside) continue;
    const float first = -std::fmod(along, 2 * dash);
    const int dashes = static_cast<int>((length - first) / (2 * dash)) + 1;
    for (int i_dash = 0; i_dash < dashes; ++i_dash) {
      const float at = first + 2 * dash * static_cast<float>(i_dash);
      const float begin = std::max(at, 0.0F) / length, end = std::min(at + dash, length) / length;
      if (end <= begin) continue;
      list->AddLine({from.x + (to.x - from.x) * begin, from.y + (to.y - from.y) * begin},
                    {from.x + (to.x - from.x) * end, from.y + (to.y - from.y) * end}, packed(colour), weight);
    }
    along += length;
  }
  ImPlot::PopPlotClipRect();
}

}  // namespace app
