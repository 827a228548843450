// The plane of mu dt with the steps of the shown token: the exponential rules keep the whole left half from growing,
// the explicit Euler of textbooks only a disc.
#include "app/panels/discretisation.h"
#include "app/panels/laboratory.h"
#include "app/panels/parts.h"
#include "app/panels/plot.h"
#include "app/viewmodel/numbers.h"
#include "app/viewmodel/shown.h"

#include <algorithm>
#include <cmath>
#include <vector>

namespace app {

namespace {

// A textbook rule's disc: explicit Euler is stable inside its own, implicit Euler outside of its own.
void draw_disc(const Theme& theme, engine::RuleKind kind, double centre, const char* name, bool filled) {
  ImDrawList* list = ImPlot::GetPlotDrawList();
  const ImVec4 colour = rule_colour(theme, kind);
  const ImVec2 middle = ImPlot::PlotToPixels(centre, 0), edge = ImPlot::PlotToPixels(centre + 1, 0);
  const float radius = edge.x - middle.x, size = small_size(theme) * 0.92F;
  if (filled) list->AddCircleFilled(middle, radius, packed(colour, 0.12F), 48);
  list->AddCircle(middle, radius, packed(colour, 0.85F), 48, 1.2F * theme.scale);
  const float width = theme.words->CalcTextSizeA(size, 1e9F, 0, name).x;
  // Inside where it fits, else below.
  const float y = width < 1.8F * radius ? middle.y - size * 0.6F : middle.y + radius + size * 0.2F;
  list->AddText(theme.words, size, {middle.x - width / 2, y}, packed(colour), name);
}

void draw_regions(const Theme& theme, const LabSettings& settings) {
  ImDrawList* list = ImPlot::GetPlotDrawList();
  const ImPlotRect limits = ImPlot::GetPlotLimits();
  const ImVec2 origin = ImPlot::PlotToPixels(0, 0);
  const ImVec2 top = ImPlot::PlotToPixels(limits.X.Min, limits.Y.Max), bottom = ImPlot::PlotToPixels(0, limits.Y.Min);
  list->AddRectFilled(top, {origin.x, bottom.y}, packed(theme.success, 0.06F));
  list->AddLine({origin.x, top.y}, {origin.x, bottom.y}, packed(theme.success, 0.6F), theme.scale);
  const float size = small_size(theme) * 0.92F;
  const bool bilinear = settings.shown[static_cast<std::size_t>(engine::RuleKind::bilinear)];
  // Between the disc and the line of half a turn, where nothing else is written.
  const float above_disc = ImPlot::PlotToPixels(0, 1).y - size * 1.35F;
  list->AddText(theme.words, size, {top.x + 4 * theme.scale, above_disc}, packed(theme.success),
                bilinear ? "stable: exponential rules, holds, bilinear" : "stable: exponential rules, holds");
  draw_disc(theme, engine::RuleKind::forward_euler, -1, "explicit Euler", true);
  if (settings.shown[static_cast<std::size_t>(engine::RuleKind::backward_euler)])
    draw_disc(theme, engine::RuleKind::backward_euler, 1, "backward Euler: outside", false);
  for (const double half : {-pi, pi}) {
    if (!limits.Y.Contains(half)) continue;
    const ImVec2 left = ImPlot::PlotToPixels(limits.X.Min, half), right = ImPlot::PlotToPixels(limits.X.Max, half);
    list->AddLine(left, right, packed(theme.value, 0.35F), theme.scale);
    const float inside = half > 0 ? theme.scale : -size * 1.15F;
    list->AddText(theme.words, size, {left.x + 4 * theme.scale, left.y + inside}, packed(theme.value, 0.9F),
                  "half a turn");
  }
}

}  // namespace

void draw_stability(PanelContext& context, const DiscretisationData& data, ImVec2 size) {
  static ViewKey fitted;
  const Theme& theme = context.theme;
  const StabilityPoints& points = data.stability;
  if (points.head_re.empty()) {
    note(theme, "The coefficients of this token were not kept. Seek to it to have them again.");
    return;
  }
  if (!begin_plot(context, "##stability", size, "Re μdt = A dt", "Im μdt = −Δθ rad",
                  ImPlotFlags_Equal | ImPlotFlags_NoLegend)) {
    return;
  }
  ViewKey shape = data.key;  // another size asks for another fit
  shape.extra = static_cast<int>(size.x) * 4096 + static_cast<int>(size.y);
  const bool fresh = !(fitted == shape);
  fitted = shape;
  // ImPlot keeps x and fits y to it: x is as wide as the area makes it, with the axis at four fifths.
  const double reach = std::clamp(points.reach, 2.0, 12.0) * 1.25;
  const double wide =
      2 * reach * std::max(0.3F, (size.x - 62 * theme.scale) / std::max(size.y - 46 * theme.scale, 40.0F));
  const double right = std::min(0.2 * wide, reach);
  ImPlot::SetupAxesLimits(right - wide, right, -reach, reach, fresh ? ImPlotCond_Always : ImPlotCond_Once);
  ImPlot::SetupFinish();
  ImPlot::PushPlotClipRect();
  draw_regions(theme, context.workspace.discretisation.lab);
  ImPlot::PopPlotClipRect();
  ImPlotSpec others = line_spec(theme.secondary);
  others.Marker = ImPlotMarker_Circle;
  others.MarkerSize = 1.4F * theme.scale;
  others.FillAlpha = 0.6F;
  ImPlot::PlotScatter("other heads", points.re.data(), points.im.data(), static_cast<int>(points.re.size()), others);
  ImPlotSpec own = line_spec(theme.accent);
  own.Marker = ImPlotMarker_Diamond;
  own.MarkerSize = 3.2F * theme.scale;
  ImPlot::PlotScatter("this head", points.head_re.data(), points.head_im.data(),
                      static_cast<int>(points.head_re.size()), own);
  const LabSettings& lab = context.workspace.discretisation.lab;
  if (!lab.follow_head) {
    const double re = lab.problem.a * lab.dt, im = -lab.problem.omega * lab.dt;
    ImPlotSpec set = line_spec(theme.value, 1.6F * theme.scale);
    set.Marker = ImPlotMarker_Cross;
    set.MarkerSize = 5 * theme.scale;
    ImPlot::PlotScatter("the test signal's step", &re, &im, 1, set);
  }
  if (ImPlot::IsPlotHovered()) {
    const ImPlotPoint mouse = ImPlot::GetPlotMousePos();
    const double growth = std::hypot(1 + mouse.x, mouse.y);
    ImGui::SetTooltip(
        "μdt = %s %s %si\nexponential rules multiply by %s, explicit Euler by %s\n%d of this head's %zu pairs lie "
        "outside explicit Euler's disc",
        number_text(mouse.x, 3).c_str(), mouse.y < 0 ? "-" : "+", number_text(std::abs(mouse.y), 3).c_str(),
        number_text(std::exp(mouse.x), 3).c_str(), number_text(growth, 3).c_str(), points.outside_explicit_euler,
        points.head_re.size());
  }
  end_plot(context, [&] {
    return Table{"stability",
                 {{"this head Re mu dt", points.head_re},
                  {"this head Im mu dt (rad)", points.head_im},
                  {"other heads Re mu dt", points.re},
                  {"other heads Im mu dt (rad)", points.im}}};
  });
}

}  // namespace app
