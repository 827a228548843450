// The whole state's picture as the GPU draws it: each pixel is the value that viewmodel/state_texture.h defines, in the
// colour of its place on the scale; and the same pixels whether blocks pass through the host or stay on the GPU.
#include "app/panels/gl_context.h"
#include "app/panels/state_shader.h"
#include "engine/backend/backend.h"
#include "tests/gui/driver.h"
#include "tests/support/unusual_models.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <memory>
#include <string>
#include <vector>

namespace {

// Random cells of all layers, or of some, with blocks for the others.
struct Made {
  app::StateTexture texture;
  std::vector<std::vector<float>> cells;
};

Made make(int layers, int heads, int headdim, int d_state, int rows, int columns) {
  Made made;
  made.texture.layers = layers;
  made.texture.heads = heads;
  made.texture.headdim = headdim;
  made.texture.d_state = d_state;
  std::uint64_t seed = 11;
  std::vector<kernels::StateTile> all;
  for (int l = 0; l < layers; ++l) {
    std::vector<float>& layer = made.cells.emplace_back(static_cast<std::size_t>(heads * headdim * d_state));
    for (float& cell : layer) {
      seed = seed * 6364136223846793005U + 1442695040888963407U;
      const auto exponent = static_cast<int>(seed >> 60U);
      cell = static_cast<float>(std::ldexp(static_cast<double>(seed >> 40U & 0xFFFFU) / 65536 - 0.5, exponent - 12));
    }
    if (l == 0) {
      layer[0] = std::numeric_limits<float>::infinity();
      layer[layer.size() / 2] = std::numeric_limits<float>::quiet_NaN();
      layer[7] = -0.0F;
    }
    std::vector<kernels::StateTile> own(static_cast<std::size_t>(heads * rows * columns));
    kernels::StateTilesArgs<float> args;
    args.heads = heads;
    args.headdim = headdim;
    args.d_state = d_state;
    args.rows = rows;
    args.columns = columns;
    args.h = layer.data();
    args.tiles = own.data();
    kernels::state_tiles(args);
    all.insert(all.end(), own.begin(), own.end());
  }
  for (const auto& layer : made.cells) made.texture.cells.push_back(layer.data());
  auto tiles = std::make_shared<engine::StateTiles>();
  tiles->rows = rows;
  tiles->columns = columns;
  tiles->hold(std::move(all));
  made.texture.tiles = tiles;
  made.texture.blocks = tiles->tiles.data();
  return made;
}

// Entry i is the colour i + 1: a pixel says where it lies on the scale.
app::StateColours counting_colours() {
  app::StateColours colours;
  for (std::size_t i = 0; i < colours.scale.size(); ++i) colours.scale[i] = static_cast<ImU32>(i + 1);
  colours.outside = 1001;
  colours.unknown = 1002;
  colours.not_finite = 1003;
  return colours;
}

int entry_of(float value, const app::StatePicture& picture) {
  switch (std::bit_cast<std::uint32_t>(value)) {
    case app::pixel_outside:
      return 1001;
    case app::pixel_unknown:
      return 1002;
    case app::pixel_not_finite:
      return 1003;
    default:
      break;
  }
  const double position = app::scale_position(static_cast<double>(value), picture.limit, picture.logarithmic);
  const bool is_signed = picture.quantity == app::StateQuantity::signed_largest;
  return 1 + static_cast<int>(std::floor(is_signed ? position * 256 + 256.5 : position * 512 + 0.5));
}

// How many pixels are another colour than the definition's; one entry beside it is the rounding of a logarithm.
std::size_t wrong_pixels(app::StateShader& shader, const app::StateTexture& texture, const app::StatePicture& picture) {
  REQUIRE(shader.draw(texture, picture, counting_colours()).has_value());
  const std::vector<ImU32> drawn = shader.read_pixels();
  std::vector<float> values;
  app::reduce_state(texture, picture.view, picture.width, picture.height, picture.quantity, values);
  REQUIRE(drawn.size() == values.size());
  std::size_t wrong = 0;
  for (std::size_t i = 0; i < drawn.size(); ++i) {
    const int expected = entry_of(values[i], picture), found = static_cast<int>(drawn[i]);
    const bool rounding = expected < 1000 && std::abs(found - expected) <= 1;
    wrong += found == expected || rounding ? 0 : 1;
  }
  return wrong;
}

}  // namespace

