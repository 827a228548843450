// Small drawing parts that the panels share: chips, captions, formulas, number columns. UI thread only.
#pragma once

#include "app/panels/panels.h"
#include "app/viewmodel/formula.h"

#include <imgui.h>

#include <string>
#include <string_view>

namespace app {

ImU32 packed(const ImVec4& colour);
ImU32 packed(const ImVec4& colour, float alpha);

// A small toggle that shows whether it is on by a filled background, a coloured frame and a tool tip. True on a click.
bool chip(const Theme& theme, const char* label, bool on, const char* tip = nullptr);
// The same shape for a fact that cannot be clicked.
void fact_chip(const Theme& theme, const char* label, const char* tip = nullptr);
void fact_chip(const Theme& theme, const char* label, const char* tip, const ImVec4& colour);
// A small slider with its value written inside, `width` in pixels. True when the value changed.
bool small_slider(const Theme& theme, const char* id, int* value, int low, int high, const char* format, float width,
                  const char* tip);
// Puts what follows at the right edge of the line where `width` fits, else on a new line.
void align_right(float width);
float chip_width(const char* label);

// Pushes the small text size (words or numbers); pop with ImGui::PopFont().
void push_small(const Theme& theme);
void push_small_numbers(const Theme& theme);
float small_size(const Theme& theme);  // pixels

// A heading above a plot, and a note below one; the note wraps.
void heading(const Theme& theme, std::string_view text, const char* tip = nullptr);
void note(const Theme& theme, std::string_view text);
float note_height(const Theme& theme, std::string_view text, float width);  // pixels, without spacing

// Draws a formula with its live numbers under the symbols; returns its size. With `draw` false it is measured only.
ImVec2 draw_formula(const Theme& theme, const Formula& formula, ImVec2 at, bool draw = true);
// The same as an item in the current layout, in a well; numbers are left out where the width does not hold them.
void formula_well(const Theme& theme, const Formula& formula, const char* tip);

// Horizontal colour scale; the colour of position t in [0, 1] is asked.
void colour_bar(ImDrawList* list, ImVec2 low, ImVec2 high, ImVec4 (*colour)(const Theme&, float), const Theme& theme);
// Of a magnitude from nothing to its largest, and of a signed value about zero in the middle.
ImVec4 magnitude_position(const Theme& theme, float t);
ImVec4 signed_position(const Theme& theme, float t);

// Text clipped to a width with an ellipsis.
std::string shortened(const std::string& text, float width);

}  // namespace app
