// The state at a coarser grain on the device: the bits of the host's reduction, and of what the backend lets be read.
#include "kernels/state_tiles/state_tiles.h"

#include "kernels/bf16.h"
#include "tests/gpu/device.h"
#include "tests/gpu/open_backend.h"
#include "tests/support/bits.h"

#include <doctest/doctest.h>

#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

namespace {

struct Shape {
  int layers, heads, headdim, d_state, rows, columns;
};

// Magnitudes over many decades, with equal ones of both signs, zeros, and what is not finite.
std::vector<float> cells_of(const Shape& s) {
  std::vector<float> cells(static_cast<std::size_t>(s.layers * s.heads * s.headdim * s.d_state));
  std::uint64_t seed = 77;
  for (float& cell : cells) {
    seed = seed * 6364136223846793005U + 1442695040888963407U;
    const auto pick = static_cast<int>(seed >> 59U);
    cell = static_cast<float>(std::ldexp(static_cast<double>(seed >> 40U & 0xFFU) - 128, pick - 20));
    if ((seed >> 33U) % 997 == 0) cell = std::numeric_limits<float>::infinity();
    if ((seed >> 33U) % 1009 == 0) cell = std::numeric_limits<float>::quiet_NaN();
  }
  return cells;
}

template <class T>
kernels::StateTilesArgs<T> arguments(const Shape& s, const T* cells, kernels::StateTile* tiles) {
  kernels::StateTilesArgs<T> args;
  args.layers = s.layers;
  args.heads = s.heads;
  args.headdim = s.headdim;
  args.d_state = s.d_state;
  args.rows = s.rows;
  args.columns = s.columns;
  args.h = cells;
  args.layer_stride = static_cast<std::size_t>(s.heads * s.headdim * s.d_state);
  args.tiles = tiles;
  return args;
}

}  // namespace

TEST_CASE("gpu state tiles: the bits of the host, in fp32 and bf16, for any division") {
  if (!gpu_test::has_device()) return;
  for (const Shape& s :
       {Shape{24, 16, 64, 128, 8, 16}, {1, 2, 32, 64, 32, 64}, {3, 5, 24, 40, 7, 9}, {2, 3, 8, 8, 1, 1}}) {
    std::vector<float> cells = cells_of(s);
    std::vector<kernels::StateTile> expected(static_cast<std::size_t>(s.layers * s.heads * s.rows * s.columns));
    kernels::state_tiles(arguments(s, cells.data(), expected.data()));
    const gpu_test::Array<float> on_device(cells);
    const gpu_test::Array<kernels::StateTile> tiles(std::vector<kernels::StateTile>(expected.size()));
    gpu_test::finish(
        kernels::device::state_tiles(arguments<float>(s, on_device.data(), tiles.data()), gpu_test::stream().handle()));
    CHECK(tests::same_bits(tiles.read(), expected));

    std::vector<std::uint16_t> narrow;
    for (float& cell : cells) {
      narrow.push_back(kernels::round_to_bf16(cell));
      cell = kernels::widen_bf16(narrow.back());
    }
    kernels::state_tiles(arguments(s, cells.data(), expected.data()));
    const gpu_test::Array<std::uint16_t> narrow_device(narrow);
    gpu_test::finish(kernels::device::state_tiles(arguments<std::uint16_t>(s, narrow_device.data(), tiles.data()),
                                                  gpu_test::stream().handle()));
    CHECK(tests::same_bits(tiles.read(), expected));
  }
}

TEST_CASE("gpu state tiles: the backend's blocks are those of the state that it lets be read") {
  if (!gpu_test::has_device()) return;
  for (const auto state : {kernels::DType::f32, kernels::DType::bf16}) {
    const engine::Weights weights = gpu_test::small_weights(1, 60);
    const engine::ModelConfig& config = weights.config;
    engine::BackendOptions options;
    options.batch = 2;
    options.state = state;
    if (state == kernels::DType::bf16) options.variant = engine::Variant::fused;
    const auto backend = gpu_test::open_backend(weights, options);
    for (int t = 0; t < 5; ++t) REQUIRE(backend->step(std::vector<std::int32_t>{t, 9 - t}, nullptr).has_value());
    engine::SequenceState read;
    const std::vector<int> layers = {0, 1};
    REQUIRE(backend->read_state(1, layers, true, read).has_value());
    for (const auto& [rows, columns] : {std::pair{8, 16}, {config.headdim, config.d_state}, {3, 5}}) {
      engine::StateTiles tiles;
      tiles.rows = rows;
      tiles.columns = columns;
      REQUIRE(backend->read_state_tiles(1, tiles).has_value());
      std::vector<kernels::StateTile> expected(tiles.tiles.size());
      REQUIRE(expected.size() == static_cast<std::size_t>(2 * config.heads() * rows * columns));
      for (std::size_t l = 0; l < 2; ++l) {
        const Shape s{1, config.heads(), config.headdim, config.d_state, rows, columns};
        kernels::state_tiles(arguments(s, read.layers[l].ssm.data(), expected.data() + l * (expected.size() / 2)));
      }
      CHECK(tests::same_bits(std::vector(tiles.tiles.begin(), tiles.tiles.end()), expected));
    }
  }
}
