// Colour maps of values. Phase is a circle of constant lightness and chroma in OKLab, hence perceptually even;
// magnitude is viridis through its published polynomial fit; signed values run from blue through the well to orange.
#include "app/theme/theme.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace app {
namespace {

constexpr int entries = 256;

float to_srgb(float linear) {
  const float x = std::clamp(linear, 0.0F, 1.0F);
  return x <= 0.0031308F ? 12.92F * x : 1.055F * std::pow(x, 1.0F / 2.4F) - 0.055F;
}
float to_linear(float srgb) { return srgb <= 0.04045F ? srgb / 12.92F : std::pow((srgb + 0.055F) / 1.055F, 2.4F); }

struct Lab {
  float l, a, b;
};

ImVec4 from_oklab(Lab c) {
  const float l = std::pow(c.l + 0.3963377774F * c.a + 0.2158037573F * c.b, 3.0F);
  const float m = std::pow(c.l - 0.1055613458F * c.a - 0.0638541728F * c.b, 3.0F);
  const float s = std::pow(c.l - 0.0894841775F * c.a - 1.2914855480F * c.b, 3.0F);
  return {to_srgb(4.0767416621F * l - 3.3077115913F * m + 0.2309699292F * s),
          to_srgb(-1.2684380046F * l + 2.6097574011F * m - 0.3413193965F * s),
          to_srgb(-0.0041960863F * l - 0.7034186147F * m + 1.7076147010F * s), 1.0F};
}

Lab to_oklab(const ImVec4& colour) {
  const float r = to_linear(colour.x), g = to_linear(colour.y), b = to_linear(colour.z);
  const float l = std::cbrt(0.4122214708F * r + 0.5363325363F * g + 0.0514459929F * b);
  const float m = std::cbrt(0.2119034982F * r + 0.6806995451F * g + 0.1073969566F * b);
  const float s = std::cbrt(0.0883024619F * r + 0.2817188376F * g + 0.6299787005F * b);
  return {0.2104542553F * l + 0.7936177850F * m - 0.0040720468F * s,
          1.9779984951F * l - 2.4285922050F * m + 0.4505937099F * s,
          0.0259040371F * l + 0.7827717662F * m - 0.8086757660F * s};
}

std::array<ImVec4, entries> make_phase() {
  std::array<ImVec4, entries> map;
  for (int i = 0; i < entries; ++i) {
    const float hue = 2.0F * 3.14159265F * static_cast<float>(i) / entries;
    // 0 is warm, half a turn is cool: the two phases that parity uses lie far apart.
    map[static_cast<std::size_t>(i)] =
        from_oklab({0.72F, 0.135F * std::cos(hue + 0.7F), 0.135F * std::sin(hue + 0.7F)});
  }
  return map;
}

float polynomial(const std::array<float, 7>& c, float t) {
  float sum = 0;
  for (std::size_t i = c.size(); i-- > 0;) sum = sum * t + c[i];
  return std::clamp(sum, 0.0F, 1.0F);
}

std::array<ImVec4, entries> make_viridis() {
  static constexpr std::array<float, 7> r = {0.27772733F, 0.10509304F, -0.33086183F, -4.63423049F,
                                             6.22826997F, 4.77638499F, -5.43545585F};
  static constexpr std::array<float, 7> g = {0.00540734F,  1.40461353F,   0.21484756F, -5.79910086F,
                                             14.17993337F, -13.74514538F, 4.64585261F};
  static constexpr std::array<float, 7> b = {0.33409981F,  1.38459014F,   0.09509516F, -19.33244096F,
                                             56.69055260F, -65.35303263F, 26.31243525F};
  std::array<ImVec4, entries> map;
  for (int i = 0; i < entries; ++i) {
    const float t = static_cast<float>(i) / (entries - 1);
    map[static_cast<std::size_t>(i)] = {polynomial(r, t), polynomial(g, t), polynomial(b, t), 1.0F};
  }
  return map;
}

}  // namespace

ImVec4 phase_colour(float radians) {
  static const std::array<ImVec4, entries> map = make_phase();
  if (!std::isfinite(radians)) return {0.5F, 0.5F, 0.5F, 1.0F};
  const float turns = radians / (2.0F * 3.14159265F);
  const int index = static_cast<int>((turns - std::floor(turns)) * entries) % entries;
  return map[static_cast<std::size_t>(index)];
}

ImVec4 sequential_colour(float t) {
  static const std::array<ImVec4, entries> map = make_viridis();
  if (!std::isfinite(t)) return {0.5F, 0.5F, 0.5F, 1.0F};
  return map[static_cast<std::size_t>(std::lround(std::clamp(t, 0.0F, 1.0F) * (entries - 1)))];
}

ImVec4 diverging_colour(const Theme& theme, float t) {
  static thread_local std::array<ImVec4, 2 * entries + 1> map;
  static thread_local ImVec4 made_for(-1, -1, -1, -1);
  if (!std::isfinite(t)) return {0.5F, 0.5F, 0.5F, 1.0F};
  if (made_for.x != theme.well.x || made_for.y != theme.well.y || made_for.z != theme.well.z) {
    const Lab well = to_oklab(theme.well);
    const Lab blue = to_oklab(ImVec4(0.25F, 0.60F, 0.95F, 1)), orange = to_oklab(ImVec4(0.95F, 0.60F, 0.20F, 1));
    for (std::size_t i = 0; i < map.size(); ++i) {
      const float from_zero = static_cast<float>(i) / entries - 1;
      const Lab& end = from_zero < 0 ? blue : orange;
      const float share = std::fabs(from_zero);
      map[i] = from_oklab(
          {well.l + share * (end.l - well.l), well.a + share * (end.a - well.a), well.b + share * (end.b - well.b)});
    }
    made_for = theme.well;
  }
  return map[static_cast<std::size_t>(std::lround(std::clamp(t, -1.0F, 1.0F) * entries) + entries)];
}

}  // namespace app
