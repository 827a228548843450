#include "app/theme/theme.h"

#include <implot.h>

namespace app {
namespace {

ImVec4 mix(const ImVec4& from, const ImVec4& to, float share) {
  return {from.x + share * (to.x - from.x), from.y + share * (to.y - from.y), from.z + share * (to.z - from.z), 1.0F};
}
ImVec4 faded(const ImVec4& colour, float alpha) { return {colour.x, colour.y, colour.z, alpha}; }

void colour_widgets(const Theme& theme, ImVec4* colours) {
  const ImVec4 control = mix(theme.panel, theme.border, 0.6F);
  const ImVec4 hovered = mix(theme.panel, theme.secondary, 0.22F);
  const ImVec4 pressed = mix(theme.panel, theme.accent, 0.45F);
  const ImVec4 none(0, 0, 0, 0);
  colours[ImGuiCol_Text] = theme.text;
  colours[ImGuiCol_TextDisabled] = theme.faint;
  colours[ImGuiCol_WindowBg] = theme.panel;
  colours[ImGuiCol_ChildBg] = none;
  colours[ImGuiCol_PopupBg] = mix(theme.panel, theme.light ? theme.window : theme.border, 0.25F);
  colours[ImGuiCol_Border] = theme.border;
  colours[ImGuiCol_FrameBg] = theme.light ? theme.window : theme.well;
  colours[ImGuiCol_FrameBgHovered] = hovered;
  colours[ImGuiCol_FrameBgActive] = hovered;
  colours[ImGuiCol_TitleBg] = colours[ImGuiCol_TitleBgActive] = colours[ImGuiCol_TitleBgCollapsed] = theme.panel;
  colours[ImGuiCol_MenuBarBg] = theme.panel;
  colours[ImGuiCol_ScrollbarBg] = none;
  colours[ImGuiCol_ScrollbarGrab] = mix(theme.panel, theme.secondary, 0.35F);
  colours[ImGuiCol_ScrollbarGrabHovered] = colours[ImGuiCol_ScrollbarGrabActive] = theme.faint;
  colours[ImGuiCol_CheckMark] = theme.accent;
  colours[ImGuiCol_SliderGrab] = theme.accent_filled;
  colours[ImGuiCol_SliderGrabActive] = theme.accent;
  colours[ImGuiCol_Button] = control;
  colours[ImGuiCol_ButtonHovered] = hovered;
  colours[ImGuiCol_ButtonActive] = pressed;
  colours[ImGuiCol_Header] = faded(theme.accent_filled, 0.30F);
  colours[ImGuiCol_HeaderHovered] = hovered;
  colours[ImGuiCol_HeaderActive] = pressed;
  colours[ImGuiCol_Separator] = theme.border;
  colours[ImGuiCol_SeparatorHovered] = colours[ImGuiCol_SeparatorActive] = theme.accent_filled;
  colours[ImGuiCol_ResizeGrip] = none;
  colours[ImGuiCol_ResizeGripHovered] = colours[ImGuiCol_ResizeGripActive] = theme.accent_filled;
  colours[ImGuiCol_InputTextCursor] = theme.accent;
  // A tab is a word with a line below it (drawn by the layout), not a box.
  colours[ImGuiCol_Tab] = colours[ImGuiCol_TabDimmed] = theme.panel;
  colours[ImGuiCol_TabSelected] = colours[ImGuiCol_TabDimmedSelected] = theme.panel;
  colours[ImGuiCol_TabHovered] = hovered;
  colours[ImGuiCol_TabSelectedOverline] = colours[ImGuiCol_TabDimmedSelectedOverline] = none;
  colours[ImGuiCol_DockingPreview] = faded(theme.accent_filled, 0.5F);
  colours[ImGuiCol_DockingEmptyBg] = theme.window;
  colours[ImGuiCol_PlotLines] = theme.accent;
  colours[ImGuiCol_PlotHistogram] = theme.accent_filled;
  colours[ImGuiCol_TableHeaderBg] = theme.panel;
  colours[ImGuiCol_TableBorderStrong] = colours[ImGuiCol_TableBorderLight] = theme.border;
  colours[ImGuiCol_TableRowBg] = none;
  colours[ImGuiCol_TableRowBgAlt] = faded(theme.secondary, 0.05F);
  colours[ImGuiCol_TextLink] = theme.accent;
  colours[ImGuiCol_TextSelectedBg] = faded(theme.accent_filled, 0.45F);
  colours[ImGuiCol_NavCursor] = theme.accent;
  colours[ImGuiCol_ModalWindowDimBg] = faded(theme.window, 0.6F);
}

void colour_plots(const Theme& theme, ImPlotStyle& style) {
  style.Colors[ImPlotCol_FrameBg] = ImVec4(0, 0, 0, 0);
  style.Colors[ImPlotCol_PlotBg] = theme.well;
  style.Colors[ImPlotCol_PlotBorder] = theme.border;
  style.Colors[ImPlotCol_LegendBg] = faded(theme.panel, 0.85F);
  style.Colors[ImPlotCol_LegendBorder] = ImVec4(0, 0, 0, 0);
  style.Colors[ImPlotCol_LegendText] = theme.secondary;
  style.Colors[ImPlotCol_TitleText] = theme.text;
  style.Colors[ImPlotCol_InlayText] = theme.secondary;
  style.Colors[ImPlotCol_AxisText] = theme.faint;
  style.Colors[ImPlotCol_AxisGrid] = faded(theme.secondary, theme.light ? 0.25F : 0.16F);
  style.Colors[ImPlotCol_AxisTick] = faded(theme.secondary, 0.4F);
  style.Colors[ImPlotCol_AxisBgHovered] = faded(theme.accent_filled, 0.15F);
  style.Colors[ImPlotCol_AxisBgActive] = faded(theme.accent_filled, 0.3F);
  style.Colors[ImPlotCol_Selection] = theme.accent;
  style.Colors[ImPlotCol_Crosshairs] = theme.secondary;
}

}  // namespace

void apply_style(const Theme& theme) {
  ImGuiStyle style;
  style.FontSizeBase = ImGui::GetStyle().FontSizeBase;
  style.FontScaleMain = theme.scale;
  style.WindowPadding = ImVec2(12, 10);
  style.FramePadding = ImVec2(8, 4);
  style.ItemSpacing = ImVec2(8, 6);
  style.ItemInnerSpacing = ImVec2(6, 4);
  style.CellPadding = ImVec2(6, 3);
  style.ScrollbarSize = 10;
  style.WindowRounding = style.ChildRounding = style.PopupRounding = 5;
  style.FrameRounding = style.GrabRounding = style.TabRounding = 4;
  style.ScrollbarRounding = 5;
  style.WindowBorderSize = style.ChildBorderSize = style.PopupBorderSize = 1;
  style.FrameBorderSize = 1;
  style.TabBorderSize = style.TabBarBorderSize = style.TabBarOverlineSize = 0;
  style.TabMinWidthShrink = 400;  // tabs that have no room scroll; their names are not cut
  style.DockingSeparatorSize = 8;
  style.WindowMinSize = ImVec2(32, 16);
  style.WindowMenuButtonPosition = ImGuiDir_None;
  style.HoverDelayShort = 0.15F;
  colour_widgets(theme, style.Colors);
  style.ScaleAllSizes(theme.scale);
  // Lines stay hairlines until twice the size.
  style.WindowBorderSize = style.ChildBorderSize = style.PopupBorderSize = style.FrameBorderSize =
      theme.scale >= 1.75F ? 2.0F : 1.0F;
  ImGui::GetStyle() = style;

  ImPlotStyle plot;
  const float s = theme.scale;
  plot.PlotPadding = ImVec2(6 * s, 6 * s);
  plot.LabelPadding = ImVec2(4 * s, 4 * s);
  plot.LegendPadding = ImVec2(6 * s, 6 * s);
  plot.LegendInnerPadding = ImVec2(4 * s, 2 * s);
  plot.LegendSpacing = ImVec2(10 * s, 1 * s);
  plot.MousePosPadding = ImVec2(6 * s, 6 * s);
  plot.PlotMinSize = ImVec2(80 * s, 50 * s);
  plot.MajorTickLen = ImVec2(4 * s, 4 * s);
  plot.MinorTickLen = ImVec2(2 * s, 2 * s);
  plot.MinorAlpha = 0.4F;
  plot.PlotBorderSize = 1;
  plot.UseISO8601 = plot.Use24HourClock = true;
  colour_plots(theme, plot);
  ImPlot::GetStyle() = plot;
}

}  // namespace app
