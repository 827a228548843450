// What the parts of the whole-state panel share: its settings, the derived picture, and where it is looked at. UI thread
// only; included by state*.cpp alone.
#pragma once

#include "app/panels/panels.h"
#include "app/panels/picture.h"
#include "app/panels/state_shader.h"
#include "app/viewmodel/state_texture.h"
#include "app/viewmodel/view_key.h"

#include <imgui.h>

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
  std::vector<kernels::StateTile> read;  // of blocks that lie on the GPU alone, where somebody asked for their values
};

// The picture of data.view, no finer than cells are; made again only when something changed.
class StateImage {
 public:
  engine::Result<void> update(const Theme& theme, const StateData& data, const StateSettings& settings, int width,
                              int height);
  void plot() const;
  StateShader& shader() { return shader_; }
  const StateShader& shader() const { return shader_; }

 private:
  StateShader shader_;
  StatePicture made_;
  StateColours colours_;
  // What the colours were made for.
  StateQuantity coloured_ = StateQuantity::signed_largest;
  bool light_ = false, has_colours_ = false;
};

// Bar with the values of its colours, and in words what a pixel shows. One line.
void draw_state_legend(const Theme& theme, const StateData& data, const StateSettings& settings);
// Borders, names, numbers in cells and the selection, over the picture. Inside the plot.
void draw_state_marks(const Theme& theme, const StateData& data, const StateSettings& settings,
                      const Selection& selection);
ImVec4 state_colour(const Theme& theme, const StateSettings& settings, double position);
ImVec2 state_head_pixels(const StateData& data);  // size of a head's tile

}  // namespace app
