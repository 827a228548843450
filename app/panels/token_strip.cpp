// Every token as a cell: what it is, what the model said after it, and whether that was right. The wheel moves along it.
#include "app/panels/panels.h"
#include "app/panels/token_editor.h"
#include "app/panels/widgets.h"
#include "app/viewmodel/branch_comparison.h"
#include "app/viewmodel/in_force.h"
#include "app/viewmodel/shown.h"
#include "engine/tasks/label.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <string>

namespace app {
namespace {

// Sizes of a cell at the current scale.
struct Cell {
  float width, height, gap;
  float pitch() const { return width + gap; }
};

// Cells are as wide as the longest symbol of the model needs, within limits.
Cell cell_of(const Theme& theme, const engine::Model& model) {
  float widest = 0;
  ImGui::PushFont(theme.numbers, 14);
  for (std::size_t i = 0; i < std::min<std::size_t>(model.card.symbols.size(), 64); ++i)
    widest = std::max(widest, ImGui::CalcTextSize(model.card.symbols[i].c_str()).x);
  if (model.card.symbols.empty()) widest = ImGui::CalcTextSize(model.card.bytes ? "\\xE9" : "#99999").x;
  if (model.tokenizer != nullptr) widest = ImGui::CalcTextSize("␣tokens").x;
  ImGui::PopFont();
  const float s = theme.scale;
  return {std::clamp(widest + 12 * s, 42 * s, 76 * s), ImGui::GetContentRegionAvail().y, 6 * s};
}

void draw_text(ImFont* font, float size, ImVec2 centre, const ImVec4& colour, const std::string& text, float most) {
  ImGui::PushFont(font, size);
  const ImVec2 wide = ImGui::CalcTextSize(text.c_str());
  ImDrawList* list = ImGui::GetWindowDrawList();
  const ImVec2 at(std::floor(centre.x - std::min(wide.x, most) / 2), std::floor(centre.y - wide.y / 2));
  const ImVec4 clip(at.x, at.y, at.x + most, at.y + wide.y);
  list->AddText(ImGui::GetFont(), ImGui::GetFontSize(), at, packed(colour), text.c_str(), nullptr, 0, &clip);
  ImGui::PopFont();
}

// A tick or a cross: right and wrong differ by shape.
void draw_mark(ImDrawList* list, ImVec2 at, float size, bool right, const Theme& theme) {
  const float w = std::max(1.0F, 1.4F * theme.scale);
  if (right) {
    list->AddLine({at.x, at.y + 0.5F * size}, {at.x + 0.35F * size, at.y + 0.9F * size}, packed(theme.success), w);
    list->AddLine({at.x + 0.35F * size, at.y + 0.9F * size}, {at.x + size, at.y + 0.1F * size}, packed(theme.success),
                  w);
  } else {
    list->AddLine(at, {at.x + size, at.y + size}, packed(theme.error), w);
    list->AddLine({at.x + size, at.y}, {at.x, at.y + size}, packed(theme.error), w);
  }
}

const char* origin_words(engine::TokenOrigin origin) {
  return origin == engine::TokenOrigin::given     ? "given"
         : origin == engine::TokenOrigin::sampled ? "sampled from the model"
                                                  : "drawn from the task";
}

// From logits that are not finite nothing was predicted, right or wrong.
bool has_prediction(const engine::TokenRecord& record) {
  return std::all_of(record.top.begin(), record.top.end(),
                     [](const engine::TopToken& top) { return std::isfinite(top.logit); });
}

void draw_token_tooltip(const engine::Model& model, const engine::TokenRecord& record, const engine::BranchView* other,
                        const std::vector<engine::Intervention>& interventions) {
  if (!ImGui::BeginTooltip()) return;
  ImGui::Text("token %lld: \"%s\", %s", static_cast<long long>(record.position), model.symbol(record.id).c_str(),
              origin_words(record.origin));
  const bool known = has_prediction(record);
  if (record.skipped) {
    ImGui::TextUnformatted(prefilled_words(record).c_str());
    ImGui::EndTooltip();
    return;
  }
  if (!known) ImGui::TextUnformatted("no prediction: the logits are not finite");
  if (known && !record.top.empty())
    ImGui::Text("prediction after it: %s with p = %.4f", model.label(record.predicted).c_str(),
                static_cast<double>(record.top.front().probability));
  if (known && record.truth >= 0)
    ImGui::Text("truth: %s (%s)", model.label(record.truth).c_str(),
                record.truth == record.predicted ? "predicted right" : "predicted wrong");
  if (record.truth == engine::not_known)
    ImGui::TextUnformatted("truth: not known, a token up to here breaks the task's grammar");
  if (record.probability >= 0)
    ImGui::Text("the model had given this token p = %.4f", static_cast<double>(record.probability));
  ImGui::Text("entropy %.3f bit", static_cast<double>(record.entropy_bits));
  const auto in_force = in_force_of(interventions, record.position);
  if (!in_force.empty()) ImGui::Text("stepped under\n%s", in_force_lines(in_force).c_str());
  if (other != nullptr) {
    const auto at = static_cast<std::size_t>(record.position);
    ImGui::Text("on %s: %s", other->name.c_str(),
                at < other->tokens.size() ? fmt::format("\"{}\"", model.symbol(other->tokens[at]->id)).c_str()
                                          : "no token here");
  }
  ImGui::TextDisabled("double click to put another token here");
  ImGui::EndTooltip();
}

void draw_consumed(PanelContext& context, const engine::Model& model, const engine::TokenRecord& record, ImVec2 low,
                   const Cell& cell, bool selected, bool hovered) {
  const Theme& theme = context.theme;
  const float s = theme.scale;
  ImDrawList* list = ImGui::GetWindowDrawList();
  const ImVec2 high(low.x + cell.width, low.y + cell.height);
  list->AddRectFilled(low, high, packed(selected ? theme.accent_filled : theme.well, selected ? 0.35F : 1.0F), 4 * s);
  list->AddRect(low, high,
                packed(selected  ? theme.accent
                       : hovered ? theme.secondary
                                 : theme.border),
                4 * s, 0, selected ? 1.5F * s : 1.0F);
  const float middle = low.x + cell.width / 2;
  draw_text(theme.numbers, 15, {middle, low.y + cell.height * 0.31F}, theme.text, model.symbol(record.id),
            cell.width - 6 * s);

  if (record.skipped)
    return draw_text(theme.words, 11, {middle, low.y + cell.height * 0.68F}, theme.faint, "prefilled", cell.width);
  // Below: what the model predicts, and how sure it is of it.
  const bool known = has_prediction(record);
  const bool judged = known && record.truth >= 0, right = record.truth == record.predicted;
  const ImVec4 colour = !known ? theme.error : !judged ? theme.secondary : right ? theme.success : theme.error;
  const float row = low.y + cell.height * 0.68F, bar_x = low.x + cell.width * 0.56F;
  const bool has_labels = !model.card.labels.empty();
  // A class is shown by its number where the label is long: the symbols of parity are its classes.
  const std::string predicted = !known       ? "nan"
                                : has_labels ? std::to_string(record.predicted)
                                             : model.symbol(record.predicted);
  draw_text(theme.numbers, 13, {low.x + cell.width * 0.30F, row}, colour, "→" + predicted, cell.width * 0.5F);
  const float p = record.top.empty() || !known ? 0 : std::clamp(record.top.front().probability, 0.0F, 1.0F);
  const float bar = high.x - 5 * s - bar_x, thick = 2.5F * s;
  list->AddRectFilled({bar_x, row - thick}, {bar_x + bar, row + thick}, packed(theme.border));
  list->AddRectFilled({bar_x, row - thick}, {bar_x + bar * p, row + thick},
                      packed(judged && !right ? theme.error : theme.accent));
  if (judged) draw_mark(list, {high.x - 11 * s, low.y + 4 * s}, 6 * s, right, theme);
  if (record.truth == engine::not_known)
    draw_text(theme.numbers, 11, {high.x - 8 * s, low.y + 7 * s}, theme.warning, "?", 8 * s);
}

void draw_to_come(PanelContext& context, const engine::Model& model, std::int32_t id, ImVec2 low, const Cell& cell) {
  const Theme& theme = context.theme;
  const ImVec2 high(low.x + cell.width, low.y + cell.height);
  ImGui::GetWindowDrawList()->AddRect(low, high, packed(theme.border), 4 * theme.scale);
  draw_text(theme.numbers, 15, {low.x + cell.width / 2, low.y + cell.height * 0.31F}, theme.faint, model.symbol(id),
            cell.width - 6 * theme.scale);
}

// Another branch has another token here, or none: what it has, and a mark at the cell's upper left corner.
void draw_difference(const Theme& theme, const engine::Model& model, const engine::BranchView& other,
                     std::int64_t position, ImVec2 low) {
  const float s = theme.scale;
  ImDrawList* list = ImGui::GetWindowDrawList();
  list->AddTriangleFilled(low, {low.x + 9 * s, low.y}, {low.x, low.y + 9 * s}, packed(theme.value));
  const auto at = static_cast<std::size_t>(position);
  if (at >= other.tokens.size()) return;
  draw_text(theme.numbers, 11, {low.x + 11 * s, low.y + 9 * s}, theme.value, model.symbol(other.tokens[at]->id),
            14 * s);
}

// Its step is not quite the model's: a band along the lower edge, without a gap to the next one.
void draw_in_force(const Theme& theme, ImVec2 low, const Cell& cell, bool goes_on, bool stepped) {
  const float y = low.y + cell.height, thick = 3 * theme.scale;
  ImGui::GetWindowDrawList()->AddRectFilled({low.x, y - thick}, {low.x + (goes_on ? cell.pitch() + 1 : cell.width), y},
                                            packed(theme.value, stepped ? 1.0F : 0.4F));
}

// Where the visible part lies within all tokens, as a thin line below the cells.
void draw_position(const Theme& theme, std::int64_t first, std::int64_t visible, std::int64_t all) {
  if (all <= visible) return;
  const ImVec2 at = ImGui::GetWindowPos(), size = ImGui::GetWindowSize();
  const float y = at.y + size.y - 2 * theme.scale;
  const auto x_of = [&](std::int64_t token) {
    return at.x + size.x * static_cast<float>(token) / static_cast<float>(all);
  };
  ImDrawList* list = ImGui::GetWindowDrawList();
  list->AddLine({at.x, y}, {at.x + size.x, y}, packed(theme.border), 2 * theme.scale);
  list->AddLine({x_of(first), y}, {x_of(first + visible), y}, packed(theme.faint), 2 * theme.scale);
}

// Keeps the shown token in sight when it changes or the strip's width does, two thirds along the strip.
void follow(Workspace& workspace, std::int64_t shown, std::int64_t visible) {
  int* was_visible = ImGui::GetStateStorage()->GetIntRef(ImGui::GetID("visible"), 0);
  if (shown < 0 || (shown == workspace.strip_shown && *was_visible == visible)) return;
  workspace.strip_shown = shown;
  *was_visible = static_cast<int>(visible);
  const auto first = static_cast<std::int64_t>(std::llround(workspace.strip_first));
  const std::int64_t place = shown - first;
  // While following, the newest moves no further than four fifths.
  const bool far = workspace.selection.token < 0 && 5 * (place + 1) > 4 * visible;
  if (place < 0 || place >= visible || far) workspace.strip_first = static_cast<double>(shown - 2 * visible / 3);
}

}  // namespace

void draw_token_strip(PanelContext& context) {
  Workspace& workspace = context.workspace;
  const engine::Snapshot& snapshot = *workspace.document().snapshot;
  const engine::Model& model = *snapshot.model;
  const auto consumed = static_cast<std::int64_t>(snapshot.tokens.size());
  const auto all = consumed + static_cast<std::int64_t>(snapshot.pending.size());
  if (all == 0) {
    ImGui::AlignTextToFramePadding();
    ImGui::TextColored(context.theme.secondary, "No tokens yet: Step draws one, or type a prompt.");
    return;
  }
  ImGui::PushStyleVar(ImGuiStyleVar_WindowPadding, ImVec2(0, 0));
  ImGui::BeginChild("tokens", {0, 0}, ImGuiChildFlags_None,
                    ImGuiWindowFlags_NoScrollbar | ImGuiWindowFlags_NoScrollWithMouse);
  ImGui::PopStyleVar();  // tool tips and menus have their own
  Cell cell = cell_of(context.theme, model);
  // Whole cells only, whatever is scrolled to: they share the width that is left over.
  const float width = ImGui::GetWindowWidth();
  const auto visible = std::max<std::int64_t>(1, static_cast<std::int64_t>((width + cell.gap) / cell.pitch()));
  if (all > visible) {
    cell.width = (width + cell.gap) / static_cast<float>(visible) - cell.gap;
    cell.height -= 4 * context.theme.scale;
  }
  if (ImGui::IsWindowHovered())
    workspace.strip_first -= 3 * static_cast<double>(ImGui::GetIO().MouseWheel + ImGui::GetIO().MouseWheelH);
  const std::int64_t shown = workspace.shown() != nullptr ? workspace.shown()->position : -1;
  follow(workspace, shown, visible);
  workspace.strip_first =
      std::clamp(workspace.strip_first, 0.0, static_cast<double>(std::max<std::int64_t>(0, all - visible)));

  const ImVec2 origin = ImGui::GetWindowPos();
  const auto first = static_cast<std::int64_t>(std::llround(workspace.strip_first));
  const std::int64_t end = std::min(all, first + visible);
  const engine::BranchView* beside = branch_beside(snapshot, workspace.branches.compare_with);
  for (std::int64_t i = first; i < end; ++i) {
    const ImVec2 low(std::floor(origin.x + static_cast<float>(i - first) * cell.pitch()), origin.y);
    ImGui::SetCursorScreenPos(low);
    ImGui::PushID(static_cast<int>(i));
    const bool clicked = ImGui::InvisibleButton("token", {cell.width, cell.height});
    const bool hovered = ImGui::IsItemHovered();
    if (hovered && ImGui::IsMouseDoubleClicked(ImGuiMouseButton_Left)) edit_token(workspace, i);
    draw_token_menu(context, i, i < consumed);
    ImGui::PopID();
    const bool changed = in_force_at(snapshot.interventions, i);
    const bool goes_on = changed && i + 1 < end && in_force_at(snapshot.interventions, i + 1);
    if (i >= consumed) {
      draw_to_come(context, model, snapshot.pending[static_cast<std::size_t>(i - consumed)], low, cell);
      if (changed) draw_in_force(context.theme, low, cell, goes_on, false);
      continue;
    }
    const engine::TokenRecord& record = *snapshot.tokens[static_cast<std::size_t>(i)];
    if (clicked) workspace.select_token(i);
    draw_consumed(context, model, record, low, cell, i == shown, hovered);
    if (changed) draw_in_force(context.theme, low, cell, goes_on, true);
    const bool differs = beside != nullptr && differs_at(snapshot, *beside, i);
    if (differs) draw_difference(context.theme, model, *beside, i, low);
    if (hovered) draw_token_tooltip(model, record, differs ? beside : nullptr, snapshot.interventions);
  }
  draw_token_editor(context);
  draw_position(context.theme, first, visible, all);
  ImGui::EndChild();
}

}  // namespace app
