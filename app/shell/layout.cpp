#include "app/shell/layout.h"

#include "app/panels/empty_state.h"
#include "app/panels/model_menu.h"
#include "app/shell/frame_stats.h"
#include "app/viewmodel/word_filter.h"

#include <imgui_internal.h>

#include <algorithm>
#include <array>
#include <chrono>

namespace app {
namespace {

struct DockedPanel {
  const char* name;
  void (*draw)(PanelContext&);
};
constexpr std::array<DockedPanel, 11> docked_panels = {{{"Model map", draw_model_map},
                                                        {"Inspector", draw_inspector},
                                                        {"State rotations", draw_rotations},
                                                        {"State", draw_state},
                                                        {"Discretisation", draw_discretisation},
                                                        {"Interventions", draw_interventions},
                                                        {"Accuracy", draw_accuracy},
                                                        {"Parity", draw_parity},
                                                        {"Predictions", draw_predictions},
                                                        {"Discretisation error", draw_errors},
                                                        {"Kernel timings", draw_timings}}};

constexpr ImGuiWindowFlags bar_flags = ImGuiWindowFlags_NoDecoration | ImGuiWindowFlags_NoMove |
                                       ImGuiWindowFlags_NoDocking | ImGuiWindowFlags_NoSavedSettings |
                                       ImGuiWindowFlags_NoBringToFrontOnFocus | ImGuiWindowFlags_NoNav;

ImU32 packed(const ImVec4& colour) { return ImGui::ColorConvertFloat4ToU32(colour); }

// What stands in the panels while the active document has nothing to draw: the middle one explains, the others wait.
void draw_document_state(PanelContext& context, bool middle) {
  Workspace& workspace = context.workspace;
  const Theme& theme = context.theme;
  if (!middle) {
    draw_empty_state(theme, "", workspace.documents.empty() ? "No model is open." : "");
    return;
  }
  if (workspace.documents.empty()) {
    draw_empty_state(theme, "No model is open",
                     "Mambascope steps a Mamba-3 language model token by token and shows its rotating state.");
    for (const std::string& model : engine::builtin_models()) {
      const float width = 200 * theme.scale;
      ImGui::SetCursorPosX(ImGui::GetCursorPosX() + std::max(0.0F, (ImGui::GetContentRegionAvail().x - width) / 2));
      if (ImGui::Button(("Open " + model).c_str(), {width, 0})) workspace.requests.open_model = model;
    }
    return;
  }
  const Document& document = workspace.document();
  if (!document.error) {
    draw_opening(context);
    return;
  }
  if (draw_empty_state(theme, document.name + " cannot be opened", document.error->message, "Open parity instead"))
    workspace.requests.open_model = "parity";
}

void draw_bar_content(PanelContext& context, void (*draw)(PanelContext&)) {
  const bool recorded = context.workspace.recorded();
  if (context.workspace.ready() || (recorded && draw == draw_trust_strip))
    draw(context);
  else if (draw == draw_transport)
    draw_closed_transport(context);
  else if (recorded && draw == draw_token_strip)
    draw_recorded_strip(context);
}

void draw_timed(PanelContext& context, const DockedPanel& panel) {
  using Clock = std::chrono::steady_clock;
  const auto begin = Clock::now();
  panel.draw(context);
  frame_parts().push_back({panel.name, std::chrono::duration<double, std::milli>(Clock::now() - begin).count()});
}

void draw_content(PanelContext& context, const DockedPanel& panel) {
  if (context.workspace.ready() || (context.workspace.recorded() && panel.draw == draw_timings))
    draw_timed(context, panel);
  else if (context.workspace.recorded() && panel.draw == draw_model_map)
    draw_recorded_layers(context);
  else if (context.workspace.recorded())
    draw_empty_state(context.theme, "Not recorded", "A recorded profile holds times. Open a model to see its states.");
  else
    draw_document_state(context, panel.draw == draw_rotations);
}

// Gives the docked window a rounded border around its whole node and a line below the chosen tab.
void draw_frame(const Theme& theme) {
  ImGuiWindow* window = ImGui::GetCurrentWindow();
  const ImGuiDockNode* node = window->DockNode;
  const ImVec2 low = node != nullptr ? node->Pos : window->Pos;
  const ImVec2 high = node != nullptr ? ImVec2(node->Pos.x + node->Size.x, node->Pos.y + node->Size.y)
                                      : ImVec2(window->Pos.x + window->Size.x, window->Pos.y + window->Size.y);
  ImDrawList* list = window->DrawList;
  const float radius = 6 * theme.scale, edge = 0.5F;
  list->PushClipRect(low, high, false);
  const ImU32 outside = packed(theme.window);
  const std::array<ImVec2, 4> corners = {low, {high.x, low.y}, high, {low.x, high.y}};
  for (int i = 0; i < 4; ++i) {
    const ImVec2 corner = corners[static_cast<std::size_t>(i)];
    const ImVec2 centre(corner.x + (i == 0 || i == 3 ? radius : -radius), corner.y + (i < 2 ? radius : -radius));
    // Star-shaped seen from the corner: a fan of triangles.
    list->PathArcToFast(centre, radius, 6 + 3 * i, 9 + 3 * i);
    for (int k = 0; k + 1 < list->_Path.Size; ++k)
      list->AddTriangleFilled(corner, list->_Path[k], list->_Path[k + 1], outside);
    list->PathClear();
  }
  list->AddRect({low.x + edge, low.y + edge}, {high.x - edge, high.y - edge}, packed(theme.border), radius, 0, 1.0F);
  if (node != nullptr && node->TabBar != nullptr) {
    const ImGuiTabBar& bar = *node->TabBar;
    const float y = bar.BarRect.Max.y;
    list->AddLine({low.x + 1, y - edge}, {high.x - 1, y - edge}, packed(theme.border));
    for (const ImGuiTabItem& tab : bar.Tabs) {
      if (tab.ID != bar.VisibleTabId) continue;
      const float x = bar.BarRect.Min.x + tab.Offset - bar.ScrollingAnim, pad = 8 * theme.scale;
      list->AddRectFilled({x + pad, y - 2 * theme.scale}, {x + tab.Width - pad, y}, packed(theme.accent));
    }
  }
  list->PopClipRect();
}

}  // namespace

std::string find_panel(std::string_view name) {
  const std::string wanted = lower(name);
  for (const DockedPanel& panel : docked_panels)
    if (lower(panel.name) == wanted) return panel.name;
  for (const DockedPanel& panel : docked_panels)
    if (!wanted.empty() && lower(panel.name).find(wanted) != std::string::npos) return panel.name;
  return {};
}

const std::vector<std::string>& panel_names() {
  static const std::vector<std::string> names = [] {
    std::vector<std::string> all;
    all.reserve(docked_panels.size());
    for (const DockedPanel& panel : docked_panels) all.emplace_back(panel.name);
    return all;
  }();
  return names;
}

void Layout::keep_restored(int shape) {
  if (shape < 0 || shape > static_cast<int>(Shape::small)) return;
  shape_ = static_cast<Shape>(shape);
  rebuild_ = false;
}

void Layout::focus(const std::string& panel) {
  focus_ = panel;
  focus_in_ = rebuild_ ? 2 : 0;
}

void Layout::draw(PanelContext& context) {
  if (!fill_.empty()) {
    draw_filled(context);
    return;
  }
  if (context.workspace.recorded())
    draw_recorded(context);
  else
    draw_docked(context);
}

float Layout::draw_bar(PanelContext& context, const char* name, float y, float height, void (*content)(PanelContext&)) {
  const ImGuiViewport& viewport = *ImGui::GetMainViewport();
  const float margin = 8 * context.theme.scale;
  ImGui::SetNextWindowPos({viewport.WorkPos.x + margin, viewport.WorkPos.y + y});
  ImGui::SetNextWindowSize({std::max(32.0F, viewport.WorkSize.x - 2 * margin), height});
  float needed = height;
  // One that comes up must not close a menu that is open.
  if (ImGui::Begin(name, nullptr, bar_flags | ImGuiWindowFlags_NoFocusOnAppearing)) {
    content(context);
    const ImGuiWindow* window = ImGui::GetCurrentWindow();
    needed = window->DC.CursorMaxPos.y - window->Pos.y + window->WindowPadding.y;
  }
  ImGui::End();
  return needed;
}

ImVec2 Layout::draw_bars(PanelContext& context) {
  const Theme& theme = context.theme;
  const ImGuiViewport& viewport = *ImGui::GetMainViewport();
  const float s = theme.scale, gap = 8 * s;
  // The transport is as high as its rows were in the last frame: they wrap where the window is narrow.
  const float row = ImGui::GetFrameHeight() + 16 * s, strip = 54 * s, trust = 26 * s;
  const float transport = std::clamp(transport_height_, row, 5 * row);

  ImGui::PushStyleVar(ImGuiStyleVar_WindowPadding, ImVec2(12 * s, 8 * s));
  transport_height_ =
      draw_bar(context, "Transport", gap, transport, [](PanelContext& c) { draw_bar_content(c, draw_transport); });
  ImGui::PopStyleVar();
  // Where there are several branches they have a bar of their own.
  const bool branched = context.workspace.ready() && context.workspace.document().snapshot->branches.size() > 1;
  const float branches = branched ? 30 * s : 0;
  if (branched) {
    ImGui::PushStyleVar(ImGuiStyleVar_WindowPadding, ImVec2(10 * s, 5 * s));
    draw_bar(context, "Branches", 2 * gap + transport, branches, draw_branches);
    ImGui::PopStyleVar();
  }
  const float top = 2 * gap + transport + (branched ? branches + gap : 0);
  ImGui::PushStyleVar(ImGuiStyleVar_WindowPadding, ImVec2(10 * s, 6 * s));
  draw_bar(context, "Token strip", top, strip, [](PanelContext& c) { draw_bar_content(c, draw_token_strip); });
  ImGui::PopStyleVar();
  ImGui::PushStyleVar(ImGuiStyleVar_WindowPadding, ImVec2(12 * s, 4 * s));
  draw_bar(context, "Trust strip", viewport.WorkSize.y - gap - trust, trust,
           [](PanelContext& c) { draw_bar_content(c, draw_trust_strip); });
  ImGui::PopStyleVar();
  return {top + strip + gap, viewport.WorkSize.y - 2 * gap - trust};
}

void Layout::draw_recorded(PanelContext& context) {
  const ImGuiViewport& viewport = *ImGui::GetMainViewport();
  const float gap = 8 * context.theme.scale;
  const ImVec2 between = draw_bars(context);
  const float height = std::max(64.0F, between.y - between.x), width = std::max(64.0F, viewport.WorkSize.x - 2 * gap);
  const float left = std::floor(std::min(260 * context.theme.scale, 0.24F * width));
  ImGui::SetNextWindowPos({viewport.WorkPos.x + gap, viewport.WorkPos.y + between.x});
  ImGui::SetNextWindowSize({left, height});
  if (ImGui::Begin("Recorded layers", nullptr, bar_flags)) draw_recorded_layers(context);
  ImGui::End();
  ImGui::SetNextWindowPos({viewport.WorkPos.x + 2 * gap + left, viewport.WorkPos.y + between.x});
  ImGui::SetNextWindowSize({std::max(64.0F, width - left - gap), height});
  if (ImGui::Begin("Recorded times", nullptr, bar_flags)) draw_timings(context);
  ImGui::End();
}

void Layout::draw_docked(PanelContext& context) {
  const Theme& theme = context.theme;
  const ImGuiViewport& viewport = *ImGui::GetMainViewport();
  const float s = theme.scale, gap = 8 * s;
  const ImVec2 between = draw_bars(context);

  // The dock space lies between the bars, in a window of its own without looks.
  const ImVec2 size(std::max(64.0F, viewport.WorkSize.x - 2 * gap), std::max(64.0F, between.y - between.x));
  ImGui::SetNextWindowPos({viewport.WorkPos.x + gap, viewport.WorkPos.y + between.x});
  ImGui::SetNextWindowSize(size);
  ImGui::PushStyleVar(ImGuiStyleVar_WindowPadding, ImVec2(0, 0));
  ImGui::PushStyleVar(ImGuiStyleVar_WindowBorderSize, 0.0F);
  ImGui::PushStyleVar(ImGuiStyleVar_WindowRounding, 0.0F);
  ImGui::PushStyleColor(ImGuiCol_WindowBg, theme.window);
  ImGui::Begin("Dock", nullptr, bar_flags | ImGuiWindowFlags_NoBackground);
  ImGui::PopStyleVar(3);
  const Shape shape = size.x / s >= 1100 && size.y / s >= 500  ? Shape::wide
                      : size.x / s >= 620 && size.y / s >= 330 ? Shape::medium
                                                               : Shape::small;
  const ImGuiID dock = ImGui::GetID("DockSpace");
  if (rebuild_ || shape != shape_) {
    shape_ = shape;
    const std::string wanted = focus_.empty() ? "State rotations" : focus_;
    build(dock, size, s);
    focus(wanted);
    rebuild_ = false;
  }
  ImGui::PushStyleColor(ImGuiCol_Border, ImVec4(0, 0, 0, 0));
  ImGui::PushStyleColor(ImGuiCol_Separator, theme.window);  // the gaps, in the window's colour
  ImGui::PushStyleVar(ImGuiStyleVar_FramePadding, ImVec2(8 * s, 6 * s));
  ImGui::DockSpace(dock, {0, 0}, ImGuiDockNodeFlags_NoWindowMenuButton | ImGuiDockNodeFlags_NoCloseButton);
  ImGui::PopStyleVar();
  ImGui::PopStyleColor(3);
  ImGui::End();

  const bool focus_now = focus_in_ == 0;
  if (focus_in_ > 0) --focus_in_;
  for (const DockedPanel& panel : docked_panels) {
    if (focus_now && focus_ == panel.name) {
      ImGui::SetNextWindowFocus();
      focus_.clear();
    }
    // An arrangement that was kept before the panel existed has no place for it: it joins the middle.
    if (const ImGuiWindow* middle = ImGui::FindWindowByName("State rotations"))
      ImGui::SetNextWindowDockID(middle->DockId, ImGuiCond_FirstUseEver);
    ImGui::PushStyleVar(ImGuiStyleVar_WindowBorderSize, 0.0F);
    if (ImGui::Begin(panel.name, nullptr, ImGuiWindowFlags_NoCollapse)) {
      ImGui::PopStyleVar();
      draw_content(context, panel);
      draw_frame(theme);
    } else {
      ImGui::PopStyleVar();
    }
    ImGui::End();
  }
}

void Layout::draw_filled(PanelContext& context) {
  const ImGuiViewport& viewport = *ImGui::GetMainViewport();
  for (const DockedPanel& panel : docked_panels) {
    if (fill_ != panel.name) continue;
    ImGui::SetNextWindowPos(viewport.WorkPos);
    ImGui::SetNextWindowSize(viewport.WorkSize);
    const std::string name = fill_ + "##filled";
    if (ImGui::Begin(name.c_str(), nullptr, bar_flags)) draw_content(context, panel);
    ImGui::End();
  }
}

void Layout::build(unsigned int dock, ImVec2 size, float scale) {
  ImGui::DockBuilderRemoveNode(dock);
  ImGui::DockBuilderAddNode(dock, ImGuiDockNodeFlags_DockSpace);
  ImGui::DockBuilderSetNodeSize(dock, size);
  const auto place = [](const char* panel, ImGuiID node) { ImGui::DockBuilderDockWindow(panel, node); };
  if (shape_ == Shape::small) {
    for (const DockedPanel& panel : docked_panels) place(panel.name, dock);
    ImGui::DockBuilderFinish(dock);
    return;
  }
  const auto share = [](float wanted, float whole, float low, float high) {
    return std::clamp(wanted / whole, low, high);
  };
  ImGuiID centre = dock, bottom = 0, left = 0, right = 0;
  if (shape_ == Shape::medium) {
    ImGui::DockBuilderSplitNode(centre, ImGuiDir_Right, 0.36F, &right, &centre);
    for (const char* panel :
         {"State rotations", "State", "Discretisation", "Interventions", "Accuracy", "Parity", "Kernel timings"})
      place(panel, centre);
    ImGuiID right_low = right;
    if (size.y >= 340 * scale) ImGui::DockBuilderSplitNode(right, ImGuiDir_Down, 0.5F, &right_low, &right);
    for (const char* panel : {"Model map", "Inspector"}) place(panel, right);
    for (const char* panel : {"Predictions", "Discretisation error"}) place(panel, right_low);
    ImGui::DockBuilderFinish(dock);
    return;
  }
  ImGuiID left_low = 0, right_low = 0;
  ImGui::DockBuilderSplitNode(centre, ImGuiDir_Down, share(232 * scale, size.y, 0.24F, 0.36F), &bottom, &centre);
  ImGui::DockBuilderSplitNode(centre, ImGuiDir_Left, share(300 * scale, size.x, 0.19F, 0.25F), &left, &centre);
  ImGui::DockBuilderSplitNode(centre, ImGuiDir_Right, share(390 * scale, size.x * 0.8F, 0.28F, 0.31F), &right, &centre);
  // The inspector has a dozen lines whatever the model; a small model's map needs less.
  ImGui::DockBuilderSplitNode(left, ImGuiDir_Down, share(300 * scale, size.y * 0.7F, 0.48F, 0.55F), &left_low, &left);
  ImGui::DockBuilderSplitNode(right, ImGuiDir_Down, 0.60F, &right_low, &right);
  place("Model map", left);
  place("Inspector", left_low);
  place("State rotations", centre);
  place("State", centre);
  place("Discretisation", centre);
  place("Interventions", centre);
  place("Accuracy", centre);
  place("Parity", centre);
  place("Predictions", right);
  place("Discretisation error", right_low);
  place("Kernel timings", bottom);
  ImGui::DockBuilderFinish(dock);
}

}  // namespace app
