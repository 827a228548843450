// The few widgets that several panels share. They draw into the current window. UI thread only.
#pragma once

#include "app/panels/parts.h"
#include "app/theme/theme.h"

#include <string_view>

namespace app {

// Lays items out from left to right and begins a new row where the next one has no room.
class Flow {
 public:
  explicit Flow(float gap) : gap_(gap) {}
  // Call before each item, with its width.
  void place(float width);
  // Puts what follows, `width` wide, at the right end: of this row if it fits, else of a new one.
  void place_right(float width);

 private:
  float gap_;
  bool first_ = true;
};

float button_width(std::string_view label);
// A button that looks like what it is: the one thing to do next.
bool primary_button(const Theme& theme, const char* label);
// Words in a rounded frame; not clickable.
void chip(const Theme& theme, std::string_view text, const ImVec4& colour);
// Words that act like a link.
bool link(const Theme& theme, const char* label);
// Text in the face of numbers.
void numbers(const Theme& theme, const ImVec4& colour, std::string_view text);
// A tool tip with the given text while the last item is hovered.
void tooltip(std::string_view text);

}  // namespace app
