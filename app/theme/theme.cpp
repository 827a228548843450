#include "app/theme/theme.h"

#include <array>

namespace app {
namespace {

constexpr float channel(std::uint32_t rgb, int shift) { return static_cast<float>(rgb >> shift & 0xffU) / 255.0F; }
ImVec4 hex(std::uint32_t rgb) { return {channel(rgb, 16), channel(rgb, 8), channel(rgb, 0), 1.0F}; }

}  // namespace

void set_colours(Theme& theme, bool light) {
  theme.light = light;
  if (light) {
    theme.window = hex(0xe9edf2);
    theme.panel = hex(0xfcfdfe);
    theme.well = hex(0xf2f5f8);
    theme.border = hex(0xcdd5de);
    theme.text = hex(0x1b2430);
    theme.secondary = hex(0x50606f);
    theme.faint = hex(0x76838f);
    theme.accent = hex(0x0c8577);
    theme.accent_filled = hex(0x8fd6cb);
    theme.value = hex(0x8f6210);
    theme.warning = hex(0x9a6a10);
    theme.error = hex(0xb93a61);
    theme.success = hex(0x23814a);
    theme.euler = hex(0xbd7705);
    theme.trapezoid = hex(0x0f9384);
    theme.model_lambda = hex(0x7a4fd0);
    theme.this_input = hex(0x2469b0);
    theme.last_input = hex(0xb8476a);
    return;
  }
  theme.window = hex(0x0e1116);
  theme.panel = hex(0x151a21);
  theme.well = hex(0x10141a);
  theme.border = hex(0x222a34);
  theme.text = hex(0xd5dce6);
  theme.secondary = hex(0x8a96a6);
  theme.faint = hex(0x6d7989);
  theme.accent = hex(0x3cc7b4);
  theme.accent_filled = hex(0x2a9d8f);
  theme.value = hex(0xe5b567);
  theme.warning = hex(0xb98a34);
  theme.error = hex(0xd9698a);
  theme.success = hex(0x7fd6a4);
  theme.euler = hex(0xe5a23d);
  theme.trapezoid = hex(0x3cc7b4);
  theme.model_lambda = hex(0xb48ef0);
  theme.this_input = hex(0x5fa8e8);
  theme.last_input = hex(0xe58fa5);
}

ImVec4 stage_colour(int stage_kind) {
  // By engine::StageKind: embed, norm, in_proj, coefficients, rotate, state_update, readout, mimo_mix, out_proj,
  // mlp_norm, mlp_up, mlp_down, final_norm, head, mixer, errors. The parts of the recurrence, and all of it, are shades of one hue.
  static constexpr std::array<std::uint32_t, 16> colours = {0xb9975a, 0x8a96a6, 0x5b9bd5, 0x8fded1, 0x62d2c2, 0x3cc7b4,
                                                            0x2fa394, 0x247f73, 0x7d8ff0, 0x8a96a6, 0xc98bdb, 0xe58fa5,
                                                            0x8a96a6, 0xe5b567, 0x3cc7b4, 0xa9c46c};
  if (stage_kind < 0 || stage_kind >= static_cast<int>(colours.size())) return hex(0x8a96a6);
  return hex(colours[static_cast<std::size_t>(stage_kind)]);
}

ImVec4 series_colour(const Theme& theme, int index) {
  static constexpr std::array<std::uint32_t, 6> dark = {0x5fa8e8, 0xe58fa5, 0xa9c46c, 0xd9cfc1, 0xc98bdb, 0x8a96a6};
  static constexpr std::array<std::uint32_t, 6> light = {0x2469b0, 0xb8476a, 0x5f7d1d, 0x6a5a42, 0x9a4bb0, 0x5c6877};
  return hex((theme.light ? light : dark)[static_cast<std::size_t>(index) % dark.size()]);
}

}  // namespace app
