#include "app/panels/model_menu.h"

#include "app/panels/empty_state.h"
#include "app/panels/widgets.h"
#include "app/shell/file_dialog.h"
#include "app/viewmodel/opening_words.h"
#include "app/wiring/recorded_profile.h"
#include "engine/model/hub_cache.h"

#include <fmt/format.h>
#include <imgui_stdlib.h>

#include <algorithm>
#include <chrono>
#include <filesystem>

namespace app {
namespace {

void draw_open_models(PanelContext& context) {
  Workspace& workspace = context.workspace;
  ImGui::TextColored(context.theme.secondary, "Open models");
  for (std::size_t i = 0; i < workspace.documents.size(); ++i) {
    const std::string label = fmt::format("{}##{}", workspace.documents[i].name, i);
    if (ImGui::MenuItem(label.c_str(), nullptr, static_cast<int>(i) == workspace.active))
      workspace.activate(static_cast<int>(i));
  }
  if (workspace.documents.size() > 1) ImGui::Checkbox("Step all of them together", &workspace.linked);
  ImGui::Separator();
}

void draw_recent(PanelContext& context) {
  Workspace& workspace = context.workspace;
  if (workspace.recent.empty()) return;
  ImGui::TextColored(context.theme.secondary, "Recent");
  for (const std::string& path : workspace.recent) {
    const std::filesystem::path parts(path);
    const std::string label = fmt::format("{}##recent", (parts.parent_path().filename() / parts.filename()).string());
    ImGui::PushID(path.c_str());
    if (ImGui::MenuItem(label.c_str())) workspace.requests.open_model = path;
    ImGui::PopID();
    tooltip(path);
  }
}

void draw_downloaded(PanelContext& context) {
  Workspace& workspace = context.workspace;
  if (ImGui::IsWindowAppearing()) workspace.downloaded = engine::list_hub_cache();
  if (workspace.downloaded.empty()) return;
  ImGui::TextColored(context.theme.secondary, "In the Hugging Face cache");
  for (const engine::CachedModel& model : workspace.downloaded) {
    if (ImGui::MenuItem((model.name + "##downloaded").c_str())) workspace.requests.open_model = model.name;
    tooltip(model.folder);
  }
}

void draw_path(PanelContext& context) {
  Workspace& workspace = context.workspace;
  std::string& path = workspace.open_path;
  ImGui::SetNextItemWidth(280 * context.theme.scale);
  if (ImGui::InputTextWithHint("##path", "folder, weight or recorded file, then Enter", &path,
                               ImGuiInputTextFlags_EnterReturnsTrue) &&
      !path.empty()) {
    request_open(workspace.requests, path);
    ImGui::CloseCurrentPopup();
  }
  const std::string why_not = why_no_file_dialog();
  ImGui::BeginDisabled(!why_not.empty());
  ImGui::SameLine();
  if (ImGui::Button("Browse…")) {
    workspace.requests.browse = true;
    ImGui::CloseCurrentPopup();
  }
  ImGui::EndDisabled();
  tooltip(why_not.empty() ? "Choose a weight file or its config.json. A folder can also be dropped on the window."
                          : why_not);
}

}  // namespace

void draw_model_menu(PanelContext& context) {
  if (!ImGui::BeginPopup("models")) return;
  Workspace& workspace = context.workspace;
  draw_open_models(context);
  ImGui::TextColored(context.theme.secondary, "Open beside it");
  for (const std::string& name : engine::builtin_models())
    if (ImGui::MenuItem((name + "##builtin").c_str())) workspace.requests.open_model = name;
  draw_downloaded(context);
  draw_recent(context);
  const std::vector<std::string> recorded = shipped_recordings();
  if (!recorded.empty() && ImGui::BeginMenu("Recorded profiles")) {
    for (const std::string& name : recorded)
      if (ImGui::MenuItem((name + "##recorded").c_str())) workspace.requests.open_profile = name;
    ImGui::EndMenu();
  }
  draw_path(context);
  ImGui::EndPopup();
}

void draw_opening(PanelContext& context) {
  const Document& document = context.workspace.document();
  const engine::OpenProgress* progress = document.opening.progress.get();
  const std::uint64_t total = progress != nullptr ? progress->total.load() : 0;
  if (total == 0) {
    draw_empty_state(context.theme, "Opening " + document.name, "Reading its weights and starting the backend.");
    return;
  }
  const std::uint64_t bytes = std::min(progress->bytes.load(), total);
  const double seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - document.opening.begun).count();
  const Theme& theme = context.theme;
  const float width = std::min(ImGui::GetContentRegionAvail().x, 420 * theme.scale);
  const float left = ImGui::GetCursorPosX() + (ImGui::GetContentRegionAvail().x - width) / 2;
  const float line = ImGui::GetTextLineHeightWithSpacing();
  ImGui::SetCursorPosY(ImGui::GetCursorPosY() + std::max(0.0F, (ImGui::GetContentRegionAvail().y - 4 * line) / 2));
  ImGui::SetCursorPosX(left);
  ImGui::PushFont(theme.bold, 0.0F);
  ImGui::TextUnformatted(("Opening " + document.name).c_str());
  ImGui::PopFont();
  ImGui::SetCursorPosX(left);
  const bool all = bytes == total;
  ImGui::ProgressBar(static_cast<float>(static_cast<double>(bytes) / static_cast<double>(total)), {width, 0},
                     all ? "starting the backend" : nullptr);
  ImGui::SetCursorPosX(left);
  ImGui::TextColored(theme.secondary, "%s", opening_words(bytes, total, seconds).c_str());
  ImGui::SetCursorPosX(left);
  ImGui::BeginDisabled(progress->cancelled);
  if (ImGui::Button(progress->cancelled ? "Ending…###cancel opening" : "Cancel###cancel opening"))
    document.opening.progress->cancelled = true;
  ImGui::EndDisabled();
  context.workspace.requests.redraw = true;
}

}  // namespace app
