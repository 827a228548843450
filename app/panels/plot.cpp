#include "app/panels/plot.h"

#include "app/commands/output_file.h"
#include "app/panels/parts.h"
#include "app/viewmodel/numbers.h"

#include <fmt/core.h>
#include <implot_internal.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <map>
#include <ostream>
#include <string>
#include <system_error>
#include <vector>

namespace app {

namespace {

ImGuiID fit_next = 0;  // the plot that the menu asked to fit

// A figure that the menu asked to write: in a later frame, when the menu is gone and no tool tip covers it.
struct PendingPicture {
  ImGuiID id = 0;
  int frame = 0;  // that asked
  std::string name;

  bool due(ImGuiID of) const { return id != 0 && id == of && ImGui::GetFrameCount() > frame + 1; }
};
PendingPicture pending_picture;

// A file output/NAME[-n]ENDING that does not exist yet; the folder is made. `error` says why that failed.
std::filesystem::path fresh_path(const std::string& name, const char* ending, std::string& error) {
  namespace fs = std::filesystem;
  std::error_code failed;
  fs::create_directories("output", failed);
  if (failed)
    error =
        fmt::format("Could not make the folder output: {}. Start the program where you may write.", failed.message());
  fs::path path = fs::path("output") / (name + ending);
  for (int n = 2; fs::exists(path, failed) && n < 1000; ++n)
    path = fs::path("output") / fmt::format("{}-{}{}", name, n, ending);
  return path;
}

// Of this frame; the window's pixels may be denser than its coordinates.
void request_picture(Workspace& workspace, const std::string& name, ImVec2 low, ImVec2 high) {
  std::string error;
  const std::filesystem::path path = fresh_path(name, ".png", error);
  if (!error.empty()) {
    workspace.notice = error;
    return;
  }
  const ImVec2 dense = ImGui::GetIO().DisplayFramebufferScale, origin = ImGui::GetMainViewport()->Pos;
  workspace.requests.screenshot = path.string();
  workspace.requests.screenshot_area = {
      static_cast<int>((low.x - origin.x) * dense.x), static_cast<int>((low.y - origin.y) * dense.y),
      static_cast<int>((high.x - low.x) * dense.x), static_cast<int>((high.y - low.y) * dense.y)};
}

void export_items(PanelContext& context, ImGuiID figure, const std::function<Table()>& data) {
  if (ImGui::MenuItem("Export data as CSV")) context.workspace.notice = write_csv(data());
  if (ImGui::MenuItem("Export figure as PNG")) pending_picture = {figure, ImGui::GetFrameCount(), data().name};
}

// `low` and `high`: where the figure is drawn.
void keep_picture_promise(PanelContext& context, ImGuiID figure, ImVec2 low, ImVec2 high) {
  if (pending_picture.id != figure) return;
  context.workspace.requests.redraw = true;
  if (!pending_picture.due(figure)) return;
  request_picture(context.workspace, pending_picture.name, low, high);
  pending_picture = {};
}

}  // namespace

bool begin_plot(const PanelContext& context, const char* id, ImVec2 size, const char* x_label, const char* y_label,
                ImPlotFlags flags, ImPlotAxisFlags x_flags, ImPlotAxisFlags y_flags) {
  push_small(context.theme);
  if (fit_next == ImGui::GetID(id) && fit_next != 0) {
    ImPlot::SetNextAxesToFit();
    fit_next = 0;
  }
  // A plot needs its area more than its labels: a low one leaves them to the heading and the tool tip.
  const float line = ImGui::GetTextLineHeight();
  if (size.y > 0 && size.y < 8 * line) x_label = nullptr;
  if (size.y > 0 && y_label != nullptr && ImGui::CalcTextSize(y_label).x > size.y - 3 * line) y_label = nullptr;
  // ImPlot frames the whole plot when it is set up, that is later: the border stays off until end_plot.
  ImGui::PushStyleVar(ImGuiStyleVar_FrameBorderSize, 0.0F);
  ImPlot::PushStyleVar(ImPlotStyleVar_PlotPadding, ImVec2(2 * context.theme.scale, 4 * context.theme.scale));
  // The mouse, which has just left the menu, would bring up a tool tip over the figure.
  if (pending_picture.id != 0 && pending_picture.id == ImGui::GetID(id)) flags |= ImPlotFlags_NoInputs;
  const bool open =
      ImPlot::BeginPlot(id, size, flags | ImPlotFlags_NoTitle | ImPlotFlags_NoMenus | ImPlotFlags_NoMouseText);
  if (!open) {
    ImGui::PopStyleVar();
    ImPlot::PopStyleVar();
    ImGui::PopFont();
    return false;
  }
  ImPlot::SetupAxes(x_label, y_label, x_flags | ImPlotAxisFlags_NoHighlight, y_flags | ImPlotAxisFlags_NoHighlight);
  return true;
}

void end_plot(PanelContext& context, const std::function<Table()>& data) {
  const bool open = ImPlot::IsPlotHovered() && ImGui::IsMouseReleased(ImGuiMouseButton_Right) &&
                    ImGui::GetMouseDragDelta(ImGuiMouseButton_Right).x == 0;
  if (open) ImGui::OpenPopup("##plot-menu");
  bool fit = false;
  const ImRect frame = ImPlot::GetCurrentPlot()->FrameRect;
  const ImGuiID figure = ImPlot::GetCurrentPlot()->ID;
  if (ImGui::BeginPopup("##plot-menu")) {
    fit = ImGui::MenuItem("Fit", "double click");
    export_items(context, figure, data);
    ImGui::EndPopup();
  }
  ImPlot::EndPlot();
  keep_picture_promise(context, figure, frame.Min, frame.Max);
  ImGui::PopStyleVar();
  ImPlot::PopStyleVar();
  ImGui::PopFont();
  if (fit) fit_next = ImGui::GetItemID();
}

void item_menu(PanelContext& context, const char* id, const std::function<Table()>& data) {
  const ImVec2 low = ImGui::GetItemRectMin(), high = ImGui::GetItemRectMax();
  if (ImGui::IsItemHovered() && ImGui::IsMouseReleased(ImGuiMouseButton_Right)) ImGui::OpenPopup(id);
  const ImGuiID figure = ImGui::GetID(id);
  keep_picture_promise(context, figure, low, high);
  if (!ImGui::BeginPopup(id)) return;
  export_items(context, figure, data);
  ImGui::EndPopup();
}

ImPlotSpec line_spec(const ImVec4& colour, float weight) {
  ImPlotSpec spec;
  spec.LineColor = colour;
  spec.LineWeight = weight;
  spec.FillColor = colour;
  spec.MarkerFillColor = colour;
  spec.MarkerLineColor = colour;
  return spec;
}

ImPlotSpec line_with_markers(const ImVec4& colour, ImPlotMarker marker, float size, float weight) {
  ImPlotSpec spec = line_spec(colour, weight);
  spec.Marker = marker;
  spec.MarkerSize = size;
  return spec;
}

bool follow_limits(double x_low, double x_high, double y_low, double y_high) {
  static std::map<ImGuiID, std::array<double, 4>> set;
  const std::array<double, 4> wanted = {x_low, x_high, y_low, y_high};
  for (const double limit : wanted)
    if (!std::isfinite(limit)) return false;
  std::array<double, 4>& now = set[ImPlot::GetCurrentPlot()->ID];
  const bool moved = now != wanted;
  now = wanted;
  ImPlot::SetupAxesLimits(x_low, x_high, y_low, y_high, moved ? ImPlotCond_Always : ImPlotCond_Once);
  return moved;
}

int whole_label(double value, char* out, int size, void* /*unused*/) {
  const double whole = std::round(value);
  const bool at_whole = std::abs(value - whole) < 1e-6;  // false for NaN and infinity
  // + 0.0 makes a negative zero positive.
  const std::string text = !at_whole               ? ""
                           : std::abs(whole) < 1e7 ? fmt::format("{:.0f}", whole + 0.0)
                                                   : number_text(whole);
  const auto end = fmt::format_to_n(out, size - 1, "{}", text);
  *end.out = '\0';
  return static_cast<int>(end.out - out);
}

std::string decade_label(int exponent) {
  return exponent >= -2 && exponent <= 3 ? fmt::format("{:g}", std::pow(10.0, exponent))
                                         : fmt::format("1e{}", exponent);
}

void setup_decades(double low, double high, float height, double shown_decades) {
  if (!(low > 0) || !(high > low)) return;
  const int first = static_cast<int>(std::ceil(std::log10(low))), last = static_cast<int>(std::floor(std::log10(high)));
  const int fits = std::max(2, static_cast<int>(height / (1.7F * ImGui::GetTextLineHeight())));
  const int step = std::max(1, (last - first + fits) / fits);
  std::vector<double> at;
  std::vector<std::string> text;
  for (int exponent = first; exponent <= last; ++exponent) {
    if (exponent % step != 0) continue;
    at.push_back(std::pow(10.0, exponent));
    text.push_back(decade_label(exponent));
    // 1 and 2 are 0.3 of a decade apart.
    const bool crowded = last > first && 0.3 * height < std::log10(high / low) * ImGui::GetTextLineHeight();
    if (!(shown_decades < 2) || step > 1 || crowded) continue;
    for (const int between : {2, 5}) {
      at.push_back(between * std::pow(10.0, exponent));
      text.push_back(fmt::format("{:g}", at.back()));
    }
  }
  std::vector<const char*> labels;
  labels.reserve(text.size());
  for (const std::string& label : text) labels.push_back(label.c_str());
  if (!at.empty()) ImPlot::SetupAxisTicks(ImAxis_Y1, at.data(), static_cast<int>(at.size()), labels.data());
}

void setup_few_rows(int rows, float height) {
  const float line = 0.95F * ImGui::GetTextLineHeight();
  const float area = height - 1.7F * line;  // the x axis has its labels below
  if (rows < 1 || area >= 5 * line) return;
  int step = 1;
  while (step < rows && area * static_cast<float>(step) < line * static_cast<float>(rows)) step *= 2;
  std::vector<double> at;
  std::vector<std::string> text;
  for (int row = 0; row < rows; row += step) {
    at.push_back(row);
    text.push_back(fmt::format("{}", row));
  }
  std::vector<const char*> labels;
  labels.reserve(text.size());
  for (const std::string& label : text) labels.push_back(label.c_str());
  ImPlot::SetupAxisTicks(ImAxis_Y1, at.data(), static_cast<int>(at.size()), labels.data());
}

void mark_x(const Theme& theme, double x) {
  const ImPlotRect limits = ImPlot::GetPlotLimits();
  if (!limits.X.Contains(x)) return;
  const ImVec2 top = ImPlot::PlotToPixels(x, limits.Y.Max), bottom = ImPlot::PlotToPixels(x, limits.Y.Min);
  ImPlot::PushPlotClipRect();
  ImPlot::GetPlotDrawList()->AddLine(top, bottom, packed(theme.accent, 0.55F), theme.scale);
  ImPlot::PopPlotClipRect();
}

std::string write_csv(const Table& table) {
  std::string error;
  const std::filesystem::path path = fresh_path(table.name, ".csv", error);
  if (!error.empty()) return error;
  const auto written = write_output(path.string(), [&](std::ostream& out) { out << to_csv(table); });
  if (!written) return written.error().message;
  std::error_code ignored;
  return fmt::format("Wrote {}", std::filesystem::absolute(path, ignored).string());
}

}  // namespace app
