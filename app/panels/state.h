// What the parts of the whole-state panel share: its settings, the derived picture, and where it is looked at. UI thread
// only; included by state*.cpp alone.
#pragma once

#include "app/panels/panels.h"
#include "app/panels/picture.h"
#include "app/viewmodel/state_texture.h"
#include "app/viewmodel/view_key.h"

#include <imgui.h>

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

namespace app {

struct StateSettings {
  StateQuantity quantity = StateQuantity::signed_largest;
  bool logarithmic = true;
};

struct StateData {
  ViewKey key;
  const engine::Snapshot* snapshot = nullptr;
  StateTexture texture;
  double limit = 1;                      // of the colour scale; at least texture.largest
  StateView view;                        // as shown in the last frame
  ImVec2 shown;                          // its pixels
  std::optional<StateView> wanted;       // to be shown in the next
  const engine::Model* model = nullptr;  // that the view is of
};

// Pixels and legend of the picture.
class StateImage {
 public:
  // The picture of data.view on width x height pixels, and no finer than cells are; made again only when something
  // changed.
  void update(const Theme& theme, const StateData& data, const StateSettings& settings, int width, int height);
  void plot() const;
  // Milliseconds that the last making took.
  double milliseconds() const { return milliseconds_; }

 private:
  struct Made {
    ViewKey key;
    StateView view;
    StateQuantity quantity = StateQuantity::signed_largest;
    bool logarithmic = false;
    double limit = 0;
    int width = 0, height = 0;
    bool operator==(const Made&) const = default;
  };
  Made made_;
  int revision_ = 0;
  // Colours by the upper 16 bits of a value: sign, exponent and 7 bits below the leading one.
  std::vector<ImU32> colours_;
  ImVec4 coloured_for_;  // the theme's well
  Made coloured_;
  std::vector<float> values_;
  std::vector<ImU32> pixels_;
  Picture picture_;
  double milliseconds_ = 0;
};

// Bar with the values of its colours, and in words what a pixel shows. One line.
void draw_state_legend(const Theme& theme, const StateData& data, const StateSettings& settings);
// Borders, names, numbers in cells and the selection, over the picture. Inside the plot.
void draw_state_marks(const Theme& theme, const StateData& data, const StateSettings& settings,
                      const Selection& selection);
ImVec4 state_colour(const Theme& theme, const StateSettings& settings, double position);
ImVec2 state_head_pixels(const StateData& data);  // size of a head's tile

}  // namespace app
