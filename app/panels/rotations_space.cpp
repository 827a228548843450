// The selected pair's way in three dimensions: Re z and Im z over tokens. A pair that turns evenly draws a helix, one that
// only decays a line; seen along the token axis it is the complex plane again.
#include "app/panels/parts.h"
#include "app/panels/plot.h"
#include "app/panels/rotations.h"
#include "app/viewmodel/numbers.h"
#include "app/viewmodel/shown.h"

#include <fmt/core.h>
#include <implot3d.h>

#include <algorithm>
#include <cmath>
#include <vector>

namespace app {

namespace {

constexpr int pieces_per_turn = 32, most_pieces = 48;

// Points along the arcs that the steps took, so that a half turn is not drawn as a line through zero.
struct Way {
  std::vector<double> token, re, im;
  std::vector<ImU32> colours;
};

Way way_of(const RotationsData& data, const PhasorTrack& track) {
  Way way;
  const auto add = [&](double token, Complex z) {
    way.token.push_back(token);
    way.re.push_back(z.real());
    way.im.push_back(z.imag());
    way.colours.push_back(packed(phase_colour(static_cast<float>(std::arg(z)))));
  };
  const auto first = static_cast<double>(data.phasors.first_token);
  for (std::size_t t = 0; t < track.trail.size(); ++t) {
    if (!std::isfinite(std::abs(track.trail[t]))) continue;
    if (t == 0 || !std::isfinite(std::abs(track.trail[t - 1]))) {
      add(first + static_cast<double>(t), track.trail[t]);
      continue;
    }
    const int pieces =
        std::clamp(static_cast<int>(std::ceil(std::abs(track.turn[t]) / (2 * pi) * pieces_per_turn)), 1, most_pieces);
    for (int i = 1; i <= pieces; ++i) {
      const double s = static_cast<double>(i) / pieces;
      add(first + static_cast<double>(t) - 1 + s,
          along_step(track.trail[t - 1], track.trail[t], track.turn[t], data.phasors.alpha[t], s));
    }
  }
  return way;
}

void style(const Theme& theme) {
  ImPlot3D::PushStyleColor(ImPlot3DCol_FrameBg, ImVec4(0, 0, 0, 0));
  ImPlot3D::PushStyleColor(ImPlot3DCol_PlotBg, ImVec4(0, 0, 0, 0));
  ImPlot3D::PushStyleColor(ImPlot3DCol_PlotBorder, theme.border);
  ImPlot3D::PushStyleColor(ImPlot3DCol_AxisText, theme.secondary);
  ImPlot3D::PushStyleColor(ImPlot3DCol_AxisGrid, ImVec4(theme.secondary.x, theme.secondary.y, theme.secondary.z, 0.2F));
}
constexpr int styled = 5;

}  // namespace

void draw_pair_space(PanelContext& context, const RotationsData& data, ImVec2 size) {
  const Theme& theme = context.theme;
  const auto found = std::find_if(data.phasors.tracks.begin(), data.phasors.tracks.end(),
                                  [&](const PhasorTrack& track) { return track.pair == data.selection.pair; });
  ImGui::BeginChild("space", size, ImGuiChildFlags_None, ImGuiWindowFlags_NoScrollbar);
  const std::size_t tokens = data.phasors.alpha.size();
  heading(
      theme,
      fmt::format("pair {}, row p = {}, {}: {} tokens up to “{}”", data.selection.pair, data.selection.row,
                  data.selection.frame == Frame::unrotated ? "un-rotated" : "stored", tokens,
                  token_text(*data.snapshot, data.index)),
      "Re z and Im z over tokens, with the trail's length; coloured by phase as the phasors are. Drag with the left "
      "button turns the box, the right button pans, the wheel zooms, a double click turns it back.");
  if (found == data.phasors.tracks.end() || found->trail.empty()) {
    note(theme, "The state of this pair was not recorded.");
    ImGui::EndChild();
    return;
  }
  const Way way = way_of(data, *found);
  double radius = 0;  // arcs reach farther than the points between them
  for (std::size_t i = 0; i < way.re.size(); ++i) radius = std::max({radius, std::abs(way.re[i]), std::abs(way.im[i])});
  if (!(radius > 0)) radius = 1;
  const auto first = static_cast<double>(data.phasors.first_token), last = first + static_cast<double>(tokens) - 1;
  style(theme);
  push_small(theme);
  const ImVec2 plot = ImGui::GetContentRegionAvail();
  if (ImPlot3D::BeginPlot("##space", plot, ImPlot3DFlags_NoTitle | ImPlot3DFlags_NoLegend | ImPlot3DFlags_NoMenus)) {
    ImPlot3D::SetupAxes("token", "Re z", "Im z");
    static ViewKey fitted;
    ImPlot3D::SetupAxesLimits(first, std::max(last, first + 1), -radius * 1.05, radius * 1.05, -radius * 1.05,
                              radius * 1.05, fitted == data.key ? ImPlot3DCond_Once : ImPlot3DCond_Always);
    fitted = data.key;
    ImPlot3D::SetupBoxScale(1.5, 1, 1);
    ImPlot3D::SetupBoxInitialRotation(24, -38);
    const auto count = static_cast<int>(way.token.size());
    // The axis that it turns about.
    const double axis_token[] = {first, last}, zero[] = {0, 0};
    ImPlot3DSpec axis;
    axis.LineColor = ImVec4(theme.secondary.x, theme.secondary.y, theme.secondary.z, 0.7F);
    ImPlot3D::PlotLine("zero", axis_token, zero, zero, 2, axis);
    ImPlot3DSpec line;
    line.LineWeight = 2 * theme.scale;
    line.LineColors = const_cast<ImU32*>(way.colours.data());  // not written
    line.LineColor = theme.text;
    line.Marker = ImPlot3DMarker_None;
    if (count > 1) ImPlot3D::PlotLine("way", way.token.data(), way.re.data(), way.im.data(), count, line);
    std::vector<double> at, re, im;
    for (std::size_t t = 0; t < tokens; ++t) {
      at.push_back(first + static_cast<double>(t));
      re.push_back(found->trail[t].real());
      im.push_back(found->trail[t].imag());
    }
    ImPlot3DSpec dots;
    dots.Marker = ImPlot3DMarker_Circle;
    dots.MarkerSize = 2.2F * theme.scale;
    dots.MarkerFillColor = dots.MarkerLineColor = dots.LineColor = theme.secondary;
    ImPlot3D::PlotScatter("tokens", at.data(), re.data(), im.data(), static_cast<int>(at.size()), dots);
    ImPlot3DSpec now = dots;
    now.MarkerSize = 5 * theme.scale;
    now.MarkerFillColor = phase_colour(static_cast<float>(std::arg(found->trail.back())));
    now.MarkerLineColor = theme.text;
    ImPlot3D::PlotScatter("now", &at.back(), &re.back(), &im.back(), 1, now);
    ImPlot3D::EndPlot();
  }
  ImGui::PopFont();
  ImPlot3D::PopStyleColor(styled);
  ImGui::EndChild();
  item_menu(context, "##space-menu", [&] {
    Table table{"pair-trajectory", {{"token", {}}, {"re", {}}, {"im", {}}, {"dtheta (rad)", {}}}};
    for (std::size_t t = 0; t < tokens; ++t) {
      table.columns[0].values.push_back(first + static_cast<double>(t));
      table.columns[1].values.push_back(found->trail[t].real());
      table.columns[2].values.push_back(found->trail[t].imag());
      table.columns[3].values.push_back(found->turn[t]);
    }
    return table;
  });
}

}  // namespace app