TEST_CASE("state picture: every pixel is the defined value in the colour of its place on the scale") {
  gui_test::Driver driver;
  for (const auto& [layers, heads, headdim, d_state] :
       {std::tuple{3, 4, 64, 128}, {1, 4, 16, 64}, {5, 3, 24, 40}, {2, 1, 7, 9}}) {
    Made made = make(layers, heads, headdim, d_state, std::min(8, headdim), std::min(8, d_state));
    // All cells; blocks for all but one layer; and a layer of which nothing is known.
    app::StateTexture mixed = made.texture, unknown = made.texture;
    for (std::size_t l = 0; l < mixed.cells.size(); ++l)
      if (l != 1) mixed.cells[l] = nullptr;
    unknown.tiles.reset();
    unknown.blocks = nullptr;
    unknown.cells.back() = nullptr;
    const app::StateView whole{-0.1, heads + 0.1, -0.1, layers + 0.1};
    const app::StateView near{0.2, 0.4, layers - 0.7, layers - 0.5}, across{0.7, heads * 0.8, 0.4, layers * 0.9};
    app::StateShader shader;
    for (const app::StateTexture* texture : {&made.texture, &mixed, &unknown}) {
      for (const app::StateView& view : {whole, near, across}) {
        for (const auto quantity :
             {app::StateQuantity::signed_largest, app::StateQuantity::largest, app::StateQuantity::rms}) {
          for (const bool logarithmic : {false, true}) {
            CAPTURE(layers);
            CAPTURE(static_cast<int>(quantity));
            CAPTURE(logarithmic);
            CHECK(wrong_pixels(shader, *texture, {view, 157, 91, quantity, logarithmic, 2.0}) == 0);
          }
        }
      }
    }
  }
}

TEST_CASE("state picture: another token's cells and blocks replace what lies on the GPU") {
  gui_test::Driver driver;
  Made first = make(3, 2, 16, 32, 4, 8);
  Made second = make(3, 2, 16, 32, 4, 8);
  for (auto& layer : second.cells)
    for (float& cell : layer) cell = -0.5F * cell;
  app::StateShader shader;
  const app::StatePicture picture{{0, 2, 0, 3}, 64, 48, app::StateQuantity::signed_largest, true, 2.0};
  first.texture.cells[2] = nullptr;
  first.texture.state = std::make_shared<const engine::SequenceState>();
  CHECK(wrong_pixels(shader, first.texture, picture) == 0);
  second.texture.cells[0] = nullptr;  // another layer is watched
  second.texture.state = std::make_shared<const engine::SequenceState>();
  CHECK(wrong_pixels(shader, second.texture, picture) == 0);
  CHECK(wrong_pixels(shader, first.texture, picture) == 0);
  const std::vector<kernels::StateTile> blocks = shader.read_blocks(*first.texture.tiles);
  REQUIRE(blocks.size() == first.texture.tiles->count);
  CHECK(std::memcmp(blocks.data(), first.texture.blocks, first.texture.tiles->bytes()) == 0);
}

TEST_CASE("state picture: blocks that cannot be brought are an error of the next picture, and then it goes on") {
  // Of a device that is lost; without CUDA there is no buffer to bring them to either.
  class LostTiles final : public engine::DeviceTiles {
    engine::Result<void> copy_to(void*, void*) const override { return engine::system_error("The device is lost."); }
  };
  gui_test::Driver driver;
  Made good = make(2, 2, 16, 32, 4, 8), lost = make(2, 2, 16, 32, 4, 8);
  for (app::StateTexture* texture : {&good.texture, &lost.texture})
    for (const float*& layer : texture->cells) layer = nullptr;
  auto tiles = std::make_shared<engine::StateTiles>(*lost.texture.tiles);
  tiles->on_device = std::make_shared<LostTiles>();
  lost.texture.tiles = tiles;
  const app::StatePicture picture{{0, 2, 0, 2}, 64, 48, app::StateQuantity::signed_largest, true, 2.0};
  app::StateShader shader;
  CHECK(wrong_pixels(shader, good.texture, picture) == 0);
  CHECK(shader.draw(lost.texture, picture, counting_colours()).has_value());
  CHECK(shader.draw(lost.texture, picture, counting_colours()).has_value());  // twice in a frame
  app::end_frame();
  CHECK_FALSE(shader.draw(lost.texture, picture, counting_colours()).has_value());
  CHECK(wrong_pixels(shader, good.texture, picture) == 0);
  app::end_frame();
}

