// What every roofline draws: the axis of intensities, the roof, and names beside points where there is room. UI thread only;
// between begin_plot and end_plot.
#pragma once

#include "app/theme/theme.h"

#include <imgui_internal.h>

#include <algorithm>
#include <vector>

namespace app {

// Ticks at 1, 2 and 5 of each decade, or at whole decades where that would be too many.
void setup_intensities(double low, double high);

// Puts names beside their points where nothing else stands; one that finds no room is left to the tool tip.
class Labels {
 public:
  explicit Labels(const ImRect& area) : area_(area) {}
  void keep_clear(const ImRect& taken) { taken_.push_back(taken); }
  bool taken(const ImRect& wanted) const {
    return std::any_of(taken_.begin(), taken_.end(), [&](const ImRect& r) { return r.Overlaps(wanted); });
  }
  bool place(ImVec2 point, ImVec2 size, float distance, ImVec2& at) {
    const float row = 0.55F * size.y;
    for (int ring = 0; ring < 5; ++ring) {
      for (const float side : {1.0F, -1.0F}) {
        for (const float sign : {-1.0F, 1.0F}) {
          const float x = side > 0 ? point.x + distance : point.x - distance - size.x;
          const float y = point.y - size.y / 2 + sign * static_cast<float>(ring) * row;
          const ImRect wanted(x, y, x + size.x, y + size.y);
          const bool inside = area_.Contains(wanted);
          if (!inside || taken(wanted)) continue;
          taken_.push_back(wanted);
          at = wanted.Min;
          return true;
        }
      }
    }
    return false;
  }

  // Right of the point alone, as near below its height as there is room, else above: names that are placed from the highest point
  // on keep its order. Far ones need a line to their point.
  bool place_right(ImVec2 point, ImVec2 size, float distance, ImVec2& at) {
    for (const float sign : {1.0F, -1.0F}) {
      for (int ring = 0; ring < 20; ++ring) {
        const float x = point.x + distance, y = point.y - size.y / 2 + sign * static_cast<float>(ring) * 0.5F * size.y;
        const ImRect wanted(x, y, x + size.x, y + size.y);
        if (!area_.Contains(wanted) || taken(wanted)) continue;
        taken_.push_back(wanted);
        at = wanted.Min;
        return true;
      }
    }
    return false;
  }

 private:
  ImRect area_;
  std::vector<ImRect> taken_;
};

// The roof: the copy rate up to the fp32 peak, and its words where nothing else stands. 0: not known, and not drawn.
void draw_roof(const Theme& theme, double copy_gb_per_s, double peak_gflop_per_s, Labels& labels);

}  // namespace app
