// What the interventions do after each token: divergence, right and wrong, predictions side by side, states by head.
#include "app/panels/empty_state.h"
#include "app/panels/interventions.h"
#include "app/panels/parts.h"
#include "app/panels/plot.h"
#include "app/panels/widgets.h"
#include "app/viewmodel/numbers.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>

namespace app {

namespace {

std::int32_t truth_at(const InterventionData& data, std::size_t token) {
  return token < data.snapshot->tokens.size() ? data.snapshot->tokens[token]->truth : -1;
}

Table token_table(const InterventionRunReport& run) {
  Table table{"interventions", {{"token", {}}}};
  if (run.tokens.empty()) return table;
  for (std::size_t s = 0; s < run.tokens.front()->sequences.size(); ++s) {
    table.columns.push_back({"KL, " + run_name(run, s) + " (bits)", {}});
    table.columns.push_back({"predicted, " + run_name(run, s), {}});
  }
  for (std::size_t t = 0; t < run.tokens.size(); ++t) {
    table.columns[0].values.push_back(static_cast<double>(t));
    for (std::size_t s = 0; s < run.tokens[t]->sequences.size(); ++s) {
      table.columns[1 + 2 * s].values.push_back(run.tokens[t]->sequences[s].kl_bits);
      table.columns[2 + 2 * s].values.push_back(run.tokens[t]->sequences[s].predicted);
    }
  }
  return table;
}

void draw_kl(PanelContext& context, const InterventionData& data, ImVec2 size) {
  const Theme& theme = context.theme;
  const auto& tokens = data.run->tokens;
  double high = 0;
  for (const auto& token : tokens)
    for (const engine::EffectOnToken& on : token->sequences)
      if (std::isfinite(on.kl_bits)) high = std::max(high, on.kl_bits);
  const double least = std::max(1e-6, std::min(1e-4, high * 1e-3));
  if (!begin_plot(context, "##intervention-kl", size, "token", "KL, bits")) return;
  ImPlot::SetupAxisScale(ImAxis_Y1, ImPlotScale_Log10);
  follow_limits(-0.5, std::max(static_cast<double>(tokens.size()) - 1, 1.0) + 0.5, least / 2, std::max(high, 1e-3) * 4);
  setup_decades(least * 1e-3, std::max(high, 1e-3) * 1e3, size.y * 2);
  ImPlot::SetupAxisFormat(ImAxis_X1, whole_label);
  ImPlot::SetupLegend(ImPlotLocation_North, ImPlotLegendFlags_Horizontal | ImPlotLegendFlags_Outside);
  std::vector<double> x, y;
  for (std::size_t t = 0; t < tokens.size(); ++t) x.push_back(static_cast<double>(t));
  for (std::size_t s = tokens.front()->sequences.size(); s-- > 1;) {
    y.clear();
    for (const auto& token : tokens) {
      const double kl = token->sequences[s].kl_bits;
      y.push_back(std::max(std::isfinite(kl) ? kl : high, least));
    }
    ImPlot::PlotLine(s == 1 ? "changed" : "controls", x.data(), y.data(), static_cast<int>(x.size()),
                     line_spec(run_colour(theme, s), (s == 1 ? 1.6F : 1.0F) * theme.scale));
  }
  mark_x(theme, static_cast<double>(data.index));
  if (ImPlot::IsPlotHovered()) {
    const auto at = static_cast<std::int64_t>(std::lround(ImPlot::GetPlotMousePos().x));
    if (at >= 0 && at < static_cast<std::int64_t>(tokens.size())) {
      ImGui::BeginTooltip();
      ImGui::Text("token %lld: KL(%s || run), bits", static_cast<long long>(at), run_name(*data.run, 0).c_str());
      const engine::EffectToken& token = *tokens[static_cast<std::size_t>(at)];
      for (std::size_t s = 1; s < token.sequences.size(); ++s)
        ImGui::TextColored(run_colour(theme, s), "%s  %s", run_name(*data.run, s).c_str(),
                           number_text(token.sequences[s].kl_bits, 3).c_str());
      ImGui::EndTooltip();
      if (ImGui::IsMouseReleased(ImGuiMouseButton_Left) && ImGui::GetMouseDragDelta().x == 0)
        context.workspace.select_token(at);
    }
  }
  end_plot(context, [&] { return token_table(*data.run); });
}

// What rows and columns have room for: two controls; the curves and tool tips have all of them.
constexpr std::size_t most_runs = 4;

// A row of cells for each run: right or wrong where the task asks, else whether it predicts what the model does.
void draw_right(PanelContext& context, const InterventionData& data, ImVec2 size) {
  const Theme& theme = context.theme;
  const auto& tokens = data.run->tokens;
  const std::size_t runs = std::min(most_runs, tokens.front()->sequences.size());
  push_small(theme);
  const float label = ImGui::CalcTextSize("control 0 100 %  ").x, line = std::floor(size.y / static_cast<float>(runs));
  const ImVec2 at = ImGui::GetCursorScreenPos();
  ImDrawList* list = ImGui::GetWindowDrawList();
  const float width = (size.x - label) / static_cast<float>(tokens.size());
  for (std::size_t s = 0; s < runs; ++s) {
    std::size_t asked = 0, right = 0;
    const float y = at.y + line * static_cast<float>(s);
    for (std::size_t t = 0; t < tokens.size(); ++t) {
      const std::int32_t truth = truth_at(data, t), predicted = tokens[t]->sequences[s].predicted;
      const std::int32_t wanted = truth >= 0 ? truth : tokens[t]->sequences[0].predicted;
      ++asked;
      right += predicted == wanted ? 1 : 0;
      const float x = at.x + label + width * static_cast<float>(t);
      const float gap = width > 4 * theme.scale ? 1.0F : 0.0F;
      list->AddRectFilled({x, y + 1}, {std::max(x + width - gap, x + 1), y + line - 1},
                          predicted == wanted ? packed(theme.success, 0.30F) : packed(theme.error, 0.95F));
    }
    list->AddText({at.x, y + (line - ImGui::GetTextLineHeight()) / 2}, packed(run_colour(theme, s)),
                  fmt::format("{} {:.0f} %", run_name(*data.run, s),
                              100.0 * static_cast<double>(right) / static_cast<double>(asked))
                      .c_str());
  }
  if (data.index >= 0 && data.index < static_cast<std::int64_t>(tokens.size())) {
    const float x = at.x + label + width * static_cast<float>(data.index);
    list->AddRect({x - 1, at.y}, {x + std::max(width, 3.0F), at.y + line * static_cast<float>(runs)},
                  packed(theme.text));
  }
  ImGui::InvisibleButton("right", size);
  ImGui::PopFont();
  if (!ImGui::IsItemHovered()) return;
  const auto t = static_cast<std::int64_t>((ImGui::GetMousePos().x - at.x - label) / std::max(width, 1e-3F));
  if (t < 0 || t >= static_cast<std::int64_t>(tokens.size())) return;
  const engine::EffectToken& token = *tokens[static_cast<std::size_t>(t)];
  ImGui::BeginTooltip();
  ImGui::Text("token %lld: %s", static_cast<long long>(t), data.model->symbol(token.id).c_str());
  const std::int32_t truth = truth_at(data, static_cast<std::size_t>(t));
  if (truth >= 0) ImGui::Text("right: %s", data.model->label(truth).c_str());
  for (std::size_t s = 0; s < token.sequences.size(); ++s)
    ImGui::TextColored(run_colour(theme, s), "%s  %s", run_name(*data.run, s).c_str(),
                       data.model->label(token.sequences[s].predicted).c_str());
  ImGui::EndTooltip();
  if (ImGui::IsMouseClicked(ImGuiMouseButton_Left)) context.workspace.select_token(t);
}

// The probabilities of the best answers after the shown token, a column for each run.
void draw_answers(PanelContext& context, const InterventionData& data, const engine::EffectToken& token, ImVec2 size) {
  const Theme& theme = context.theme;
  const std::size_t runs = std::min(most_runs, token.sequences.size());
  push_small(theme);
  if (ImGui::BeginTable("intervention-answers", 1 + static_cast<int>(runs),
                        ImGuiTableFlags_SizingStretchProp | ImGuiTableFlags_ScrollY | ImGuiTableFlags_NoPadOuterX,
                        size)) {
    ImGui::TableSetupScrollFreeze(0, 1);
    ImGui::TableNextRow();
    for (std::size_t s = 0; s < runs; ++s) {
      ImGui::TableSetColumnIndex(1 + static_cast<int>(s));
      ImGui::TextColored(run_colour(theme, s), "%s", run_name(*data.run, s).c_str());
    }
    for (std::size_t i = 0; i < token.ids.size(); ++i) {
      ImGui::TableNextRow();
      ImGui::TableSetColumnIndex(0);
      ImGui::TextUnformatted(data.model->label(token.ids[i]).c_str());
      for (std::size_t s = 0; s < runs; ++s) {
        ImGui::TableSetColumnIndex(1 + static_cast<int>(s));
        const double p = token.sequences[s].p[i];
        const bool best = token.sequences[s].predicted == token.ids[i];
        const ImVec2 at = ImGui::GetCursorScreenPos();
        const float width = ImGui::GetContentRegionAvail().x;
        ImGui::GetWindowDrawList()->AddRectFilled(
            at, {at.x + std::max(1.0F, width * static_cast<float>(p)), at.y + ImGui::GetTextLineHeight()},
            packed(run_colour(theme, s), best ? 0.42F : 0.2F), 2 * theme.scale);
        numbers(theme, best ? theme.text : theme.secondary,
                (best ? "◂ " : "") + (width < 74 * theme.scale ? fmt::format("{:.2f}", p) : percent_text(p)));
      }
    }
    ImGui::EndTable();
  }
  ImGui::PopFont();
}

// Relative distances below it are rounding of fp32 states, and get no colour of their own.
constexpr double distance_floor = 1e-6;

// Layers by heads: how far each head's state is, as a share of the largest shown.
void draw_map(PanelContext& context, const InterventionData& data, const engine::EffectToken& token, ImVec2 size) {
  const Theme& theme = context.theme;
  const engine::ModelConfig& config = data.model->config();
  const std::vector<double>& distance = token.sequences[1].head_distance;
  double high = distance_floor;
  for (const double d : distance) high = std::max(high, std::isfinite(d) ? d : 0);
  const ImVec2 at = ImGui::GetCursorScreenPos();
  const ImVec2 cell(std::min(size.x / static_cast<float>(config.heads()), 64 * theme.scale),
                    std::min(size.y / static_cast<float>(config.n_layer), 40 * theme.scale));
  ImDrawList* list = ImGui::GetWindowDrawList();
  push_small_numbers(theme);
  for (int l = 0; l < config.n_layer; ++l) {
    for (int h = 0; h < config.heads(); ++h) {
      const double d = distance[static_cast<std::size_t>(l) * static_cast<std::size_t>(config.heads()) +
                                static_cast<std::size_t>(h)];
      const ImVec2 low(at.x + cell.x * static_cast<float>(h), at.y + cell.y * static_cast<float>(l));
      const float t = high > 0 && std::isfinite(d) ? static_cast<float>(d / high) : 0;
      list->AddRectFilled(low, {low.x + cell.x - 1, low.y + cell.y - 1}, packed(sequential_colour(t)));
      const std::string text = number_text(d, 2);
      const ImVec2 words = ImGui::CalcTextSize(text.c_str());
      if (words.x + 4 < cell.x && words.y < cell.y)
        list->AddText({low.x + (cell.x - words.x) / 2, low.y + (cell.y - words.y) / 2},
                      t > 0.6F ? IM_COL32(20, 24, 30, 255) : IM_COL32(235, 240, 245, 255), text.c_str());
    }
  }
  ImGui::PopFont();
  ImGui::InvisibleButton("map",
                         {cell.x * static_cast<float>(config.heads()), cell.y * static_cast<float>(config.n_layer)});
  if (!ImGui::IsItemHovered()) return;
  const int h = std::clamp(static_cast<int>((ImGui::GetMousePos().x - at.x) / cell.x), 0, config.heads() - 1);
  const int l = std::clamp(static_cast<int>((ImGui::GetMousePos().y - at.y) / cell.y), 0, config.n_layer - 1);
  ImGui::SetTooltip("layer %d, head %d: |z - z %s| is %s of the latter", l, h, run_name(*data.run, 0).c_str(),
                    percent_text(distance[static_cast<std::size_t>(l) * static_cast<std::size_t>(config.heads()) +
                                          static_cast<std::size_t>(h)])
                        .c_str());
  if (!ImGui::IsMouseClicked(ImGuiMouseButton_Left)) return;
  context.workspace.selection.layer = l;
  context.workspace.selection.head = h;
}

}  // namespace

void draw_intervention_tokens(PanelContext& context, const InterventionData& data) {
  const Theme& theme = context.theme;
  if (data.run->tokens.empty()) {
    const std::string why = data.run->error       ? data.run->error->message
                            : data.run->cancelled ? std::string("Cancelled before the first token.")
                                                  : std::string("Stepping the tokens with the changes.");
    draw_empty_state(theme, data.run->settings.list.empty() ? "Nothing is changed" : "",
                     data.run->settings.list.empty()
                         ? "A preset is the quickest: zero the rotation and see what the model still knows."
                         : why);
    return;
  }
  const ImVec2 space = ImGui::GetContentRegionAvail();
  const float s = theme.scale, gap = 14 * s, spacing = ImGui::GetStyle().ItemSpacing.y;
  const float line = ImGui::GetTextLineHeightWithSpacing();
  const bool low = space.y < 310 * s;
  const std::size_t runs = std::min(most_runs, data.run->tokens.front()->sequences.size());
  const float strip = static_cast<float>(runs) * std::floor(15 * s);
  const float rest = space.y - strip - line - 3 * spacing;
  const float plot = low ? std::max(rest, 60 * s) : std::floor(rest * 0.52F);
  draw_kl(context, data, {space.x, plot});
  const bool labels = data.snapshot->model->card.labels_positions();
  const std::string reference = run_name(*data.run, 0);
  heading(theme,
          labels                            ? "right and wrong after each token"
          : data.run->settings.base.empty() ? "predicts what the model as it is does"
                                            : "predicts what the branch does, with what is in force",
          "Against the task's truth where there is one. Click: show the token everywhere.");
  draw_right(context, data, {space.x, strip});
  if (low) return;
  const auto at = static_cast<std::size_t>(
      std::clamp<std::int64_t>(data.index, 0, static_cast<std::int64_t>(data.run->tokens.size()) - 1));
  const engine::EffectToken& token = *data.run->tokens[at];
  const float left = std::floor((space.x - gap) * 0.52F);
  ImGui::BeginChild("answers", {left, 0}, ImGuiChildFlags_None, ImGuiWindowFlags_NoScrollbar);
  heading(theme, fmt::format("predictions after token {}", at), "The best answers of each run, side by side.");
  draw_answers(context, data, token, ImGui::GetContentRegionAvail());
  ImGui::EndChild();
  ImGui::SameLine(0, gap);
  ImGui::BeginChild("distances", {0, 0}, ImGuiChildFlags_None, ImGuiWindowFlags_NoScrollbar);
  heading(
      theme, "state distance, layers by heads",
      fmt::format("|z changed - z {0}| / |z {0}| of the un-rotated state after the shown token; 1 is as far as zero "
                  "is. Colours end at the largest, and at {1} where all are smaller: rounding.",
                  reference, number_text(distance_floor, 1))
          .c_str());
  draw_map(context, data, token, ImGui::GetContentRegionAvail());
  ImGui::EndChild();
}

}  // namespace app
