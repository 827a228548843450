// Sets a formula (app/viewmodel/mathematics.h) with the window's own faces: indices and powers small, fractions with a
// bar, live numbers under the symbols. UI thread only.
#pragma once

#include "app/theme/theme.h"
#include "app/viewmodel/mathematics.h"

#include <imgui.h>

namespace app {

// Around the formula's baseline, in pixels.
struct MathSize {
  float width = 0, above = 0, below = 0;
  float height() const { return above + below; }
};
// `size`: of a symbol, pixels.
MathSize measure_math(const Theme& theme, const Math& formula, float size);
// Draws it with its upper left corner there. Every symbol with a meaning becomes an item of the current window that tells
// it; `id` is the first part of the items' names, which go on with the symbol: "ID:λ", the second one "ID:λ#2".
MathSize draw_math(const Theme& theme, const char* id, const Math& formula, ImVec2 at, float size);

}  // namespace app
