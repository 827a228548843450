// The state of the whole model as one picture: layers down, heads across, each head's P x N cells in the stored frame.
// Where a token's record does not hold a layer's matrix state, its blocks stand in (engine::StateTiles). Pure, no ImGui.
//
// A view is an area of that picture in units of heads and layers, and is reduced to pixels: a cell belongs to the pixel
// that its centre lies in, so every cell counts once; where pixels are finer than cells, a pixel shows the cell under its
// own centre.
#pragma once

#include "app/viewmodel/selection.h"
#include "app/viewmodel/table.h"
#include "engine/session/snapshot.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

namespace app {

// What a pixel shows of the cells under it: the value of largest magnitude, with its sign or without, or the root of
// their mean square.
enum class StateQuantity : std::uint8_t { signed_largest, largest, rms };

struct StateTexture {
  int layers = 0, heads = 0, headdim = 0, d_state = 0;
  std::int64_t token = -1;  // after which it is; -1: nothing is known
  // By layer: all cells (H, P, N), or null.
  std::vector<const float*> cells;
  std::shared_ptr<const engine::SequenceState> state;  // that holds them
  std::shared_ptr<const engine::StateTiles> tiles;     // of that token; null: none
  const kernels::StateTile* blocks = nullptr;          // their values; null: there are none on the host
  int exact_layers = 0;                                // with all cells
  float largest = 0;                                   // |h| over all that is known and finite
  bool not_finite = false;                             // something is not

  bool empty() const { return exact_layers == 0 && tiles == nullptr; }
  std::size_t cell_count() const {
    return static_cast<std::size_t>(layers) * static_cast<std::size_t>(heads) * static_cast<std::size_t>(headdim) *
           static_cast<std::size_t>(d_state);
  }
};

// Of the token that the selection shows. While the newest is followed and its layers were not all recorded, the token
// that the snapshot's tiles are of.
StateTexture make_state_texture(const engine::Snapshot& snapshot, const Selection& selection);
// Whether tiles of the newest token would show more than there is.
bool wants_tiles(const engine::Snapshot& snapshot, const Selection& selection);

struct StateView {
  double left = 0, right = 1, top = 0, bottom = 1;  // heads, layers
  bool operator==(const StateView&) const = default;
};

// Values that are no value: as NaN, told apart by their upper 16 bits.
inline constexpr std::uint32_t pixel_outside = 0x7FD00000U;     // of the picture
inline constexpr std::uint32_t pixel_unknown = 0x7FE00000U;     // not recorded
inline constexpr std::uint32_t pixel_not_finite = 0x7FC00000U;  // a cell is infinite or NaN

// The cells whose centres lie in each of `pixels` pixels between two places on an axis of `parts` heads or layers, or the
// one cell under a pixel's own centre. Cells are counted through all parts; an empty stretch lies outside.
struct PixelCells {
  std::int32_t begin = 0, end = 0;
};
std::vector<PixelCells> pixel_cells(double from, double to, int pixels, int parts, int cells);

// What each pixel shows, as a value: what the picture's shader is held to. Row-major (height, width); the top row first.
void reduce_state(const StateTexture& texture, const StateView& view, int width, int height, StateQuantity quantity,
                  std::vector<float>& pixels);

// One place of the picture: a cell, or the block that stands for it.
struct StatePlace {
  int layer = 0, head = 0, row = 0, channel = 0;  // the cell
  bool known = false, exact = false;              // exact: `value` is the cell's own
  float value = 0, rms = 0;                       // of the cell, or of the block
  int row_end = 0, channel_end = 0;               // of the block [row_begin, row_end) x [channel_begin, channel_end)
  int row_begin = 0, channel_begin = 0;
};
// x in heads, y in layers. False: outside.
bool state_place(const StateTexture& texture, double x, double y, StatePlace& out);

// Position of a value on the colour scale that ends at `limit`, in [-1, 1]; logarithmic: sign(v) log(1 + |v| / c) over its
// value at the limit, with c = limit / 1000, so that it is linear around zero.
inline constexpr double scale_linear_share = 1e-3;  // c over the limit
double scale_position(double value, double limit, bool logarithmic);
double scale_value(double position, double limit, bool logarithmic);  // the inverse
// The next of 1, 2, 5 times a power of ten, not below.
double nice_limit(double largest);

// What the view shows, as blocks that are as fine as there is room for: at most about 100,000 lines.
Table state_table(const StateTexture& texture, const StateView& view);

}  // namespace app
