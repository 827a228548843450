// The state at a coarser grain: every cell in exactly one block, exact values, and the same through every backend.
#include "kernels/state_tiles/state_tiles.h"

#include "engine/backend/backend.h"
#include "tests/support/bits.h"
#include "tests/support/unusual_models.h"

#include <doctest/doctest.h>

#include <bit>
#include <cmath>
#include <limits>
#include <numeric>
#include <vector>

namespace {

kernels::StateTile reduce(std::vector<float> cells) {
  kernels::StateTile tile;
  kernels::StateTilesArgs<float> args;
  args.heads = 1;
  args.headdim = 1;
  args.d_state = static_cast<int>(cells.size());
  args.h = cells.data();
  args.tiles = &tile;
  kernels::state_tiles(args);
  return tile;
}

}  // namespace

TEST_CASE("blocks divide any number of cells: each cell lies in the one that block_of names") {
  for (const int cells : {1, 2, 7, 16, 24, 64, 128, 257}) {
    for (int blocks = 1; blocks <= cells; ++blocks) {
      CHECK(kernels::block_begin(0, blocks, cells) == 0);
      CHECK(kernels::block_begin(blocks, blocks, cells) == cells);
      for (int i = 0; i < blocks; ++i) {
        const int begin = kernels::block_begin(i, blocks, cells), end = kernels::block_begin(i + 1, blocks, cells);
        CHECK(begin < end);
        for (int cell = begin; cell < end; ++cell) CHECK(kernels::block_of(cell, blocks, cells) == i);
      }
    }
  }
}

TEST_CASE("a block keeps the value of largest magnitude with its sign, and the root mean square") {
  CHECK(reduce({1, -3, 2}).largest == -3);
  CHECK(reduce({1, -3, 2}).rms == doctest::Approx(std::sqrt(14.0 / 3)));
  CHECK(tests::same_bits(reduce({0, 0}).largest, 0.0F));
  const float infinity = std::numeric_limits<float>::infinity(), nan = std::numeric_limits<float>::quiet_NaN();
  CHECK(reduce({1, -infinity, 3}).largest == -infinity);
  CHECK(std::isnan(reduce({1, -infinity, nan, 3}).largest));
  CHECK(std::isnan(reduce({1, nan}).rms));
  // Whatever the order, between +x and -x the positive one: the bits are the same.
  CHECK(reduce({-2, 2, -2}).largest == 2);
  CHECK(reduce({2, -2}).largest == 2);
  CHECK(std::isfinite(reduce({3e38F, -3e38F}).rms));  // squares in double
  for (const float value : {0.0F, -0.0F, 1e-40F, -1e-40F, 1.5F, -infinity}) {
    const auto bits = std::bit_cast<std::uint32_t>(value);
    CHECK(kernels::bits_of_key(kernels::magnitude_key(bits)) == bits);
  }
}

TEST_CASE("a backend's blocks are those of the state that it lets be read, for unusual shapes and both hosts") {
  for (const tests::UnusualModel& unusual : tests::unusual_models()) {
    CAPTURE(unusual.name);
    const engine::Weights weights = tests::weights_of(unusual, 5);
    const engine::ModelConfig& config = weights.config;
    for (const auto choice : {engine::BackendChoice::cpu, engine::BackendChoice::reference}) {
      auto backend = engine::make_backend(weights, {choice, 2, 1});
      REQUIRE(backend.has_value());
      for (int t = 0; t < 4; ++t) REQUIRE((*backend)->step(std::vector<std::int32_t>{t, t + 3}, nullptr).has_value());
      std::vector<int> layers(static_cast<std::size_t>(config.n_layer));
      std::iota(layers.begin(), layers.end(), 0);
      engine::SequenceState state;
      REQUIRE((*backend)->read_state(1, layers, true, state).has_value());
      for (const auto& [rows, columns] : {std::pair{1, 1}, {3, 5}, {config.headdim, config.d_state}}) {
        engine::StateTiles tiles;
        tiles.rows = rows;
        tiles.columns = columns;
        REQUIRE((*backend)->read_state_tiles(1, tiles).has_value());
        CHECK(tiles.position == 4);
        std::vector<kernels::StateTile> expected;
        for (const engine::LayerState& layer : state.layers) {
          std::vector<kernels::StateTile> own(static_cast<std::size_t>(config.heads() * rows * columns));
          kernels::StateTilesArgs<float> args;
          args.heads = config.heads();
          args.headdim = config.headdim;
          args.d_state = config.d_state;
          args.rows = rows;
          args.columns = columns;
          args.h = layer.ssm.data();
          args.tiles = own.data();
          kernels::state_tiles(args);
          expected.insert(expected.end(), own.begin(), own.end());
        }
        CHECK(tests::same_bits(std::vector(tiles.tiles.begin(), tiles.tiles.end()), expected));
        float largest = 0;
        for (const kernels::StateTile& tile : expected) largest = std::max(largest, std::abs(tile.largest));
        CHECK(tiles.largest == largest);
        CHECK(tiles.all_finite);
        if (rows == config.headdim) CHECK(tests::same_bits(tiles.tiles[0].largest, state.layers[0].ssm[0]));
      }
      engine::StateTiles wrong;
      for (const auto& [rows, columns] : {std::pair{0, 1}, {1, 0}, {config.headdim + 1, 1}, {1, config.d_state + 1}}) {
        wrong.rows = rows;
        wrong.columns = columns;
        const auto refused = (*backend)->read_state_tiles(0, wrong);
        REQUIRE_FALSE(refused.has_value());
        CHECK(refused.error().kind == engine::ErrorKind::input);
      }
    }
  }
}
