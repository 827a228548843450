// Sliders of the small size with their value written inside. UI thread only.
#pragma once

#include "app/theme/theme.h"

#include <functional>

namespace app {

// The frame that small sliders share: filled up to `share` of its width; `slider` submits the transparent widget itself.
bool framed_slider(const Theme& theme, float width, float share, const char* tip, const std::function<bool()>& slider);

// A number in [low, high]; logarithmic: both above 0. The value itself may lie outside until it is moved. True when it
// changed.
struct SliderRange {
  double low = 0, high = 1;
  bool logarithmic = false;
};
bool value_slider(const Theme& theme, const char* id, double* value, SliderRange range, const char* format, float width,
                  const char* tip);

}  // namespace app
