#include "app/shell/fonts.h"

#include "app/shell/embedded_fonts.h"

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <vector>

namespace app {
namespace {

// Adds one embedded face; `merge` gives its glyphs to the face before it.
ImFont* add(EmbeddedFont font, const char* name, float size_share, bool merge, float drop = 0.0F) {
  ImFontConfig config;
  config.FontDataOwnedByAtlas = false;
  config.MergeMode = merge;
  config.ExtraSizeScale = size_share;
  config.GlyphOffset = ImVec2(0, drop);
  std::snprintf(config.Name, sizeof config.Name, "%s", name);
  // Dear ImGui takes a non-const pointer but only reads.
  return ImGui::GetIO().Fonts->AddFontFromMemoryTTF(const_cast<unsigned char*>(font.data), static_cast<int>(font.size),
                                                    base_font_size, &config);
}

// Chinese, Japanese and Korean, read once for all faces. Empty where the system has no such font.
const std::vector<char>& cjk_font() {
  static const std::vector<char> font = [] {
    std::vector<char> bytes;
    for (const char* path : {"/usr/share/fonts/truetype/wqy/wqy-microhei.ttc",
                             "/usr/share/fonts/truetype/droid/DroidSansFallbackFull.ttf"}) {
      std::ifstream in(path, std::ios::binary);
      bytes.assign(std::istreambuf_iterator<char>(in), {});
      if (!bytes.empty()) break;
    }
    return bytes;
  }();
  return font;
}

void add_system_fallback() {
  const std::vector<char>& cjk = cjk_font();
  if (!cjk.empty()) {
    ImFontConfig config;
    config.FontDataOwnedByAtlas = false;
    config.MergeMode = true;
    std::snprintf(config.Name, sizeof config.Name, "CJK");
    ImGui::GetIO().Fonts->AddFontFromMemoryTTF(const_cast<char*>(cjk.data()), static_cast<int>(cjk.size()),
                                               base_font_size, &config);
  }
  const char* path = "/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf";
  std::error_code ignored;
  if (!std::filesystem::exists(path, ignored)) return;
  ImFontConfig config;
  config.MergeMode = true;
  ImGui::GetIO().Fonts->AddFontFromFileTTF(path, base_font_size, &config);
}

}  // namespace

void load_fonts(Theme& theme) {
  // Shares bring the faces to equal apparent size: Dear ImGui scales each by its line height, not by its em.
  theme.words = add(embedded_roboto(), "Roboto", 1.0F, false);
  add(embedded_icons(), "icons", 0.80F, true, -0.5F);
  add(embedded_inconsolata(), "Inconsolata", 1.0F, true);
  add(embedded_math(), "Math", 1.0F, true);
  add_system_fallback();

  theme.bold = add(embedded_roboto_bold(), "Roboto Bold", 1.0F, false);
  add(embedded_icons(), "icons", 0.80F, true, -0.5F);
  add(embedded_inconsolata(), "Inconsolata", 1.0F, true);
  add(embedded_math(), "Math", 1.0F, true);
  add_system_fallback();

  theme.numbers = add(embedded_inconsolata(), "Inconsolata", 0.96F, false, -0.5F);
  add(embedded_roboto(), "Roboto", 0.93F, true);
  add(embedded_math(), "Math", 1.0F, true);
  add_system_fallback();

  theme.icons = add(embedded_icons(), "Font Awesome", 1.0F, false);
  ImGui::GetStyle().FontSizeBase = base_font_size;
}

}  // namespace app
