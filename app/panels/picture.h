// A small picture made of cells, as a texture: for rasters and matrices with thousands of cells. Uploaded only when its
// pixels change. UI thread only, with the GL context current.
#pragma once

#include "app/theme/theme.h"
#include "app/viewmodel/view_key.h"

#include <imgui.h>
#include <implot.h>

#include <cstdint>
#include <vector>

namespace app {

// A GL texture as an item of the current ImPlot plot over these bounds, without smoothing, so that cells stay cells. Its
// first row of pixels lies at y = low.y.
void plot_texture(const char* label, unsigned int texture, ImPlotPoint low, ImPlotPoint high);

class Picture {
 public:
  // Sets the pixels, packed as ImGui colours, row-major (height, width).
  void set(int width, int height, const std::vector<ImU32>& pixels);
  bool empty() const { return width_ == 0; }
  // Whether the pixels have to be set again: the first time, for other values, in another theme, or because the texture
  // went with its context. Takes note of what is asked for, so set them when it says so.
  bool stale(const ViewKey& key, const Theme& theme);
  // See plot_texture().
  void plot(const char* label, ImPlotPoint low, ImPlotPoint high) const;

 private:
  bool current() const;

  ViewKey key_;
  bool light_ = false;
  unsigned int texture_ = 0;
  int width_ = 0, height_ = 0;
  int context_ = -1;  // see gl_context_number()
};

}  // namespace app