TEST_CASE("state picture: blocks that stay on the GPU give the pixels of those that pass through the host") {
  gui_test::Driver driver;
  if (const std::string why = engine::why_no_cuda(); !why.empty()) {
    MESSAGE("skipped: " << why);
    return;
  }
  tests::UnusualModel model;
  model.config.d_model = 256;
  model.config.n_layer = 9;
  model.config.d_intermediate = 0;
  model.config.vocab_size = 61;
  model.config.headdim = 256;
  model.config.d_state = 256;
  model.dtype = kernels::DType::bf16;
  model.drive = 2;
  model.dt_offset = 1;
  const engine::Weights weights = tests::weights_of(model, 4);
  engine::BackendOptions options;
  options.choice = engine::BackendChoice::cuda;
  const auto backend = engine::make_backend(weights, options);
  REQUIRE(backend.has_value());
  app::StateShader shader;
  if (!app::StateShader::shares_with((*backend)->info())) {
    MESSAGE("skipped: the GPU that draws is not CUDA's: " << driver.app().surface().description());
    return;
  }
  app::StateTexture texture;
  texture.layers = 9;
  texture.heads = model.config.heads();
  texture.headdim = texture.d_state = 256;
  texture.cells.assign(9, nullptr);
  const app::StatePicture picture{
      {0, static_cast<double>(texture.heads), 0, 9}, 300, 200, app::StateQuantity::signed_largest, true, 2.0};
  for (std::int32_t t = 0; t < 12; ++t) {  // more often than there are buffers and places
    REQUIRE((*backend)->step(std::vector<std::int32_t>{t}, nullptr).has_value());
    std::vector<ImU32> pixels[2];
    std::vector<kernels::StateTile> blocks[2];
    float largest[2] = {};
    for (const bool on_device : {false, true}) {
      auto coming = (*backend)->queue_state_tiles(0, {8, 16, on_device});
      REQUIRE(coming.has_value());
      auto taken = (*coming)->take();
      REQUIRE(taken.has_value());
      texture.tiles = *taken;
      CHECK(((*taken)->on_device != nullptr) == on_device);
      largest[on_device] = (*taken)->largest;
      REQUIRE(shader.draw(texture, picture, counting_colours()).has_value());
      CHECK(shader.read_blocks(**taken).empty() == on_device);  // brought behind the frame
      app::end_frame();
      REQUIRE(shader.draw(texture, picture, counting_colours()).has_value());
      pixels[on_device] = shader.read_pixels();
      blocks[on_device] = shader.read_blocks(**taken);
    }
    CHECK(pixels[0] == pixels[1]);
    CHECK(largest[0] == largest[1]);
    CHECK(largest[0] > 0);
    REQUIRE(blocks[0].size() == blocks[1].size());
    CHECK(std::memcmp(blocks[0].data(), blocks[1].data(), blocks[0].size() * sizeof blocks[0][0]) == 0);
    CHECK(std::count(pixels[0].begin(), pixels[0].end(), pixels[0][0]) < 50000);  // a picture, not one colour
  }
}

TEST_CASE("state picture: what is left for behind the frame is done once, and not after the context has gone") {
  int done = 0;
  {
    gui_test::Driver driver;
    app::behind_frame([&done] { ++done; });
    CHECK(done == 0);
    driver.frames(1);
    CHECK(done == 1);
    driver.frames(2);
    CHECK(done == 1);
    app::behind_frame([&done] { ++done; });
  }
  gui_test::Driver another;
  another.frames(1);
  CHECK(done == 1);
}
