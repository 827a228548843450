// The program's faces, made once per Dear ImGui context. Glyphs are rasterised when first drawn, at any size, so that a
// change of scale costs nothing here. UI thread only.
#pragma once

#include "app/theme/theme.h"

namespace app {

// Font heights in pixels at 100 %.
inline constexpr float base_font_size = 15.0F;

// Adds the faces to the current context and names them in the theme. Each face falls back for glyphs it lacks (Greek,
// arrows, subscripts, norms): the other text face, Latin Modern Math, then, where the system has them, a font of Chinese,
// Japanese and Korean (fonts-wqy-microhei; fonts-droid-fallback has no Korean) and DejaVu Sans.
void load_fonts(Theme& theme);

}  // namespace app
