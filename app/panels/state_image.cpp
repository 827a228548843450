// The whole-state panel's picture: what of the state it shows and in which colours, and the legend of those.
#include "app/panels/parts.h"
#include "app/panels/state.h"
#include "app/viewmodel/numbers.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <string>

namespace app {

namespace {

// Of one axis with `parts` heads or layers of `cells` cells each.
void whole_cells(double& from, double& to, int parts, int cells, int& pixels) {
  const double first = std::floor(std::clamp<double>(from, 0, parts) * cells);
  const double last = std::ceil(std::clamp<double>(to, 0, parts) * cells);
  if (!(last > first) || last - first > pixels) return;
  from = first / cells;
  to = last / cells;
  pixels = static_cast<int>(last - first);
}

}  // namespace

ImVec4 state_colour(const Theme& theme, const StateSettings& settings, double position) {
  if (settings.quantity == StateQuantity::signed_largest) return diverging_colour(theme, static_cast<float>(position));
  return sequential_colour(static_cast<float>(std::abs(position)));
}

engine::Result<void> StateImage::update(const Theme& theme, const StateData& data, const StateSettings& settings,
                                        int width, int height) {
  // Where cells are larger than pixels, one texel each is enough: the view grows to whole cells.
  StateView area = data.view;
  whole_cells(area.left, area.right, data.texture.heads, data.texture.d_state, width);
  whole_cells(area.top, area.bottom, data.texture.layers, data.texture.headdim, height);
  if (!has_colours_ || coloured_ != settings.quantity || light_ != theme.light) {
    has_colours_ = true;
    coloured_ = settings.quantity;
    light_ = theme.light;
    const bool is_signed = settings.quantity == StateQuantity::signed_largest;
    for (int i = 0; i < StateColours::entries; ++i) {
      const double share = static_cast<double>(i) / (StateColours::entries - 1);
      colours_.scale[static_cast<std::size_t>(i)] =
          packed(state_colour(theme, settings, is_signed ? 2 * share - 1 : share));
    }
    colours_.outside = packed(theme.panel, 0.0F);
    colours_.unknown = packed(theme.border);
    colours_.not_finite = packed(theme.error);
  }
  made_ = {area, width, height, settings.quantity, settings.logarithmic, data.limit};
  return shader_.draw(data.texture, made_, colours_);
}

void StateImage::plot() const {
  plot_texture("state", shader_.picture(), {made_.view.left, made_.view.top}, {made_.view.right, made_.view.bottom});
}

void draw_state_legend(const Theme& theme, const StateData& data, const StateSettings& settings) {
  const bool is_signed = settings.quantity == StateQuantity::signed_largest;
  push_small_numbers(theme);
  const float gap = 5 * theme.scale, height = ImGui::GetTextLineHeight();
  const std::string high = number_text(data.limit, 2);
  const std::string low = is_signed ? "−" + high : "0";
  const float before = ImGui::CalcTextSize(low.c_str()).x, after = ImGui::CalcTextSize(high.c_str()).x;
  const float bar = std::clamp(ImGui::GetContentRegionAvail().x * 0.3F, 90 * theme.scale, 220 * theme.scale);
  const ImVec2 at = ImGui::GetCursorScreenPos();
  ImDrawList* list = ImGui::GetWindowDrawList();
  list->AddText(at, packed(theme.secondary), low.c_str());
  const float from = at.x + before + gap;
  constexpr int pieces = 48;
  const auto colour_at = [&](int i) {
    const double share = static_cast<double>(i) / pieces;
    return packed(state_colour(theme, settings, is_signed ? 2 * share - 1 : share));
  };
  for (int i = 0; i < pieces; ++i) {  // meeting at whole pixels, or their edges would be seen
    const float x0 = std::floor(from + bar * static_cast<float>(i) / pieces);
    const float x1 = std::floor(from + bar * static_cast<float>(i + 1) / pieces);
    list->AddRectFilledMultiColor({x0, at.y + height * 0.14F}, {x1, at.y + height * 0.7F}, colour_at(i),
                                  colour_at(i + 1), colour_at(i + 1), colour_at(i));
  }
  // Powers of ten below the limit have a tick: on a logarithmic scale they say what a colour means.
  for (double value = data.limit / 10; settings.logarithmic && value > data.limit * 2e-3; value /= 10) {
    const double position = scale_position(value, data.limit, true);
    for (const double end : {position, -position}) {
      if (!is_signed && end < 0) continue;
      const auto x = from + bar * static_cast<float>(is_signed ? (end + 1) / 2 : end);
      list->AddLine({x, at.y + height * 0.62F}, {x, at.y + height * 0.9F}, packed(theme.secondary), theme.scale);
    }
  }
  list->AddText({from + bar + gap, at.y}, packed(theme.secondary), high.c_str());
  ImGui::Dummy({before + bar + after + 2 * gap, height});
  ImGui::PopFont();
  ImGui::SetItemTooltip(
      "%s\n%s\nRed: not finite. Grey: not recorded.",
      is_signed ? "Value h of a cell, stored frame: blue below zero, orange above, the well's colour at zero."
      : settings.quantity == StateQuantity::largest ? "Magnitude |h|, stored frame (viridis)."
                                                    : "Root of the mean of h², stored frame (viridis).",
      settings.logarithmic
          ? fmt::format("Logarithmic, linear below {}: position = ln(1 + |h| / c) / ln(1 + limit / c), ticks at powers "
                        "of ten below the limit.",
                        number_text(data.limit * 1e-3, 2))
                .c_str()
          : "Linear.");

  // What stands behind one pixel now.
  const ImVec2 head = state_head_pixels(data);
  const double columns = data.texture.d_state / static_cast<double>(head.x);
  const double rows = data.texture.headdim / static_cast<double>(head.y);
  const char* what = settings.quantity == StateQuantity::signed_largest ? "the h of largest magnitude of"
                     : settings.quantity == StateQuantity::largest      ? "the largest |h| of"
                                                                        : "the rms of";
  const bool reduced = columns > 1.0 || rows > 1.0;
  const std::string cells =
      reduced
          ? fmt::format("{} × {} cells", number_text(std::max(rows, 1.0), 2), number_text(std::max(columns, 1.0), 2))
          : fmt::format("{} × {} pixels", number_text(1 / columns, 2), number_text(1 / rows, 2));
  const std::string brief = fmt::format("a {}: {}", reduced ? "pixel" : "cell", cells);
  const std::string scale =
      settings.logarithmic
          ? fmt::format(" · log, ticks at {} and {}", number_text(data.limit / 10, 2), number_text(data.limit / 100, 2))
          : " · linear";
  const std::string text =
      (reduced ? fmt::format("a pixel: {} {} (p × n)", what, cells) : brief) + scale + " · stored frame";
  push_small(theme);
  ImGui::SameLine(0, 12 * theme.scale);
  // A narrow panel says less rather than half of it; the tip says all.
  const float space = ImGui::GetContentRegionAvail().x;
  const std::array<std::string, 3> choices{text, brief + scale, brief};
  const auto fits = std::find_if(choices.begin(), choices.end(),
                                 [&](const std::string& each) { return ImGui::CalcTextSize(each.c_str()).x <= space; });
  ImGui::TextColored(theme.secondary, "%s", fits != choices.end() ? fits->c_str() : shortened(brief, space).c_str());
  ImGui::SetItemTooltip(
      "%s\nStored frame: keys were rotated by +θ when they were written, so these numbers never turn.", text.c_str());
  ImGui::PopFont();
}

}  // namespace app
