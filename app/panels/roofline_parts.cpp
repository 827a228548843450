#include "app/panels/roofline_parts.h"

#include "app/panels/parts.h"
#include "app/panels/plot.h"
#include "app/viewmodel/numbers.h"

#include <fmt/format.h>
#include <implot.h>

#include <cmath>
#include <string>

namespace app {

void setup_intensities(double low, double high) {
  static std::vector<std::string> words;  // outlives SetupFinish
  const bool few = high / low < 200;
  std::vector<double> at;
  std::vector<const char*> labels;
  words.clear();
  for (int exponent = -4; exponent <= 6; ++exponent)
    for (const double digit : {1.0, 2.0, 5.0}) {
      const double value = digit * std::pow(10.0, exponent);
      if (value < low || value > high || (!few && digit > 1)) continue;
      at.push_back(value);
      words.push_back(number_text(value, 2));
    }
  labels.reserve(words.size());
  for (const std::string& word : words) labels.push_back(word.c_str());
  if (!at.empty()) ImPlot::SetupAxisTicks(ImAxis_X1, at.data(), static_cast<int>(at.size()), labels.data());
}

namespace {

void line(const Theme& theme, ImVec2 from, ImVec2 to, Labels& labels) {
  ImPlot::GetPlotDrawList()->AddLine(from, to, packed(theme.value), 1.8F * theme.scale);
  // Names keep off the line.
  for (int i = 0; i < 64; ++i) {
    const float t = (static_cast<float>(i) + 0.5F) / 64, half = 0.5F * std::abs(to.y - from.y) / 64 + 1;
    const ImVec2 on(from.x + t * (to.x - from.x), from.y + t * (to.y - from.y));
    labels.keep_clear({{on.x - 1, on.y - half}, {on.x + 1, on.y + half}});
  }
}

void words_at(const Theme& theme, ImVec2 corner, ImVec2 size, const std::string& words, Labels& labels) {
  ImPlot::GetPlotDrawList()->AddText(corner, packed(theme.value), words.c_str());
  labels.keep_clear({corner, {corner.x + size.x, corner.y + size.y}});
}

}  // namespace

void draw_roof(const Theme& theme, double copy_gb_per_s, double peak_gflop_per_s, Labels& labels) {
  const ImPlotRect limits = ImPlot::GetPlotLimits();
  const ImVec2 low = ImPlot::GetPlotPos(), extent = ImPlot::GetPlotSize();
  const double edge = copy_gb_per_s > 0 && peak_gflop_per_s > 0 ? peak_gflop_per_s / copy_gb_per_s : limits.X.Max;
  if (copy_gb_per_s > 0) {
    const auto at = [&](double x) { return ImPlot::PlotToPixels(x, x * copy_gb_per_s); };
    const ImVec2 from = at(limits.X.Min), to = at(std::min(edge, limits.X.Max));
    line(theme, from, to, labels);
    const std::string words = fmt::format("copy rate {} GB/s, measured", number_text(copy_gb_per_s, 3));
    const ImVec2 size = ImGui::CalcTextSize(words.c_str());
    // Above the roof, where it is free of points: no stage that really comes from memory can lie there.
    const float slope = (to.y - from.y) / std::max(1.0F, to.x - from.x);
    for (int step = 0; step < 40; ++step) {
      const float x = low.x + 4 * theme.scale + static_cast<float>(step) / 40 * (extent.x - size.x - 8 * theme.scale);
      const float y = from.y + slope * (x + size.x - from.x) - size.y - 3 * theme.scale;
      const ImRect wanted({x, y}, {x + size.x, y + size.y});
      if (y < low.y || y + size.y > low.y + extent.y || labels.taken(wanted)) continue;
      words_at(theme, {x, y}, size, words, labels);
      break;
    }
  }
  if (peak_gflop_per_s > 0) {
    const ImVec2 from =
        ImPlot::PlotToPixels(copy_gb_per_s > 0 ? std::max(edge, limits.X.Min) : limits.X.Min, peak_gflop_per_s);
    const ImVec2 to = ImPlot::PlotToPixels(limits.X.Max, peak_gflop_per_s);
    if (from.x >= to.x) return;
    line(theme, from, to, labels);
    const std::string words = fmt::format("fp32 peak {} TFLOP/s", number_text(peak_gflop_per_s / 1e3, 3));
    const ImVec2 size = ImGui::CalcTextSize(words.c_str());
    const float right = std::min(to.x, low.x + extent.x) - 4 * theme.scale;
    for (const float y : {from.y - size.y - 3 * theme.scale, from.y + 3 * theme.scale}) {
      const ImRect wanted({right - size.x, y}, {right, y + size.y});
      if (wanted.Min.y < low.y || wanted.Min.x < low.x || labels.taken(wanted)) continue;
      words_at(theme, wanted.Min, size, words, labels);
      break;
    }
  }
}

}  // namespace app
