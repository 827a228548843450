// Draws the whole state's picture on the GPU that shows it: values lie in buffers, and a fragment shader finds for each
// pixel the value of largest magnitude or the rms of the cells and blocks under it (what a pixel is: viewmodel/state_texture.h),
// its place on the scale, and its colour in a table. Nothing is coloured or reduced on the host; only what changed goes to
// the GPU, and blocks that the same GPU has computed do not pass through the host at all (wiring/shared_tiles.h).
// UI thread only, with the GL context current.
#pragma once

#include "app/viewmodel/state_texture.h"
#include "app/wiring/shared_tiles.h"

#include <imgui.h>

#include <array>
#include <cstdint>
#include <memory>
#include <vector>

namespace app {

// Colours by position on the scale: [-1, 1] for signed values, else [0, 1]; then those of what is no value.
struct StateColours {
  static constexpr int entries = 513;
  std::array<ImU32, entries> scale{};
  ImU32 outside = 0, unknown = 0, not_finite = 0;
  bool operator==(const StateColours&) const = default;
};

struct StatePicture {
  StateView view;
  int width = 0, height = 0;  // pixels
  StateQuantity quantity = StateQuantity::signed_largest;
  bool logarithmic = false;
  double limit = 1;  // of the scale
  bool operator==(const StatePicture&) const = default;
};

class StateShader {
 public:
  StateShader() = default;
  StateShader(const StateShader&) = delete;
  StateShader& operator=(const StateShader&) = delete;
  ~StateShader() = default;  // its objects go with their context

  // Makes the picture anew where anything changed. Blocks that a GPU left in its memory are brought behind the frame (see
  // gl_context.h): the next picture is of them. Error (system): the driver refuses the shader, or a copy failed.
  engine::Result<void> draw(const StateTexture& texture, const StatePicture& picture, const StateColours& colours);
  unsigned int picture() const { return picture_; }  // a GL texture, RGBA8; the first row of pixels lies at v = 0

  // Whether blocks that this backend's GPU made can stay there: it is the one that draws.
  static bool shares_with(const engine::BackendInfo& backend);
  // These blocks as they lie in the GPU's buffer; empty while others do. Waits for it.
  std::vector<kernels::StateTile> read_blocks(const engine::StateTiles& tiles) const;
  // The pixels of the last picture, packed as ImGui's colours, the first row first; for tests.
  std::vector<ImU32> read_pixels() const;

 private:
  struct Buffer {
    unsigned int buffer = 0, texture = 0;
    std::size_t bytes = 0;
  };
  struct BlockBuffer : Buffer {
    std::unique_ptr<SharedBuffer> shared;  // the same for CUDA; null: not written by it
  };

  engine::Result<void> begin();
  void release();  // what CUDA knows of the context
  static void make(Buffer& buffer, unsigned int format, std::size_t bytes, const void* data);
  void bring_cells(const StateTexture& texture, const StateView& view);
  engine::Result<void> bring_blocks(const StateTexture& texture);
  engine::Result<void> take(const std::shared_ptr<const engine::StateTiles>& tiles);
  void bring_pixels(const StateTexture& texture, const StatePicture& picture);
  void bring_colours(const StateColours& colours);
  void render(const StateTexture& texture, const StatePicture& picture);

  std::shared_ptr<StateShader*> self_ = std::make_shared<StateShader*>(this);  // for who may outlive it
  int context_ = -1;
  unsigned int program_ = 0, vertices_ = 0, frame_ = 0, picture_ = 0, colours_ = 0;
  std::array<int, 8> uniforms_{};
  Buffer cells_, slots_, across_, down_;
  std::array<BlockBuffer, 2> blocks_;  // they take turns: one is written while the other may still be read
  std::size_t blocks_now_ = 0;
  // What lies there.
  std::size_t layer_cells_ = 0;
  std::vector<int> slot_of_layer_;                                           // -1: none
  std::vector<std::shared_ptr<const engine::SequenceState>> state_of_slot_;  // whose cells; null: nobody's
  std::vector<int> layer_of_slot_;
  std::shared_ptr<const engine::StateTiles> tiles_;
  engine::Result<void> brought_;  // how bringing blocks behind a frame went the last time
  std::array<int, 4> shape_{};
  StatePicture drawn_;
  StateColours coloured_;
  bool stale_ = true;
};

}  // namespace app
