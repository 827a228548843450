#include "app/theme/theme.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <initializer_list>
#include <limits>

namespace {

double luminance(const ImVec4& c) {
  const auto linear = [](float v) { return v <= 0.04045F ? v / 12.92 : std::pow((v + 0.055) / 1.055, 2.4); };
  return 0.2126 * linear(c.x) + 0.7152 * linear(c.y) + 0.0722 * linear(c.z);
}
double distance(const ImVec4& a, const ImVec4& b) {
  return std::hypot(std::hypot(double{a.x} - b.x, double{a.y} - b.y), double{a.z} - b.z);
}

}  // namespace

TEST_CASE("the phase map is a circle without a seam and of even lightness") {
  constexpr float pi = 3.14159265F;
  CHECK(distance(app::phase_colour(-pi + 1e-4F), app::phase_colour(pi - 1e-4F)) < 0.03);
  CHECK(distance(app::phase_colour(0.3F), app::phase_colour(0.3F + 2 * pi)) < 0.03);
  CHECK(distance(app::phase_colour(0), app::phase_colour(pi)) > 0.4);
  double least = 1, most = 0;
  for (float angle = -pi; angle < pi; angle += 0.05F) {
    least = std::min(least, luminance(app::phase_colour(angle)));
    most = std::max(most, luminance(app::phase_colour(angle)));
  }
  CHECK(most / least < 1.6);
}

TEST_CASE("the sequential map grows lighter all the way; values outside are clamped, nan is grey") {
  double before = -1;
  for (float t = 0; t <= 1.0F; t += 0.02F) {
    const double now = luminance(app::sequential_colour(t));
    CHECK(now > before);
    before = now;
  }
  CHECK(distance(app::sequential_colour(-3), app::sequential_colour(0)) == 0);
  CHECK(distance(app::sequential_colour(7), app::sequential_colour(1)) == 0);
  const ImVec4 grey = app::sequential_colour(std::numeric_limits<float>::quiet_NaN());
  CHECK(grey.x == grey.y);
}

TEST_CASE("the diverging map is the well at zero in both themes, and its ends differ") {
  for (const bool light : {false, true}) {
    app::Theme theme;
    app::set_colours(theme, light);
    CHECK(distance(app::diverging_colour(theme, 0), theme.well) < 0.02);
    CHECK(distance(app::diverging_colour(theme, -1), app::diverging_colour(theme, 1)) > 0.5);
  }
}

TEST_CASE("text can be read on panels in both themes") {
  for (const bool light : {false, true}) {
    app::Theme theme;
    app::set_colours(theme, light);
    const auto contrast = [&](const ImVec4& colour) {
      const double a = luminance(colour) + 0.05, b = luminance(theme.panel) + 0.05;
      return a > b ? a / b : b / a;
    };
    CHECK(contrast(theme.text) > 7);
    CHECK(contrast(theme.secondary) > 4.5);
    CHECK(contrast(theme.faint) > 3);
    for (const ImVec4& rule : {theme.euler, theme.trapezoid, theme.model_lambda}) CHECK(contrast(rule) > 3);
  }
}
