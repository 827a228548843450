// What the model says after the shown token: the best tokens or labels, how sure it is, and how right it has been.
#include "app/panels/empty_state.h"
#include "app/panels/panels.h"
#include "app/panels/parts.h"
#include "app/panels/plot.h"
#include "app/viewmodel/answers.h"
#include "app/viewmodel/numbers.h"
#include "app/viewmodel/shown.h"
#include "app/viewmodel/view_key.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>

namespace app {

namespace {

// A line break in a token would tear the table: shown as its escape.
std::string printable(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (c == '\n') {
      out += "\\n";
    } else if (c == '\t') {
      out += "\\t";
    } else {
      out += c;
    }
  }
  return out;
}

void draw_row(const Theme& theme, const AnswerRow& row, float width) {
  ImDrawList* list = ImGui::GetWindowDrawList();
  const ImVec2 at = ImGui::GetCursorScreenPos();
  const float height = std::floor(ImGui::GetTextLineHeight() * 1.35F);
  const float name = std::min(96 * theme.scale, width * 0.30F);
  push_small_numbers(theme);
  const std::string percent = fmt::format("{:.3f}", row.probability), logit = signed_text(row.logit);
  const float number = ImGui::CalcTextSize("0.000").x;
  const float second = std::max(ImGui::CalcTextSize("+00.00").x, ImGui::CalcTextSize(logit.c_str()).x);
  const float text_y = at.y + (height - ImGui::GetTextLineHeight()) / 2;
  const bool wide = width > 230 * theme.scale;
  const float right = at.x + width;
  if (wide) {
    list->AddText({right - ImGui::CalcTextSize(logit.c_str()).x, text_y}, packed(theme.faint), logit.c_str());
  }
  const float number_right = wide ? right - second - 8 * theme.scale : right;
  list->AddText({number_right - number, text_y}, packed(row.predicted ? theme.text : theme.secondary), percent.c_str());
  ImGui::PopFont();

  const float size = ImGui::GetFontSize();
  const float mark = size * 1.0F;
  const std::string text = shortened(printable(row.text), name - mark);
  list->AddText(row.predicted ? theme.bold : theme.words, size, {at.x + mark, at.y + (height - size) / 2},
                packed(row.predicted ? theme.text : theme.secondary), text.c_str());
  if (row.truth) {
    list->AddText(theme.words, size * 0.9F, {at.x, at.y + (height - size * 0.9F) / 2},
                  packed(row.predicted ? theme.success : theme.warning), row.predicted ? "✓" : "•");
  }
  const float from = at.x + name + 4 * theme.scale, to = number_right - number - 10 * theme.scale;
  if (to > from) {
    const float pad = std::floor(height * 0.18F);
    list->AddRectFilled({from, at.y + pad}, {to, at.y + height - pad}, packed(theme.well), 2 * theme.scale);
    const auto share = static_cast<float>(std::clamp(std::isfinite(row.probability) ? row.probability : 0.0, 0.0, 1.0));
    list->AddRectFilled({from, at.y + pad}, {from + std::max((to - from) * share, 1.0F), at.y + height - pad},
                        packed(row.predicted ? theme.accent_filled : theme.secondary, row.predicted ? 1.0F : 0.45F),
                        2 * theme.scale);
  }
  ImGui::PushID(row.id);
  ImGui::InvisibleButton("##row", {std::max(width, 1.0F), height});
  ImGui::PopID();
  if (ImGui::IsItemHovered()) {
    ImGui::BeginTooltip();
    ImGui::Text("“%s”, id %d", printable(row.text).c_str(), row.id);
    ImGui::Text("probability %s, logit %s", number_text(row.probability).c_str(), number_text(row.logit).c_str());
    if (std::isfinite(row.change)) ImGui::Text("%+.4f against the previous token", row.change);
    if (row.truth) ImGui::TextUnformatted("This is the truth here.");
    ImGui::EndTooltip();
  }
}

void draw_facts(const Theme& theme, const AnswersView& view) {
  push_small(theme);
  if (view.truth_known) {
    ImGui::TextColored(view.right ? theme.success : theme.error, "%s %s %s", view.labelling ? "truth" : "next",
                       printable(view.truth_text).c_str(), view.right ? "✓" : "✗");
    ImGui::SameLine(0, 14 * theme.scale);
  }
  if (view.broken_at >= 0) {
    ImGui::TextColored(theme.warning, "truth not known: token %lld breaks the task's grammar",
                       static_cast<long long>(view.broken_at));
  }
  ImGui::TextColored(theme.secondary, "entropy %s bit", number_text(view.entropy_bits, 2).c_str());
  ImGui::SetItemTooltip("Entropy of the distribution over the classes or the vocabulary, bits.");
  if (std::isfinite(view.kl_bits)) {
    const std::string text = fmt::format("KL from token before {} bit", number_text(view.kl_bits, 2));
    ImGui::SameLine(0, 14 * theme.scale);
    if (ImGui::GetContentRegionAvail().x < ImGui::CalcTextSize(text.c_str()).x) ImGui::NewLine();
    ImGui::TextColored(theme.secondary, "%s", text.c_str());
    ImGui::SetItemTooltip("KL divergence of this distribution from the previous token's, bits.");
  }
  if (view.labelling && view.judged_so_far > 0) {
    ImGui::TextColored(theme.secondary, "accuracy so far %d / %d", view.right_so_far, view.judged_so_far);
  }
  ImGui::PopFont();
}

void draw_truth_plot(PanelContext& context, const AnswersView& view, std::int64_t index, ImVec2 size) {
  const Theme& theme = context.theme;
  if (view.token.empty()) return;
  if (!begin_plot(context, "##truth", size, "token", view.labelling ? "p(truth)" : "p(token)", ImPlotFlags_NoLegend))
    return;
  const double first = view.token.front(), last = std::max(first + 1, view.token.back());
  follow_limits(first - 0.5, last + 0.5, -0.04, 1.06);
  ImPlot::SetupAxisFormat(ImAxis_X1, whole_label);
  const auto count = static_cast<int>(view.token.size());
  ImPlotSpec spec = count <= 48
                        ? line_with_markers(theme.accent, ImPlotMarker_Circle, 2.2F * theme.scale, 1.5F * theme.scale)
                        : line_spec(theme.accent, 1.5F * theme.scale);
  spec.Flags = ImPlotLineFlags_SkipNaN;  // a task may ask at every other token only
  ImPlot::PlotLine("p", view.token.data(), view.truth_probability.data(), count, spec);
  mark_x(theme, static_cast<double>(index));
  if (ImPlot::IsPlotHovered()) {
    const auto at = static_cast<std::int64_t>(std::lround(ImPlot::GetPlotMousePos().x - first));
    if (at >= 0 && at < count) {
      const auto i = static_cast<std::size_t>(at);
      ImGui::SetTooltip("token %.0f: %s %s", view.token[i],
                        view.labelling ? "p(truth)" : "p(this token before it came)",
                        number_text(view.truth_probability[i]).c_str());
      if (ImGui::IsMouseReleased(ImGuiMouseButton_Left) && ImGui::GetMouseDragDelta().x == 0) {
        context.workspace.select_token(static_cast<std::int64_t>(view.token[i]));
      }
    }
  }
  end_plot(context, [&] {
    return Table{"truth-probability", {{"token", view.token}, {"probability", view.truth_probability}}};
  });
}

}  // namespace

