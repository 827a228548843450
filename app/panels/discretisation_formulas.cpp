// The formulas page: cards of mathematics with the numbers of the shown head, pair and token; every symbol tells what it
// is.
#include "app/panels/discretisation.h"
#include "app/panels/mathematics.h"
#include "app/panels/parts.h"
#include "app/panels/plot.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

namespace app {

namespace {

// How a card is set into a width: symbols as large as the widest line allows.
struct Setting {
  float size = 0, height = 0;
};

Setting set_into(const Theme& theme, const FormulaCard& card, float width) {
  const float pad = 10 * theme.scale, usual = 17 * theme.scale;
  float widest = 1;
  for (const Math& line : card.lines) widest = std::max(widest, measure_math(theme, line, usual).width);
  Setting s;
  s.size = std::max(9 * theme.scale, std::floor(std::min(usual, usual * (width - 2 * pad) / widest)));
  const float spacing = ImGui::GetStyle().ItemSpacing.y;
  s.height = 2 * pad + small_size(theme) * 1.1F + spacing;
  for (const Math& line : card.lines)
    s.height += measure_math(theme, line, s.size).height() + 2 * theme.scale + spacing;
  s.height += note_height(theme, card.note, width - 2 * pad);
  return s;
}

void draw_card(PanelContext& context, const FormulaCard& card, float width, const Setting& setting) {
  const Theme& theme = context.theme;
  const float pad = 10 * theme.scale;
  ImGui::PushStyleColor(ImGuiCol_ChildBg, theme.well);
  ImGui::PushStyleVar(ImGuiStyleVar_WindowPadding, ImVec2(pad, pad));
  ImGui::PushStyleVar(ImGuiStyleVar_ChildRounding, 4 * theme.scale);
  ImGui::BeginChild(card.key.c_str(), {width, setting.height}, ImGuiChildFlags_AlwaysUseWindowPadding,
                    ImGuiWindowFlags_NoScrollbar);
  heading(theme, card.title);
  for (std::size_t i = 0; i < card.lines.size(); ++i) {
    const ImVec2 at = ImGui::GetCursorScreenPos();
    const std::string id = card.key + "-" + std::to_string(i);
    const MathSize size = draw_math(theme, id.c_str(), card.lines[i], at, setting.size);
    ImGui::SetCursorScreenPos(at);
    ImGui::Dummy({size.width, size.height() + 2 * theme.scale});
  }
  note(theme, card.note);
  ImGui::EndChild();
  ImGui::PopStyleVar(2);
  ImGui::PopStyleColor();
  item_menu(context, ("##menu-" + card.key).c_str(), [&] { return card.numbers; });
}

}  // namespace

void draw_formulas_page(PanelContext& context, const DiscretisationData& data) {
  const Theme& theme = context.theme;
  const std::vector<FormulaCard>& cards = data.formulas;
  if (cards.empty()) {
    note(theme, "The coefficients of this token were not kept. Seek to it to have them again.");
    return;
  }
  ImGui::BeginChild("formulas", ImGui::GetContentRegionAvail());
  const float gap = 10 * theme.scale, all = ImGui::GetContentRegionAvail().x;
  const int columns = all > 620 * theme.scale ? 2 : 1;
  const float width = std::floor((all - gap * static_cast<float>(columns - 1)) / static_cast<float>(columns));
  for (std::size_t i = 0; i < cards.size(); i += static_cast<std::size_t>(columns)) {
    std::vector<Setting> settings;
    float height = 0;
    for (std::size_t j = i; j < std::min(cards.size(), i + static_cast<std::size_t>(columns)); ++j) {
      settings.push_back(set_into(theme, cards[j], width));
      height = std::max(height, settings.back().height);
    }
    for (std::size_t j = 0; j < settings.size(); ++j) {
      if (j > 0) ImGui::SameLine(0, gap);
      settings[j].height = height;
      draw_card(context, cards[i + j], width, settings[j]);
    }
  }
  ImGui::EndChild();
}

}  // namespace app
