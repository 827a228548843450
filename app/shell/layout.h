// Where the panels are: fixed bars on top and at the bottom, a dock space between them with a default arrangement for
// large, medium and small windows. UI thread only.
#pragma once

#include "app/panels/panels.h"

#include <string>
#include <string_view>

namespace app {

// The full name of the docked panel that `name` means ("rotations" is "State rotations"); empty: none.
std::string find_panel(std::string_view name);
// The names of all docked panels, for messages and the palette.
const std::vector<std::string>& panel_names();

class Layout {
 public:
  // Draws every panel into the current frame.
  void draw(PanelContext& context);
  // Back to the default arrangement at the next frame.
  void reset() { rebuild_ = true; }
  // An arrangement of this shape was restored from a file: keep it while the window has that shape.
  void keep_restored(int shape);
  int shape() const { return static_cast<int>(shape_); }
  void focus(const std::string& panel);
  // Draws only this panel, over the whole window; empty: all of them.
  void fill(const std::string& panel) { fill_ = panel; }

 private:
  enum class Shape { wide, medium, small };
  // Draws one bar; returns the height that its content needs.
  float draw_bar(PanelContext& context, const char* name, float y, float height, void (*draw)(PanelContext&));
  // The bars on top and at the bottom; returns where what is between them begins and ends, from the viewport's top.
  ImVec2 draw_bars(PanelContext& context);
  void draw_docked(PanelContext& context);
  // A recorded profile: layers beside its times, nothing else is known of it.
  void draw_recorded(PanelContext& context);
  void draw_filled(PanelContext& context);
  void build(unsigned int dock, ImVec2 size, float scale);

  Shape shape_ = Shape::wide;
  bool rebuild_ = true;
  float transport_height_ = 0;
  std::string focus_, fill_;
  int focus_in_ = 0;  // frames until then: a panel that was just docked has no tab yet
};

}  // namespace app
