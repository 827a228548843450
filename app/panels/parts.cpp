#include "app/panels/parts.h"

#include "app/panels/value_slider.h"

#include <algorithm>
#include <cmath>

namespace app {

ImU32 packed(const ImVec4& colour) { return ImGui::ColorConvertFloat4ToU32(colour); }
ImU32 packed(const ImVec4& colour, float alpha) {
  return ImGui::ColorConvertFloat4ToU32({colour.x, colour.y, colour.z, colour.w * alpha});
}

float small_size(const Theme& theme) { return ImGui::GetStyle().FontSizeBase * 0.88F * theme.scale; }
void push_small(const Theme& theme) { ImGui::PushFont(theme.words, ImGui::GetStyle().FontSizeBase * 0.88F); }
void push_small_numbers(const Theme& theme) { ImGui::PushFont(theme.numbers, ImGui::GetStyle().FontSizeBase * 0.92F); }

namespace {
ImVec2 chip_padding() {
  const ImVec2 usual = ImGui::GetStyle().FramePadding;
  return {std::floor(usual.x * 0.85F), std::max(1.0F, std::floor(usual.y * 0.4F))};
}
}  // namespace

float chip_width(const char* label) {
  return ImGui::CalcTextSize(label, nullptr, true).x * 0.9F + 2 * chip_padding().x + 2;
}

bool chip(const Theme& theme, const char* label, bool on, const char* tip) {
  push_small(theme);
  ImGui::PushStyleVar(ImGuiStyleVar_FramePadding, chip_padding());
  if (on) {
    ImGui::PushStyleColor(ImGuiCol_Button,
                          ImVec4(theme.accent_filled.x, theme.accent_filled.y, theme.accent_filled.z, 0.32F));
    ImGui::PushStyleColor(ImGuiCol_Border, theme.accent_filled);
    ImGui::PushStyleColor(ImGuiCol_Text, theme.text);
  } else {
    ImGui::PushStyleColor(ImGuiCol_Button, theme.well);
    ImGui::PushStyleColor(ImGuiCol_Border, theme.border);
    ImGui::PushStyleColor(ImGuiCol_Text, theme.secondary);
  }
  const bool clicked = ImGui::Button(label);
  ImGui::PopStyleColor(3);
  ImGui::PopStyleVar();
  ImGui::PopFont();
  if (tip != nullptr) ImGui::SetItemTooltip("%s", tip);
  return clicked;
}

void fact_chip(const Theme& theme, const char* label, const char* tip) {
  fact_chip(theme, label, tip, theme.secondary);
}

void fact_chip(const Theme& theme, const char* label, const char* tip, const ImVec4& colour) {
  push_small(theme);
  const ImVec2 pad = chip_padding();
  const ImVec2 size = ImGui::CalcTextSize(label, nullptr, true);
  const ImVec2 at = ImGui::GetCursorScreenPos();
  const ImVec2 end(at.x + size.x + 2 * pad.x, at.y + size.y + 2 * pad.y);
  ImDrawList* list = ImGui::GetWindowDrawList();
  list->AddRectFilled(at, end, packed(theme.well), 4 * theme.scale);
  list->AddRect(at, end, packed(theme.border), 4 * theme.scale);
  list->AddText({at.x + pad.x, at.y + pad.y}, packed(colour), label);
  ImGui::Dummy({end.x - at.x, end.y - at.y});
  ImGui::PopFont();
  if (tip != nullptr) ImGui::SetItemTooltip("%s", tip);
}

bool small_slider(const Theme& theme, const char* id, int* value, int low, int high, const char* format, float width,
                  const char* tip) {
  const float share = static_cast<float>(*value - low + 1) / static_cast<float>(std::max(high - low + 1, 1));
  return framed_slider(theme, width, share, tip,
                       [&] { return ImGui::SliderInt(id, value, low, high, format, ImGuiSliderFlags_AlwaysClamp); });
}

void align_right(float width) {
  const float space = ImGui::GetContentRegionAvail().x;
  if (space > width) ImGui::SetCursorPosX(ImGui::GetCursorPosX() + space - width);
}

void heading(const Theme& theme, std::string_view text, const char* tip) {
  push_small(theme);
  ImGui::PushStyleColor(ImGuiCol_Text, theme.secondary);
  const std::string shown = shortened(std::string(text), ImGui::GetContentRegionAvail().x);
  ImGui::TextUnformatted(shown.c_str());
  ImGui::PopStyleColor();
  ImGui::PopFont();
  if (tip != nullptr) {
    ImGui::SetItemTooltip("%s", tip);
  } else if (shown != text) {
    ImGui::SetItemTooltip("%.*s", static_cast<int>(text.size()), text.data());
  }
}

float note_height(const Theme& theme, std::string_view text, float width) {
  push_small(theme);
  const float height = ImGui::CalcTextSize(text.data(), text.data() + text.size(), false, width).y;
  ImGui::PopFont();
  return height;
}

void note(const Theme& theme, std::string_view text) {
  push_small(theme);
  ImGui::PushStyleColor(ImGuiCol_Text, theme.secondary);
  ImGui::PushTextWrapPos(0.0F);
  ImGui::TextUnformatted(text.data(), text.data() + text.size());
  ImGui::PopTextWrapPos();
  ImGui::PopStyleColor();
  ImGui::PopFont();
}

namespace {

ImVec2 text_size(ImFont* font, float size, const std::string& text) {
  return font->CalcTextSizeA(size, 1e9F, 0.0F, text.c_str());
}

}  // namespace

ImVec2 draw_formula(const Theme& theme, const Formula& formula, ImVec2 at, bool draw) {
  ImDrawList* list = ImGui::GetWindowDrawList();
  const float base = ImGui::GetStyle().FontSizeBase * theme.scale;
  const float symbol = base * 1.06F, script = base * 0.72F, number = base * 0.82F;
  const float gap = 3 * theme.scale;
  float x = at.x, free_below = at.x;  // where the next number may start
  const float line = symbol * 1.15F;
  bool numbers = false;
  for (const FormulaTerm& term : formula) {
    const bool sign = term.symbol == "+" || term.symbol == "=" || term.symbol == "−";
    const ImVec2 body = text_size(theme.words, symbol, term.symbol);
    const float scripts = std::max(term.sub.empty() ? 0.0F : text_size(theme.words, script, term.sub).x,
                                   term.sup.empty() ? 0.0F : text_size(theme.words, script, term.sup).x);
    const float above = body.x + scripts;
    const float under = term.number.empty() ? 0.0F : text_size(theme.numbers, number, term.number).x;
    // A number is centred under its symbol; where it would touch the one before, both move on.
    float start = x;
    if (under > 0) start = std::max(x, free_below + (under - above) / 2);
    if (draw) {
      list->AddText(theme.words, symbol, {start, at.y}, packed(sign ? theme.secondary : theme.text),
                    term.symbol.c_str());
      if (!term.sub.empty()) {
        list->AddText(theme.words, script, {start + body.x, at.y + symbol * 0.46F}, packed(theme.secondary),
                      term.sub.c_str());
      }
      if (!term.sup.empty()) {
        list->AddText(theme.words, script, {start + body.x, at.y - symbol * 0.10F}, packed(theme.secondary),
                      term.sup.c_str());
      }
      if (under > 0) {
        list->AddText(theme.numbers, number, {start + (above - under) / 2, at.y + line}, packed(theme.value),
                      term.number.c_str());
      }
    }
    numbers = numbers || under > 0;
    if (under > 0) free_below = start + (above + under) / 2 + 4 * gap;
    x = start + above + (sign ? 2.4F : scripts > 0 ? 1.4F : 1.0F) * gap;
  }
  return {std::max(x, free_below - 4 * gap) - at.x, line + (numbers ? number * 1.15F : symbol * 0.15F)};
}

void formula_well(const Theme& theme, const Formula& formula, const char* tip) {
  if (formula.empty()) return;
  const float pad = 7 * theme.scale;
  const ImVec2 at = ImGui::GetCursorScreenPos();
  const float space = ImGui::GetContentRegionAvail().x;
  Formula shown = formula;
  ImVec2 size = draw_formula(theme, shown, at, false);
  if (size.x + 2 * pad > space) {
    // The longest numbers go: the equation itself must stay whole.
    for (FormulaTerm& term : shown) {
      if (term.number.size() > 9) term.number.clear();
    }
    size = draw_formula(theme, shown, at, false);
  }
  ImDrawList* list = ImGui::GetWindowDrawList();
  const ImVec2 end(at.x + space, at.y + size.y + 2 * pad);
  list->AddRectFilled(at, end, packed(theme.well), 4 * theme.scale);
  list->PushClipRect(at, end, true);
  draw_formula(theme, shown, {at.x + pad, at.y + pad});
  list->PopClipRect();
  ImGui::Dummy({space, end.y - at.y});
  if (tip != nullptr) ImGui::SetItemTooltip("%s", tip);
}

ImVec4 magnitude_position(const Theme& /*theme*/, float t) { return sequential_colour(t); }
ImVec4 signed_position(const Theme& theme, float t) { return diverging_colour(theme, 2 * t - 1); }

void colour_bar(ImDrawList* list, ImVec2 low, ImVec2 high, ImVec4 (*colour)(const Theme&, float), const Theme& theme) {
  constexpr int steps = 24;
  for (int i = 0; i < steps; ++i) {
    const float from = static_cast<float>(i) / steps, to = static_cast<float>(i + 1) / steps;
    const ImU32 a = packed(colour(theme, from)), b = packed(colour(theme, to));
    // Whole pixels: neighbours meet without a seam.
    const float x0 = std::floor(low.x + (high.x - low.x) * from), x1 = std::floor(low.x + (high.x - low.x) * to);
    list->AddRectFilledMultiColor({x0, std::floor(low.y)}, {x1, std::floor(high.y)}, a, b, b, a);
  }
}

std::string shortened(const std::string& text, float width) {
  if (ImGui::CalcTextSize(text.c_str()).x <= width) return text;
  std::string out = text;
  while (!out.empty()) {
    // Whole UTF-8 characters go.
    while (!out.empty() && (static_cast<unsigned char>(out.back()) & 0xC0U) == 0x80U) out.pop_back();
    if (!out.empty()) out.pop_back();
    if (ImGui::CalcTextSize((out + "…").c_str()).x <= width) return out + "…";
  }
  return {};
}

}  // namespace app
