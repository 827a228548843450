#include "app/shell/settings.h"

#include <imgui_internal.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string_view>

namespace app {
namespace {

Settings::Values& remembered(ImGuiSettingsHandler* handler) {
  return *static_cast<Settings::Values*>(handler->UserData);
}

// Sections "[Mambascope][window]" of the file.
void add_handler(Settings::Values* values) {
  ImGuiSettingsHandler handler;
  handler.TypeName = "Mambascope";
  handler.TypeHash = ImHashStr("Mambascope");
  handler.UserData = values;
  handler.ReadOpenFn = [](ImGuiContext*, ImGuiSettingsHandler* h, const char*) -> void* { return h->UserData; };
  handler.ReadLineFn = [](ImGuiContext*, ImGuiSettingsHandler* h, void*, const char* line) {
    float scale = 0;
    int number = 0;
    if (std::sscanf(line, "scale=%f", &scale) == 1 && scale >= 0.75F && scale <= 2.0F)
      remembered(h).workspace->ui_scale = scale;
    if (std::sscanf(line, "light=%d", &number) == 1) remembered(h).workspace->light_theme = number != 0;
    if (std::sscanf(line, "bars=%d", &number) == 1 && number >= 0 && number <= static_cast<int>(TimingPage::compare))
      remembered(h).workspace->timing_page = static_cast<TimingPage>(number);
    constexpr std::string_view recent = "recent=";
    if (const std::string_view text(line); text.substr(0, recent.size()) == recent)
      remembered(h).workspace->recent.emplace_back(text.substr(recent.size()));
    if (std::sscanf(line, "shape=%d", &number) == 1) remembered(h).layout->keep_restored(number);
  };
  handler.WriteAllFn = [](ImGuiContext*, ImGuiSettingsHandler* h, ImGuiTextBuffer* out) {
    const Workspace& workspace = *remembered(h).workspace;
    out->appendf("[%s][window]\nscale=%.3f\nlight=%d\nbars=%d\nshape=%d\n\n", h->TypeName,
                 static_cast<double>(workspace.ui_scale), workspace.light_theme ? 1 : 0,
                 static_cast<int>(workspace.timing_page), remembered(h).layout->shape());
    if (workspace.recent.empty()) return;
    out->appendf("[%s][models]\n", h->TypeName);
    for (const std::string& path : workspace.recent) out->appendf("recent=%s\n", path.c_str());
    out->append("\n");
  };
  ImGui::AddSettingsHandler(&handler);
}

}  // namespace

std::string Settings::default_path() {
  if (const char* folder = std::getenv("XDG_CONFIG_HOME"); folder != nullptr && *folder != '\0')
    return std::string(folder) + "/mambascope/layout.ini";
  if (const char* home = std::getenv("HOME"); home != nullptr && *home != '\0')
    return std::string(home) + "/.config/mambascope/layout.ini";
  return {};
}

void Settings::open(const std::string& path, Workspace& workspace, Layout& layout) {
  path_ = path;
  if (path_.empty()) return;
  values_ = {&workspace, &layout};
  add_handler(&values_);
  std::error_code ignored;
  if (std::filesystem::exists(path_, ignored)) ImGui::LoadIniSettingsFromDisk(path_.c_str());
}

void Settings::save(bool now) {
  ImGuiIO& io = ImGui::GetIO();
  if (path_.empty() || (!now && !io.WantSaveIniSettings)) return;
  std::error_code ignored;  // a layout that cannot be kept is no reason to stop
  std::filesystem::create_directories(std::filesystem::path(path_).parent_path(), ignored);
  ImGui::SaveIniSettingsToDisk(path_.c_str());
  io.WantSaveIniSettings = false;
}

}  // namespace app