void draw_predictions(PanelContext& context) {
  static ViewKey key;
  static AnswersView view;
  Workspace& workspace = context.workspace;
  const Theme& theme = context.theme;
  const engine::Snapshot& snapshot = *workspace.document().snapshot;
  if (snapshot.empty()) {
    const bool labels = snapshot.model->card.labels_positions();
    if (draw_empty_state(theme, "No token yet",
                         labels ? "The model labels every position; its first label comes with the first token."
                                : "The model predicts the next token once it has seen one.",
                         "Step")) {
      workspace.post(engine::command::Step{});
    }
    return;
  }
  const std::int64_t index = shown_index(snapshot, workspace.selection);
  const ViewKey now{&snapshot, snapshot.version, index, workspace.selection, 0};
  if (!(now == key)) {
    view = make_answers(snapshot, index, 96);
    key = now;
  }
  const float width = ImGui::GetContentRegionAvail().x;
  const float line = ImGui::GetTextLineHeight() * 1.35F, tall = ImGui::GetContentRegionAvail().y;
  const float plot = tall < 140 * theme.scale ? 0.0F : std::min(110 * theme.scale, tall * 0.45F);
  const float facts = small_size(theme) * 1.4F * (view.labelling ? 2 : 1) + 2 * ImGui::GetStyle().ItemSpacing.y;
  ImGui::PushStyleVar(ImGuiStyleVar_ItemSpacing, ImVec2(ImGui::GetStyle().ItemSpacing.x, 1 * theme.scale));
  const int fits = std::max(2, static_cast<int>((ImGui::GetContentRegionAvail().y - plot - facts) / line));
  for (std::size_t i = 0; i < view.rows.size() && static_cast<int>(i) < fits; ++i) draw_row(theme, view.rows[i], width);
  ImGui::PopStyleVar();
  if (view.not_finite) {
    note(theme,
         "Not available: the logits are not finite. Look for NaN or infinity in the weights (mambascope inspect).");
    return;
  }
  const engine::TokenRecord& shown = *snapshot.tokens[static_cast<std::size_t>(index)];
  if (view.rows.empty())
    note(theme, shown.skipped
                    ? prefilled_words(shown)
                    : "The history budget dropped this token's best tokens. Seek to it (G) to have them again.");
  if (shown.skipped) return;
  draw_facts(theme, view);
  const float rest = ImGui::GetContentRegionAvail().y;
  if (rest > 50 * theme.scale) draw_truth_plot(context, view, index, {width, rest});
}

}  // namespace app
