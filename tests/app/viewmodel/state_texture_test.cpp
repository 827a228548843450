// The whole state as one picture: every cell in one pixel, blocks and cells agreeing, and what is not there said so.
#include "app/viewmodel/state_texture.h"

#include "kernels/state_tiles/state_tiles.h"
#include "tests/support/bits.h"
#include "tests/support/fake_snapshot.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

namespace {

std::uint32_t bits(float value) { return std::bit_cast<std::uint32_t>(value); }

// A texture of random cells that the test owns.
struct Made {
  app::StateTexture texture;
  std::vector<std::vector<float>> cells;
};

Made make(int layers, int heads, int headdim, int d_state) {
  Made made;
  made.texture.layers = layers;
  made.texture.heads = heads;
  made.texture.headdim = headdim;
  made.texture.d_state = d_state;
  made.texture.token = 0;
  std::uint64_t seed = 5;
  for (int l = 0; l < layers; ++l) {
    std::vector<float>& layer = made.cells.emplace_back(static_cast<std::size_t>(heads * headdim * d_state));
    for (float& cell : layer) {
      seed = seed * 6364136223846793005U + 1442695040888963407U;
      cell = static_cast<float>(static_cast<std::int64_t>(seed >> 40U)) / 1e6F - 8;
    }
  }
  for (const auto& layer : made.cells) made.texture.cells.push_back(layer.data());
  made.texture.exact_layers = layers;
  return made;
}

std::shared_ptr<const engine::StateTiles> tiles_of(const Made& made, int rows, int columns) {
  auto tiles = std::make_shared<engine::StateTiles>();
  const app::StateTexture& t = made.texture;
  tiles->rows = rows;
  tiles->columns = columns;
  tiles->position = 1;
  const auto layer_tiles = static_cast<std::size_t>(t.heads * rows * columns);
  std::vector<kernels::StateTile> all(layer_tiles * made.cells.size());
  for (std::size_t l = 0; l < made.cells.size(); ++l) {
    kernels::StateTilesArgs<float> args;
    args.heads = t.heads;
    args.headdim = t.headdim;
    args.d_state = t.d_state;
    args.rows = rows;
    args.columns = columns;
    args.h = made.cells[l].data();
    args.tiles = all.data() + l * layer_tiles;
    kernels::state_tiles(args);
  }
  tiles->hold(std::move(all));
  return tiles;
}

std::vector<float> pixels_of(const app::StateTexture& texture, const app::StateView& view, int width, int height,
                             app::StateQuantity quantity) {
  std::vector<float> pixels;
  app::reduce_state(texture, view, width, height, quantity, pixels);
  return pixels;
}

}  // namespace

