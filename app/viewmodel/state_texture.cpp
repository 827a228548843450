#include "app/viewmodel/state_texture.h"

#include "app/viewmodel/shown.h"

#include <algorithm>
#include <bit>
#include <cmath>

namespace app {

std::vector<PixelCells> pixel_cells(double from, double to, int pixels, int parts, int cells) {
  std::vector<PixelCells> out;
  const auto all = static_cast<std::int64_t>(parts) * cells;
  const double step = (to - from) / pixels * cells, start = from * cells;
  const auto centre_from = [](double edge) { return static_cast<std::int64_t>(std::ceil(edge - 0.5)); };
  out.reserve(static_cast<std::size_t>(pixels));
  for (int pixel = 0; pixel < pixels; ++pixel) {
    const double low = start + pixel * step;
    // Each pixel begins where the one before ends: one expression for both, so that they agree.
    std::int64_t begin = centre_from(low), end = centre_from(start + (pixel + 1) * step);
    if (begin >= end) {
      begin = static_cast<std::int64_t>(std::floor(low + step / 2));
      end = begin + 1;
    }
    out.push_back({static_cast<std::int32_t>(std::clamp<std::int64_t>(begin, 0, all)),
                   static_cast<std::int32_t>(std::clamp<std::int64_t>(end, 0, all))});
  }
  return out;
}

namespace {

using kernels::block_begin;
using kernels::block_of;

// A stretch of the picture's columns (or rows) inside one head (or layer): cells [begin, end).
struct Stretch {
  int pixel = 0, part = 0, begin = 0, end = 0;
};

// The cells of each pixel along one axis, divided at the borders of parts (heads, layers) of `cells` cells each.
std::vector<Stretch> stretches(double from, double to, int pixels, int parts, int cells) {
  std::vector<Stretch> out;
  int pixel = 0;
  for (const PixelCells& under : pixel_cells(from, to, pixels, parts, cells)) {
    for (int begin = under.begin; begin < under.end;) {
      const int part = begin / cells, border = std::min(under.end, (part + 1) * cells);
      out.push_back({pixel, part, begin - part * cells, border - part * cells});
      begin = border;
    }
    ++pixel;
  }
  return out;
}

// What has been seen of a pixel's cells.
struct Seen {
  std::uint32_t key = 0;
  double squares = 0;
  double cells = 0;
  bool unknown = false;
};

std::uint32_t bits_of(float value) { return std::bit_cast<std::uint32_t>(value); }

void look_at_cells(const StateTexture& texture, const float* head, const Stretch& rows, const Stretch& columns,
                   Seen& seen) {
  for (int p = rows.begin; p < rows.end; ++p) {
    const float* line = head + static_cast<std::size_t>(p) * static_cast<std::size_t>(texture.d_state);
    for (int n = columns.begin; n < columns.end; ++n) {
      seen.key = std::max(seen.key, kernels::magnitude_key(bits_of(line[n])));
      seen.squares += static_cast<double>(line[n]) * static_cast<double>(line[n]);
    }
  }
  seen.cells += (rows.end - rows.begin) * (columns.end - columns.begin);
}

void look_at_tiles(const StateTexture& texture, const kernels::StateTile* head, const Stretch& rows,
                   const Stretch& columns, Seen& seen) {
  const int tile_rows = texture.tiles->rows, tile_columns = texture.tiles->columns;
  const int last_row = block_of(rows.end - 1, tile_rows, texture.headdim);
  const int last_column = block_of(columns.end - 1, tile_columns, texture.d_state);
  for (int row = block_of(rows.begin, tile_rows, texture.headdim); row <= last_row; ++row) {
    const int height = block_begin(row + 1, tile_rows, texture.headdim) - block_begin(row, tile_rows, texture.headdim);
    for (int column = block_of(columns.begin, tile_columns, texture.d_state); column <= last_column; ++column) {
      const int width =
          block_begin(column + 1, tile_columns, texture.d_state) - block_begin(column, tile_columns, texture.d_state);
      const kernels::StateTile& tile = head[static_cast<std::size_t>(row) * static_cast<std::size_t>(tile_columns) +
                                            static_cast<std::size_t>(column)];
      seen.key = std::max(seen.key, kernels::magnitude_key(bits_of(tile.largest)));
      seen.squares += static_cast<double>(tile.rms) * static_cast<double>(tile.rms) * (width * height);
      seen.cells += width * height;
    }
  }
}

const float* head_cells(const StateTexture& texture, int layer, int head) {
  const float* cells = texture.cells[static_cast<std::size_t>(layer)];
  if (cells == nullptr) return nullptr;
  return cells + static_cast<std::size_t>(head) * static_cast<std::size_t>(texture.headdim) *
                     static_cast<std::size_t>(texture.d_state);
}

const kernels::StateTile* head_tiles(const StateTexture& texture, int layer, int head) {
  if (texture.blocks == nullptr) return nullptr;
  const std::size_t index =
      static_cast<std::size_t>(layer) * static_cast<std::size_t>(texture.heads) + static_cast<std::size_t>(head);
  return texture.blocks +
         index * static_cast<std::size_t>(texture.tiles->rows) * static_cast<std::size_t>(texture.tiles->columns);
}

void look(const StateTexture& texture, const Stretch& rows, const Stretch& columns, Seen& seen) {
  if (const float* cells = head_cells(texture, rows.part, columns.part)) {
    look_at_cells(texture, cells, rows, columns, seen);
  } else if (const kernels::StateTile* tiles = head_tiles(texture, rows.part, columns.part)) {
    look_at_tiles(texture, tiles, rows, columns, seen);
  } else {
    seen.unknown = true;
  }
}

float pixel_of(const Seen& seen, StateQuantity quantity) {
  if (seen.cells == 0) return std::bit_cast<float>(seen.unknown ? pixel_unknown : pixel_outside);
  const std::uint32_t bits = kernels::bits_of_key(seen.key);
  const auto value = std::bit_cast<float>(bits);
  if (!std::isfinite(value)) return std::bit_cast<float>(pixel_not_finite);
  if (quantity == StateQuantity::signed_largest) return value;
  if (quantity == StateQuantity::largest) return std::abs(value);
  return static_cast<float>(std::sqrt(seen.squares / seen.cells));
}

bool all_recorded(const engine::Snapshot& snapshot, std::int64_t index) {
  const int layers = snapshot.model->config().n_layer;
  for (int layer = 0; layer < layers; ++layer) {
    if (matrix_at(snapshot, index, layer) == nullptr) return false;
  }
  return layers > 0;
}

// Whether the newest token is what the selection shows.
bool follows(const engine::Snapshot& snapshot, const Selection& selection) {
  return !snapshot.empty() && shown_index(snapshot, selection) == static_cast<std::int64_t>(snapshot.tokens.size()) - 1;
}

void find_largest(StateTexture& texture) {
  if (texture.tiles != nullptr) {  // they are of all layers
    texture.largest = texture.tiles->largest;
    texture.not_finite = !texture.tiles->all_finite;
    return;
  }
  const std::size_t count = static_cast<std::size_t>(texture.heads) * static_cast<std::size_t>(texture.headdim) *
                            static_cast<std::size_t>(texture.d_state);
  constexpr std::uint32_t infinity = 0x7F800000U;
  std::uint32_t largest = 0, all = 0;  // bits of magnitudes order as they do
  for (const float* cells : texture.cells) {
    for (std::size_t i = 0; cells != nullptr && i < count; ++i) {
      const std::uint32_t magnitude = bits_of(cells[i]) & 0x7FFFFFFFU;
      all = std::max(all, magnitude);
      largest = std::max(largest, magnitude < infinity ? magnitude : 0U);
    }
  }
  texture.largest = std::bit_cast<float>(largest);
  texture.not_finite = all >= infinity;
}

}  // namespace

StateTexture make_state_texture(const engine::Snapshot& snapshot, const Selection& selection) {
  StateTexture texture;
  if (snapshot.model == nullptr) return texture;
  const engine::ModelConfig& config = snapshot.model->config();
  texture.layers = config.n_layer;
  texture.heads = config.heads();
  texture.headdim = config.headdim;
  texture.d_state = config.d_state;
  texture.cells.assign(static_cast<std::size_t>(texture.layers), nullptr);
  if (snapshot.empty()) return texture;
  texture.token = shown_index(snapshot, selection);
  if (snapshot.tiles != nullptr && follows(snapshot, selection) && !all_recorded(snapshot, texture.token)) {
    texture.tiles = snapshot.tiles;
    if (!texture.tiles->tiles.empty()) texture.blocks = texture.tiles->tiles.data();
    texture.token = std::min(snapshot.tiles->position - 1, texture.token);
  }
  texture.state = snapshot.tokens[static_cast<std::size_t>(texture.token)]->state;
  for (int layer = 0; layer < texture.layers; ++layer) {
    const engine::LayerState* state = matrix_at(snapshot, texture.token, layer);
    if (state == nullptr) continue;
    texture.cells[static_cast<std::size_t>(layer)] = state->ssm.data();
    ++texture.exact_layers;
  }
  find_largest(texture);
  return texture;
}

bool wants_tiles(const engine::Snapshot& snapshot, const Selection& selection) {
  if (snapshot.model == nullptr || !follows(snapshot, selection)) return false;
  const auto newest = static_cast<std::int64_t>(snapshot.tokens.size());
  if (all_recorded(snapshot, newest - 1)) return false;
  return snapshot.tiles == nullptr || snapshot.tiles->position != newest;
}

void reduce_state(const StateTexture& texture, const StateView& view, int width, int height, StateQuantity quantity,
                  std::vector<float>& pixels) {
  const auto line = static_cast<std::size_t>(width);
  pixels.assign(line * static_cast<std::size_t>(height), std::bit_cast<float>(pixel_outside));
  const std::vector<Stretch> columns = stretches(view.left, view.right, width, texture.heads, texture.d_state);
  const std::vector<Stretch> rows = stretches(view.top, view.bottom, height, texture.layers, texture.headdim);
  std::vector<Seen> seen;
  for (std::size_t first = 0, last = 0; first < rows.size(); first = last) {
    const int y = rows[first].pixel;
    for (last = first; last < rows.size() && rows[last].pixel == y;) ++last;
    float* out = pixels.data() + line * static_cast<std::size_t>(y);
    // A row of pixels inside the same row of cells is the same.
    if (last == first + 1 && first > 0 && rows[first - 1].pixel == y - 1 && rows[first - 1].part == rows[first].part &&
        rows[first - 1].begin == rows[first].begin && rows[first - 1].end == rows[first].end &&
        rows[first].end == rows[first].begin + 1) {
      std::copy(out - line, out, out);
      continue;
    }
    seen.assign(line, {});
    for (std::size_t row = first; row < last; ++row) {
      for (const Stretch& column : columns)
        look(texture, rows[row], column, seen[static_cast<std::size_t>(column.pixel)]);
    }
    std::transform(seen.begin(), seen.end(), out, [&](const Seen& s) { return pixel_of(s, quantity); });
  }
}

bool state_place(const StateTexture& texture, double x, double y, StatePlace& out) {
  if (!(x >= 0) || !(y >= 0) || x >= texture.heads || y >= texture.layers) return false;
  out = {};
  out.head = static_cast<int>(x);
  out.layer = static_cast<int>(y);
  out.channel = std::min(static_cast<int>((x - out.head) * texture.d_state), texture.d_state - 1);
  out.row = std::min(static_cast<int>((y - out.layer) * texture.headdim), texture.headdim - 1);
  if (const float* cells = head_cells(texture, out.layer, out.head)) {
    out.known = out.exact = true;
    out.value = cells[static_cast<std::size_t>(out.row) * static_cast<std::size_t>(texture.d_state) +
                      static_cast<std::size_t>(out.channel)];
    out.rms = std::abs(out.value);
    out.row_begin = out.row;
    out.channel_begin = out.channel;
  } else if (const kernels::StateTile* tiles = head_tiles(texture, out.layer, out.head)) {
    const int row = block_of(out.row, texture.tiles->rows, texture.headdim);
    const int column = block_of(out.channel, texture.tiles->columns, texture.d_state);
    const kernels::StateTile& tile =
        tiles[static_cast<std::size_t>(row) * static_cast<std::size_t>(texture.tiles->columns) +
              static_cast<std::size_t>(column)];
    out.known = true;
    out.value = tile.largest;
    out.rms = tile.rms;
    out.row_begin = block_begin(row, texture.tiles->rows, texture.headdim);
    out.row_end = block_begin(row + 1, texture.tiles->rows, texture.headdim);
    out.channel_begin = block_begin(column, texture.tiles->columns, texture.d_state);
    out.channel_end = block_begin(column + 1, texture.tiles->columns, texture.d_state);
    out.exact = out.row_end == out.row_begin + 1 && out.channel_end == out.channel_begin + 1;
    return true;
  }
  out.row_end = out.row_begin + 1;
  out.channel_end = out.channel_begin + 1;
  return true;
}

double scale_position(double value, double limit, bool logarithmic) {
  if (!(limit > 0)) return 0;
  const double share = std::clamp(value / limit, -1.0, 1.0);
  if (!logarithmic) return share;
  return std::copysign(std::log1p(std::abs(share) / scale_linear_share) / std::log1p(1 / scale_linear_share), share);
}

double scale_value(double position, double limit, bool logarithmic) {
  if (!logarithmic) return position * limit;
  return std::copysign(std::expm1(std::abs(position) * std::log1p(1 / scale_linear_share)) * scale_linear_share * limit,
                       position);
}

double nice_limit(double largest) {
  if (!(largest > 0) || !std::isfinite(largest)) return 1;
  const double unit = std::pow(10.0, std::floor(std::log10(largest)));
  for (const double step : {1.0, 2.0, 5.0}) {
    if (largest <= step * unit * (1 + 1e-9)) return step * unit;
  }
  return 10 * unit;
}

Table state_table(const StateTexture& texture, const StateView& view) {
  constexpr double most_lines = 100000;
  Table table{"state",
              {{"layer", {}},
               {"head", {}},
               {"first row p", {}},
               {"rows", {}},
               {"first channel n", {}},
               {"channels", {}},
               {"value of largest magnitude", {}},
               {"rms", {}}}};
  if (texture.empty()) return table;
  const auto inside = [](double at, int count) { return std::clamp(static_cast<int>(at), 0, count - 1); };
  const int first_layer = inside(view.top, texture.layers), last_layer = inside(view.bottom, texture.layers);
  const int first_head = inside(view.left, texture.heads), last_head = inside(view.right, texture.heads);
  const double heads =
      static_cast<double>(last_layer - first_layer + 1) * static_cast<double>(last_head - first_head + 1);
  int most_rows = texture.headdim, most_columns = texture.d_state;
  while (heads * most_rows * most_columns > most_lines && most_rows * most_columns > 1) {
    (most_rows >= most_columns ? most_rows : most_columns) = (std::max(most_rows, most_columns) + 1) / 2;
  }
  for (int layer = first_layer; layer <= last_layer; ++layer) {
    int rows = most_rows, columns = most_columns;
    if (texture.cells[static_cast<std::size_t>(layer)] == nullptr && texture.tiles != nullptr) {
      rows = std::min(rows, texture.tiles->rows);
      columns = std::min(columns, texture.tiles->columns);
    }
    for (int head = first_head; head <= last_head; ++head) {
      for (int row = 0; row < rows; ++row) {
        const Stretch p{0, layer, block_begin(row, rows, texture.headdim), block_begin(row + 1, rows, texture.headdim)};
        for (int column = 0; column < columns; ++column) {
          const Stretch n{0, head, block_begin(column, columns, texture.d_state),
                          block_begin(column + 1, columns, texture.d_state)};
          Seen seen;
          look(texture, p, n, seen);
          if (seen.cells == 0) continue;
          const double values[] = {static_cast<double>(layer),
                                   static_cast<double>(head),
                                   static_cast<double>(p.begin),
                                   static_cast<double>(p.end - p.begin),
                                   static_cast<double>(n.begin),
                                   static_cast<double>(n.end - n.begin),
                                   static_cast<double>(std::bit_cast<float>(kernels::bits_of_key(seen.key))),
                                   std::sqrt(seen.squares / seen.cells)};
          for (std::size_t i = 0; i < table.columns.size(); ++i) table.columns[i].values.push_back(values[i]);
        }
      }
    }
  }
  return table;
}

}  // namespace app
