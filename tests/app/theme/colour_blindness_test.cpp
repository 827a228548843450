// The colour maps for viewers who lack one kind of cone: the theme's colours as they see them still order values by lightness,
// tell steps apart, and tell positive from negative. Simulation: G. M. Machado, M. M. Oliveira and L. A. F. Fernandes, "A
// Physiologically-based Model for Simulation of Color Vision Deficiency", IEEE TVCG 15 (6), 2009, matrices for severity 1.0,
// applied to linear sRGB. Distances: OKLab (B. Ottosson, 2020), where a step of 0.02 is about the least that is seen.
#include "app/theme/theme.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

namespace {

using Matrix = std::array<std::array<double, 3>, 3>;

struct Viewer {
  const char* name;
  Matrix sees;
};

const std::array<Viewer, 4> viewers = {{
    {"all cones", {{{1, 0, 0}, {0, 1, 0}, {0, 0, 1}}}},
    {"protanopia",
     {{{0.152286, 1.052583, -0.204868}, {0.114503, 0.786281, 0.099216}, {-0.003882, -0.048116, 1.051998}}}},
    {"deuteranopia",
     {{{0.367322, 0.860646, -0.227968}, {0.280085, 0.672501, 0.047413}, {-0.011820, 0.042940, 0.968881}}}},
    {"tritanopia",
     {{{1.255528, -0.076749, -0.178779}, {-0.078411, 0.930809, 0.147602}, {0.004733, 0.691367, 0.303900}}}},
}};

struct Lab {
  double l, a, b;
};

Lab seen_by(const Viewer& viewer, const ImVec4& colour) {
  const auto linear = [](float value) {
    const auto v = static_cast<double>(value);
    return v <= 0.04045 ? v / 12.92 : std::pow((v + 0.055) / 1.055, 2.4);
  };
  const std::array<double, 3> from = {linear(colour.x), linear(colour.y), linear(colour.z)};
  std::array<double, 3> to{};
  for (std::size_t i = 0; i < 3; ++i) {
    for (std::size_t j = 0; j < 3; ++j) to[i] += viewer.sees[i][j] * from[j];
    to[i] = std::clamp(to[i], 0.0, 1.0);
  }
  const double l = std::cbrt(0.4122214708 * to[0] + 0.5363325363 * to[1] + 0.0514459929 * to[2]);
  const double m = std::cbrt(0.2119034982 * to[0] + 0.6806995451 * to[1] + 0.1073969566 * to[2]);
  const double s = std::cbrt(0.0883024619 * to[0] + 0.2817188376 * to[1] + 0.6299787005 * to[2]);
  return {0.2104542553 * l + 0.7936177850 * m - 0.0040720468 * s,
          1.9779984951 * l - 2.4285922050 * m + 0.4505937099 * s,
          0.0259040371 * l + 0.7827717662 * m - 0.8086757660 * s};
}

double distance(const Lab& x, const Lab& y) { return std::hypot(std::hypot(x.l - y.l, x.a - y.a), x.b - y.b); }

constexpr int steps = 16;  // as many as can be told apart on a legend

}  // namespace

TEST_CASE("the simulation leaves white and grey as they are, and takes red from green") {
  for (const Viewer& viewer : viewers) {
    CAPTURE(viewer.name);
    for (const float grey : {0.0F, 0.4F, 1.0F}) {
      const ImVec4 colour(grey, grey, grey, 1);
      CHECK(distance(seen_by(viewer, colour), seen_by(viewers[0], colour)) < 0.01);
    }
  }
  // Two colours of the same lightness that most viewers tell apart at once.
  const ImVec4 red(0.80F, 0.36F, 0.30F, 1), green(0.36F, 0.58F, 0.24F, 1);
  CHECK(distance(seen_by(viewers[2], red), seen_by(viewers[2], green)) <
        0.5 * distance(seen_by(viewers[0], red), seen_by(viewers[0], green)));
}

TEST_CASE("the sequential map grows lighter, in steps that are seen, for every viewer") {
  for (const Viewer& viewer : viewers) {
    CAPTURE(viewer.name);
    double least = 1;
    for (int i = 0; i < steps; ++i) {
      CAPTURE(i);
      const Lab low = seen_by(viewer, app::sequential_colour(static_cast<float>(i) / steps));
      const Lab high = seen_by(viewer, app::sequential_colour(static_cast<float>(i + 1) / steps));
      CHECK(high.l > low.l);
      least = std::min(least, distance(low, high));
    }
    CAPTURE(least);
    CHECK(least > 0.02);
    // Even: no step is many times another.
    double most = 0;
    for (int i = 0; i < steps; ++i)
      most = std::max(most, distance(seen_by(viewer, app::sequential_colour(static_cast<float>(i) / steps)),
                                     seen_by(viewer, app::sequential_colour(static_cast<float>(i + 1) / steps))));
    CAPTURE(most);
    CHECK(most < 4 * least);
  }
}

TEST_CASE("the signed map leaves the well evenly on both sides, and its arms differ, for every viewer and theme") {
  for (const bool light : {false, true}) {
    app::Theme theme;
    app::set_colours(theme, light);
    for (const Viewer& viewer : viewers) {
      CAPTURE(light);
      CAPTURE(viewer.name);
      const Lab zero = seen_by(viewer, app::diverging_colour(theme, 0));
      for (const float sign : {-1.0F, 1.0F}) {
        CAPTURE(sign);
        Lab before = zero;
        for (int i = 1; i <= steps / 2; ++i) {
          CAPTURE(i);
          const Lab now = seen_by(viewer, app::diverging_colour(theme, sign * static_cast<float>(i) * 2 / steps));
          CHECK((light ? now.l < before.l : now.l > before.l));  // away from the well's lightness
          CHECK(distance(now, before) > 0.02);
          CHECK(distance(now, zero) > distance(before, zero));
          before = now;
        }
      }
      // A quarter of the scale is enough to tell signs apart.
      for (const float share : {0.25F, 0.5F, 0.75F, 1.0F}) {
        CAPTURE(share);
        const double between = distance(seen_by(viewer, app::diverging_colour(theme, share)),
                                        seen_by(viewer, app::diverging_colour(theme, -share)));
        CHECK(between > (share < 0.5F ? 0.04 : 0.08));
      }
    }
  }
}

TEST_CASE("the phase map tells no turn and half a turn apart, for every viewer") {
  constexpr float pi = 3.14159265F;
  for (const Viewer& viewer : viewers) {
    CAPTURE(viewer.name);
    // A viewer with two kinds of cones sees a line in place of the circle: some opposite phases come near each other
    // there. What the panels lean on is that zero and half a turn, which parity uses, do not.
    CHECK(distance(seen_by(viewer, app::phase_colour(0)), seen_by(viewer, app::phase_colour(pi))) > 0.1);
  }
}