TEST_SUITE("app/viewmodel/state_texture") {
  TEST_CASE(
      "the picture from a reduced copy has the bits of the picture from all cells, where pixels are whole blocks") {
    for (const auto& [layers, heads, headdim, d_state] : {std::tuple{3, 4, 64, 128}, {1, 2, 32, 64}, {2, 3, 24, 40}}) {
      const Made made = make(layers, heads, headdim, d_state);
      app::StateTexture reduced = made.texture;
      std::fill(reduced.cells.begin(), reduced.cells.end(), nullptr);
      reduced.exact_layers = 0;
      reduced.tiles = tiles_of(made, 8, 8);
      reduced.blocks = reduced.tiles->tiles.data();
      const app::StateView all{0, static_cast<double>(heads), 0, static_cast<double>(layers)};
      for (const int per_block : {1, 2, 4}) {  // blocks in a pixel
        const int width = heads * 8 / per_block, height = layers * 8 / per_block;
        for (const auto quantity : {app::StateQuantity::signed_largest, app::StateQuantity::largest}) {
          const auto full = pixels_of(made.texture, all, width, height, quantity);
          CHECK(tests::same_bits(full, pixels_of(reduced, all, width, height, quantity)));
          CHECK(std::isfinite(full.front()));
        }
        const auto full = pixels_of(made.texture, all, width, height, app::StateQuantity::rms);
        const auto few = pixels_of(reduced, all, width, height, app::StateQuantity::rms);
        for (std::size_t i = 0; i < full.size(); ++i) CHECK(few[i] == doctest::Approx(full[i]).epsilon(1e-6));
      }
    }
  }

  TEST_CASE("every cell counts in exactly one pixel, whatever the view") {
    const Made made = make(2, 3, 16, 24);
    std::vector<float> ones(static_cast<std::size_t>(3 * 16 * 24));
    app::StateTexture counting = made.texture;
    for (const int width : {7, 31, 72, 100}) {
      // One cell is large and all others zero: it is in one pixel, and that one lies under it.
      for (std::size_t cell = 0; cell < ones.size(); cell += 13) {
        std::fill(ones.begin(), ones.end(), 0.0F);
        ones[cell] = 1;
        counting.cells = {ones.data(), made.cells[1].data()};
        const app::StateView top{0, 3, 0, 1};
        const auto pixels = pixels_of(counting, top, width, 11, app::StateQuantity::largest);
        const auto lit = std::count(pixels.begin(), pixels.end(), 1.0F);
        // Pixels finer than cells repeat one: 72 cells lie across.
        CHECK(lit >= 1);
        if (width <= 72) CHECK(lit == 1);
        const double x = (static_cast<double>(cell / (16 * 24)) + (static_cast<double>(cell % 24) + 0.5) / 24) / 3;
        const double y = (static_cast<double>(cell % (16 * 24) / 24) + 0.5) / 16;
        const auto at =
            static_cast<std::size_t>(y * 11) * static_cast<std::size_t>(width) + static_cast<std::size_t>(x * width);
        CHECK(pixels[at] == 1.0F);
      }
    }
  }

  TEST_CASE("zoomed in a pixel shows the cell under it; outside, unknown and not finite are told apart") {
    Made made = make(2, 2, 8, 8);
    made.cells[0][8 * 8 + 3 * 8 + 5] = -7.5F;  // head 1, p 3, n 5
    made.cells[0][0] = std::numeric_limits<float>::infinity();
    made.texture.cells[1] = nullptr;
    const double x = 1 + 5.0 / 8, y = 3.0 / 8;
    const auto zoomed =
        pixels_of(made.texture, {x, x + 1.0 / 8, y, y + 1.0 / 8}, 20, 10, app::StateQuantity::signed_largest);
    CHECK(std::all_of(zoomed.begin(), zoomed.end(), [](float v) { return v == -7.5F; }));
    const auto all = pixels_of(made.texture, {-1, 3, -1, 3}, 32, 32, app::StateQuantity::signed_largest);
    CHECK(bits(all[0]) == app::pixel_outside);
    CHECK(bits(all[8 * 32 + 8]) == app::pixel_not_finite);
    CHECK(bits(all[17 * 32 + 12]) == app::pixel_unknown);
    app::StatePlace place;
    REQUIRE(app::state_place(made.texture, x + 0.01, y + 0.01, place));
    CHECK(place.exact);
    CHECK(place.value == -7.5F);
    CHECK(place.row == 3);
    CHECK(place.channel == 5);
    REQUIRE(app::state_place(made.texture, 0.5, 1.5, place));
    CHECK_FALSE(place.known);
    CHECK_FALSE(app::state_place(made.texture, 2.0, 0.5, place));
    CHECK_FALSE(app::state_place(made.texture, std::nan(""), 0.5, place));
  }

  TEST_CASE("scales: ends, zero, sign and inverse; limits are 1, 2 or 5 times a power of ten") {
    for (const bool logarithmic : {false, true}) {
      CHECK(app::scale_position(0, 4, logarithmic) == 0);
      CHECK(app::scale_position(4, 4, logarithmic) == doctest::Approx(1));
      CHECK(app::scale_position(-9, 4, logarithmic) == doctest::Approx(-1));
      for (const double value : {-3.0, -0.01, 1e-5, 0.4, 2.0})
        CHECK(app::scale_value(app::scale_position(value, 4, logarithmic), 4, logarithmic) == doctest::Approx(value));
      CHECK(app::scale_position(1, 0, logarithmic) == 0);
    }
    CHECK(app::scale_position(0.04, 4, true) > 0.3);  // a hundredth of the limit is well seen
    CHECK(app::nice_limit(0.31) == doctest::Approx(0.5));
    CHECK(app::nice_limit(2) == doctest::Approx(2));
    CHECK(app::nice_limit(70) == doctest::Approx(100));
    CHECK(app::nice_limit(0) == 1);
    CHECK(app::nice_limit(std::nan("")) == 1);
  }

  TEST_CASE("a snapshot's picture: recorded cells, tiles where they are not, and nothing invented for older tokens") {
    tests::FakeShape shape;
    shape.layers = 2;
    const auto whole = tests::fake_snapshot(shape, {1, 0, 1});
    app::Selection selection;
    app::StateTexture texture = app::make_state_texture(*whole, selection);
    CHECK(texture.exact_layers == 2);
    CHECK(texture.token == 2);
    CHECK_FALSE(app::wants_tiles(*whole, selection));
    float largest = 0;
    for (const auto& layer : whole->tokens[2]->state->layers)
      for (const float v : layer.ssm) largest = std::max(largest, std::abs(v));
    CHECK(texture.largest == largest);

    shape.record_matrix = false;
    const auto bare = tests::fake_snapshot(shape, {1, 0, 1});
    CHECK(app::make_state_texture(*bare, selection).empty());
    CHECK(app::wants_tiles(*bare, selection));
    auto tiles = std::make_shared<engine::StateTiles>();
    tiles->rows = tiles->columns = 2;
    tiles->position = 2;  // one token behind
    tiles->hold(std::vector<kernels::StateTile>(static_cast<std::size_t>(2 * bare->model->config().heads() * 4),
                                                kernels::StateTile{-3, 1}));
    tiles->largest = 3;
    bare->tiles = tiles;
    texture = app::make_state_texture(*bare, selection);
    CHECK(texture.token == 1);
    CHECK(texture.largest == 3);
    CHECK(app::wants_tiles(*bare, selection));
    tiles->position = 3;
    CHECK_FALSE(app::wants_tiles(*bare, selection));
    CHECK_FALSE(app::state_table(texture, {0, 1, 0, 1}).columns[0].values.empty());
    selection.token = 0;
    CHECK(app::make_state_texture(*bare, selection).empty());
    CHECK_FALSE(app::wants_tiles(*bare, selection));
    CHECK(app::make_state_texture(engine::Snapshot{}, selection).empty());
  }

  TEST_CASE("exported blocks cover what is seen, as finely as there is room for") {
    const Made made = make(2, 2, 16, 24);
    const app::Table table = app::state_table(made.texture, {0.2, 0.9, 1.1, 1.8});
    REQUIRE(table.columns[0].values.size() == 16 * 24);  // one head, all cells
    CHECK(table.columns[0].values.front() == 1);
    CHECK(table.columns[6].values[25] == static_cast<double>(made.cells[1][25]));
    const Made large = make(24, 16, 64, 128);
    const app::Table coarse = app::state_table(large.texture, {0, 16, 0, 24});
    CHECK(coarse.columns[0].values.size() <= 100000);
    CHECK(coarse.columns[0].values.size() > 20000);
  }
}
