// A step's weights as the width-2 convolution that they are: gamma on this token's input, beta on the last one's.
#include "app/panels/discretisation.h"
#include "app/panels/parts.h"
#include "app/panels/picture.h"
#include "app/panels/plot.h"
#include "app/panels/plot_lines.h"
#include "app/viewmodel/numbers.h"
#include "app/viewmodel/shown.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>

namespace app {

namespace {

// Weights of the last input are drawn downwards, and labelled without a sign.
int size_label(double value, char* out, int size, void* /*unused*/) {
  const auto end = fmt::format_to_n(out, size - 1, "{:.3g}", std::abs(value));
  *end.out = '\0';
  return static_cast<int>(end.out - out);
}

// What a rule with a fixed lambda would weigh with, as steps around each token.
void fixed_rule(const CoefficientSeries& c, double lambda, const ImVec4& colour, float weight) {
  std::vector<double> x, up, down;
  for (std::size_t i = 0; i < c.token.size(); ++i) {
    for (const double side : {-0.5, 0.5}) {
      x.push_back(c.token[i] + side);
      up.push_back(lambda * c.dt[i]);
      down.push_back(-(1 - lambda) * c.dt[i] * c.alpha[i]);
    }
  }
  draw_dashed(x, up, colour, weight, 3 * weight);
  draw_dashed(x, down, colour, weight, 3 * weight);
}

void click(PanelContext& context, double token) {
  if (ImGui::IsMouseReleased(ImGuiMouseButton_Left) && ImGui::GetMouseDragDelta().x == 0)
    context.workspace.select_token(static_cast<std::int64_t>(token));
}

Table shares_table(const ConvolutionShares& shares) {
  Table table{"convolution-shares", {{"token", {}}, {"head", {}}, {"beta", {}}, {"gamma", {}}, {"share of beta", {}}}};
  for (int head = 0; head < shares.heads; ++head) {
    for (int t = 0; t < shares.tokens; ++t) {
      const std::size_t at =
          static_cast<std::size_t>(head) * static_cast<std::size_t>(shares.tokens) + static_cast<std::size_t>(t);
      table.columns[0].values.push_back(static_cast<double>(shares.first_token) + t);
      table.columns[1].values.push_back(head);
      table.columns[2].values.push_back(shares.beta[at]);
      table.columns[3].values.push_back(shares.gamma[at]);
      table.columns[4].values.push_back(shares.share[at]);
    }
  }
  return table;
}

void map_mouse(PanelContext& context, const DiscretisationData& data) {
  if (!ImPlot::IsPlotHovered()) return;
  const ConvolutionShares& shares = data.convolution;
  const ImPlotPoint mouse = ImPlot::GetPlotMousePos();
  const int head = static_cast<int>(std::floor(mouse.y + 0.5));
  const std::int64_t token = static_cast<std::int64_t>(std::floor(mouse.x + 0.5)), column = token - shares.first_token;
  if (head < 0 || head >= shares.heads || column < 0 || column >= shares.tokens) return;
  const std::size_t at =
      static_cast<std::size_t>(head) * static_cast<std::size_t>(shares.tokens) + static_cast<std::size_t>(column);
  ImGui::SetTooltip("head %d, token %lld “%s”: this input γ = %s, the last β = %s: %s of both", head,
                    static_cast<long long>(token), token_text(*data.snapshot, token).c_str(),
                    number_text(shares.gamma[at]).c_str(), number_text(shares.beta[at]).c_str(),
                    percent_text(shares.share[at]).c_str());
  if (ImGui::IsMouseReleased(ImGuiMouseButton_Left) && ImGui::GetMouseDragDelta().x == 0) {
    context.workspace.selection.head = head;
    context.workspace.select_token(token);
  }
}

}  // namespace

void draw_taps(PanelContext& context, const DiscretisationData& data, ImVec2 size) {
  const Theme& theme = context.theme;
  const CoefficientSeries& c = data.coefficients;
  double high = 0, low = 0;
  std::vector<double> last;
  for (std::size_t i = 0; i < c.token.size(); ++i) {
    last.push_back(-c.beta[i]);
    if (std::isfinite(c.dt[i])) {
      high = std::max(high, c.dt[i]);
      low = std::min(low, -0.5 * c.dt[i] * c.alpha[i]);
    }
    if (std::isfinite(c.beta[i])) low = std::min(low, -c.beta[i]);
  }
  if (!(high > 0)) {
    note(theme, "The coefficients of these tokens were not kept. Seek to one to have them again.");
    return;
  }
  if (!begin_plot(context, "##taps", size, "token", "weight")) return;
  follow_limits(c.token.front() - 0.6, std::max(c.token.back(), c.token.front() + 1) + 0.6, low * 1.1, high * 1.1);
  ImPlot::SetupAxisFormat(ImAxis_X1, whole_label);
  ImPlot::SetupAxisFormat(ImAxis_Y1, size_label);
  ImPlot::SetupLegend(ImPlotLocation_North, ImPlotLegendFlags_Horizontal | ImPlotLegendFlags_Outside);
  const auto count = static_cast<int>(c.token.size());
  const auto bars = [&](const char* name, const std::vector<double>& values, const ImVec4& colour) {
    ImPlotSpec spec = line_spec(colour, 1.0F);
    spec.FillAlpha = 0.55F;
    ImPlot::PlotBars(name, c.token.data(), values.data(), count, 0.8, spec);
  };
  bars("γ: this input ↑", c.gamma, theme.this_input);
  bars("β: the last ↓", last, theme.last_input);
  fixed_rule(c, 1, theme.euler, 1.1F * theme.scale);
  fixed_rule(c, 0.5, theme.trapezoid, 1.1F * theme.scale);
  ImPlot::PlotDummy("Euler", line_spec(theme.euler));
  ImPlot::PlotDummy("trapezoid", line_spec(theme.trapezoid));
  mark_x(theme, static_cast<double>(data.index));
  if (ImPlot::IsPlotHovered()) {
    const auto at = static_cast<std::int64_t>(std::lround(ImPlot::GetPlotMousePos().x - c.token.front()));
    if (at >= 0 && at < count) {
      const auto i = static_cast<std::size_t>(at);
      ImGui::BeginTooltip();
      ImGui::Text("token %.0f “%s”: u = %s B x + %s (last B x)", c.token[i],
                  token_text(*data.snapshot, static_cast<std::int64_t>(c.token[i])).c_str(),
                  number_text(c.gamma[i]).c_str(), number_text(c.beta[i]).c_str());
      ImGui::TextColored(theme.euler, "Euler  %s and 0", number_text(c.dt[i]).c_str());
      ImGui::TextColored(theme.trapezoid, "trapezoid  %s and %s", number_text(c.dt[i] / 2).c_str(),
                         number_text(c.dt[i] * c.alpha[i] / 2).c_str());
      ImGui::EndTooltip();
      click(context, c.token[i]);
    }
  }
  end_plot(context, [&] {
    return Table{"convolution-weights",
                 {{"token", c.token},
                  {"gamma (this input)", c.gamma},
                  {"beta (last input)", c.beta},
                  {"alpha", c.alpha},
                  {"dt", c.dt}}};
  });
}

void draw_convolution_map(PanelContext& context, const DiscretisationData& data, ImVec2 size) {
  static Picture picture;
  const Theme& theme = context.theme;
  const ConvolutionShares& shares = data.convolution;
  if (shares.heads == 0) return;
  if (picture.stale(data.key, theme)) {
    std::vector<ImU32> pixels;
    pixels.reserve(shares.share.size());
    for (const double share : shares.share)
      pixels.push_back(packed(std::isfinite(share) ? sequential_colour(static_cast<float>(share)) : theme.well));
    picture.set(shares.tokens, shares.heads, pixels);
  }
  if (!begin_plot(context, "##convolution-map", size, "token", "head", ImPlotFlags_NoLegend,
                  ImPlotAxisFlags_NoGridLines, ImPlotAxisFlags_NoGridLines | ImPlotAxisFlags_Invert))
    return;
  const double first = static_cast<double>(shares.first_token) - 0.5, last = first + shares.tokens;
  follow_limits(first, last, -0.5, shares.heads - 0.5);
  ImPlot::SetupAxisFormat(ImAxis_X1, whole_label);
  ImPlot::SetupAxisFormat(ImAxis_Y1, whole_label);
  setup_few_rows(shares.heads, size.y);
  ImPlot::SetupFinish();
  picture.plot("share", {first, -0.5}, {last, shares.heads - 0.5});
  ImPlot::PushPlotClipRect();
  ImDrawList* list = ImPlot::GetPlotDrawList();
  list->AddRect(ImPlot::PlotToPixels(first, data.selection.head - 0.5),
                ImPlot::PlotToPixels(last, data.selection.head + 0.5), packed(theme.text), 0, 0, 1.4F * theme.scale);
  const auto token = static_cast<double>(data.index);
  list->AddRect(ImPlot::PlotToPixels(token - 0.5, -0.5), ImPlot::PlotToPixels(token + 0.5, shares.heads - 0.5),
                packed(theme.accent), 0, 0, 1.2F * theme.scale);
  ImPlot::PopPlotClipRect();
  map_mouse(context, data);
  end_plot(context, [&] { return shares_table(shares); });
}

}  // namespace app
