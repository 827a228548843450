// The effect page: the model beside itself with lambda fixed at 1 and at 1/2, over the tokens of this context.
#include "app/panels/discretisation.h"
#include "app/panels/empty_state.h"
#include "app/panels/parts.h"
#include "app/panels/plot.h"
#include "app/panels/widgets.h"
#include "app/viewmodel/in_force.h"
#include "app/viewmodel/numbers.h"
#include "app/viewmodel/shown.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <cmath>

namespace app {

namespace {

constexpr double quick_s = 0.3;  // a run this short is repeated by itself as the context grows

ImVec4 colour_of_run(const Theme& theme, std::size_t run) {
  return run == 0 ? theme.model_lambda : run == 1 ? theme.euler : theme.trapezoid;
}
ImPlotMarker marker_of_run(std::size_t run) { return run == 1 ? ImPlotMarker_Circle : ImPlotMarker_Square; }

bool same_ids(const EffectReport& report, const engine::Snapshot& snapshot) {
  if (report.ids.size() != snapshot.tokens.size() || report.interventions != snapshot.interventions) return false;
  for (std::size_t t = 0; t < report.ids.size(); ++t) {
    if (report.ids[t] != snapshot.tokens[t]->id) return false;
  }
  return true;
}

// The start of the context that the report is of: its tokens are those that are shown.
bool same_beginning(const EffectReport& report, const engine::Snapshot& snapshot, std::int64_t index) {
  const auto count = static_cast<std::size_t>(index + 1);
  if (report.ids.size() < count || snapshot.tokens.size() < count) return false;
  for (std::size_t t = 0; t < count; ++t) {
    if (report.ids[t] != snapshot.tokens[t]->id) return false;
  }
  return true;
}

void controls(PanelContext& context, const EffectReport* report, const EffectReport* accuracy, bool stale) {
  Workspace& workspace = context.workspace;
  const Theme& theme = context.theme;
  Flow flow(6 * theme.scale);
  const bool running = report != nullptr && report->state == EffectReport::State::running;
  if (stale && !running) {
    flow.place(chip_width("run again for all tokens"));
    if (chip(theme, "run again for all tokens", false, "The context has tokens that these runs have not read."))
      workspace.requests.effect = true;
  }
  const engine::TaskCard& card = workspace.document().model->card;
  if (!card.labels_positions() || card.task.empty()) return;
  const bool measuring = accuracy != nullptr && accuracy->state == EffectReport::State::running;
  const EvaluationChoice& choice = workspace.accuracy.choice;
  const std::string label =
      measuring ? fmt::format("measuring: {:.0f} %###effect-accuracy", 100 * accuracy->done)
                : fmt::format("accuracy of each, {} × {}###effect-accuracy", choice.sequences, choice.length);
  flow.place(chip_width(label.c_str()));
  if (chip(theme, label.c_str(), measuring,
           "The share of the task's labelled positions that each run answers right, over fresh sequences; how many and "
           "how long is chosen in the Accuracy panel. Click again to stop.")) {
    if (measuring)
      workspace.document().effect_accuracy->cancel();
    else
      workspace.requests.effect_accuracy = true;
  }
}

// A line over tokens for each run beside the model's own; marked where the tokens are few.
void plot_runs(const Theme& theme, const EffectSeries& s, const decltype(EffectSeries::kl_bits)& values) {
  const auto count = static_cast<int>(s.token.size());
  for (std::size_t run = 1; run < effect_runs; ++run) {
    const ImVec4 colour = colour_of_run(theme, run);
    ImPlot::PlotLine(effect_names[run], s.token.data(), values[run - 1].data(), count,
                     count <= 64 ? line_with_markers(colour, marker_of_run(run), 2.2F * theme.scale, 1.4F * theme.scale)
                                 : line_spec(colour, 1.4F * theme.scale));
  }
}

void draw_kl(PanelContext& context, const DiscretisationData& data, ImVec2 size) {
  const Theme& theme = context.theme;
  const EffectSeries& s = data.effect_series;
  double low = 1e300, high = 0;
  for (const auto& values : s.kl_bits) {
    for (const double v : values) {
      if (!std::isfinite(v)) continue;
      low = std::min(low, v);
      high = std::max(high, v);
    }
  }
  if (!(low <= high)) return note(theme, "No token's prediction differs at all.");
  // Nobody's next token depends on less than that: what is below is drawn at the bottom, and keeps the rest readable.
  const double least = std::min(1e-4, high * 1e-3);
  low = std::max(low, least);
  std::array<std::vector<double>, effect_runs - 1> drawn = s.kl_bits;
  for (auto& values : drawn) {
    for (double& v : values) v = std::max(std::isfinite(v) ? v : 0, low);
  }
  const std::string label =
      fmt::format("KL, bits{}", low > least ? "" : fmt::format(" (at least {})", number_text(least, 1)));
  if (!begin_plot(context, "##effect-kl", size, "token", label.c_str())) return;
  ImPlot::SetupAxisScale(ImAxis_Y1, ImPlotScale_Log10);
  follow_limits(s.token.front() - 0.5, std::max(s.token.back(), 1.0) + 0.5, low / 3, high * 4);
  setup_decades(low * 1e-3, high * 1e3, size.y * 2.2F);
  ImPlot::SetupAxisFormat(ImAxis_X1, whole_label);
  ImPlot::SetupLegend(ImPlotLocation_North, ImPlotLegendFlags_Horizontal | ImPlotLegendFlags_Outside);
  const auto count = static_cast<int>(s.token.size());
  plot_runs(theme, s, drawn);
  mark_x(theme, static_cast<double>(data.index));
  if (ImPlot::IsPlotHovered()) {
    const auto at = static_cast<std::int64_t>(std::lround(ImPlot::GetPlotMousePos().x));
    if (at >= 0 && at < count) {
      const auto i = static_cast<std::size_t>(at);
      ImGui::BeginTooltip();
      ImGui::Text("token %lld: KL(%s || this run), bits", static_cast<long long>(at),
                  effect_name(0, !data.effect->interventions.empty()));
      for (std::size_t run = 1; run < effect_runs; ++run)
        ImGui::TextColored(colour_of_run(theme, run), "%s  %s", effect_names[run],
                           number_text(std::isfinite(s.kl_bits[run - 1][i]) ? s.kl_bits[run - 1][i] : 0, 3).c_str());
      ImGui::EndTooltip();
      if (ImGui::IsMouseReleased(ImGuiMouseButton_Left) && ImGui::GetMouseDragDelta().x == 0)
        context.workspace.select_token(at);
    }
  }
  end_plot(context, [&] { return effect_table(*data.effect); });
}

void draw_distances(PanelContext& context, const DiscretisationData& data, ImVec2 size) {
  const Theme& theme = context.theme;
  const EffectSeries& s = data.effect_series;
  double high = 0;
  for (const auto& values : s.distance) {
    for (const double v : values) {
      if (std::isfinite(v)) high = std::max(high, v);
    }
  }
  if (!begin_plot(context, "##effect-distance", size, "token", "relative distance", ImPlotFlags_NoLegend)) return;
  follow_limits(s.token.front() - 0.5, std::max(s.token.back(), 1.0) + 0.5, 0, std::max(high, 1e-9) * 1.15);
  ImPlot::SetupAxisFormat(ImAxis_X1, whole_label);
  const auto count = static_cast<int>(s.token.size());
  plot_runs(theme, s, s.distance);
  mark_x(theme, static_cast<double>(data.index));
  if (ImPlot::IsPlotHovered()) {
    const auto at = static_cast<std::int64_t>(std::lround(ImPlot::GetPlotMousePos().x));
    if (at >= 0 && at < count) {
      const auto i = static_cast<std::size_t>(at);
      ImGui::SetTooltip("token %lld, layer %d: Euler %s, trapezoid %s", static_cast<long long>(at),
                        data.selection.layer, percent_text(s.distance[0][i]).c_str(),
                        percent_text(s.distance[1][i]).c_str());
      if (ImGui::IsMouseReleased(ImGuiMouseButton_Left) && ImGui::GetMouseDragDelta().x == 0)
        context.workspace.select_token(at);
    }
  }
  end_plot(context, [&] { return effect_table(*data.effect); });
}

void draw_layer_distances(PanelContext& context, const DiscretisationData& data, ImVec2 size) {
  const Theme& theme = context.theme;
  const EffectSeries& s = data.effect_series;
  double high = 0;
  for (const auto& values : s.layer_distance) {
    for (const double v : values) high = std::max(high, std::isfinite(v) ? v : 0);
  }
  if (!begin_plot(context, "##effect-layers", size, "layer", nullptr, ImPlotFlags_NoLegend)) return;
  const auto count = static_cast<int>(s.layer.size());
  follow_limits(-0.6, count - 0.4, 0, std::max(high, 1e-9) * 1.15);
  ImPlot::SetupAxisFormat(ImAxis_X1, whole_label);
  for (std::size_t run = 1; run < effect_runs; ++run) {
    ImPlotSpec spec = line_spec(colour_of_run(theme, run), 1.0F);
    spec.FillAlpha = 0.55F;
    std::vector<double> x = s.layer;
    for (double& at : x) at += run == 1 ? -0.19 : 0.19;
    ImPlot::PlotBars(effect_names[run], x.data(), s.layer_distance[run - 1].data(), count, 0.34, spec);
  }
  if (ImPlot::IsPlotHovered()) {
    const auto at = static_cast<std::int64_t>(std::lround(ImPlot::GetPlotMousePos().x));
    if (at >= 0 && at < count) {
      const auto i = static_cast<std::size_t>(at);
      ImGui::SetTooltip("layer %lld: Euler %s, trapezoid %s", static_cast<long long>(at),
                        percent_text(s.layer_distance[0][i]).c_str(), percent_text(s.layer_distance[1][i]).c_str());
      if (ImGui::IsMouseReleased(ImGuiMouseButton_Left) && ImGui::GetMouseDragDelta().x == 0)
        context.workspace.selection.layer = static_cast<int>(at);
    }
  }
  end_plot(context, [&] {
    return Table{"effect-layers",
                 {{"layer", s.layer},
                  {"euler distance (relative)", s.layer_distance[0]},
                  {"trapezoid distance (relative)", s.layer_distance[1]}}};
  });
}

// A table with a column for each run; `cell` draws the value of a row.
template <class Name, class Cell>
void run_table(const Theme& theme, const char* id, ImVec2 size, bool in_force, std::size_t rows, Name name, Cell cell) {
  push_small(theme);
  if (ImGui::BeginTable(id, 1 + static_cast<int>(effect_runs),
                        ImGuiTableFlags_SizingStretchProp | ImGuiTableFlags_ScrollY | ImGuiTableFlags_NoPadOuterX,
                        size)) {
    ImGui::TableSetupScrollFreeze(0, 1);
    ImGui::TableSetupColumn("##what", ImGuiTableColumnFlags_WidthStretch, 1.2F);
    const std::array<const char*, effect_runs> brief{effect_name(0, in_force), "Euler", "trapezoid"};
    for (const char* run : brief) ImGui::TableSetupColumn(run, ImGuiTableColumnFlags_WidthStretch, 1.0F);
    ImGui::TableNextRow();
    for (std::size_t run = 0; run < effect_runs; ++run) {
      ImGui::TableSetColumnIndex(1 + static_cast<int>(run));
      ImGui::TextColored(colour_of_run(theme, run), "%s",
                         shortened(brief[run], ImGui::GetContentRegionAvail().x).c_str());
    }
    for (std::size_t row = 0; row < rows; ++row) {
      ImGui::TableNextRow();
      ImGui::TableSetColumnIndex(0);
      name(row);
      for (std::size_t run = 0; run < effect_runs; ++run) {
        ImGui::TableSetColumnIndex(1 + static_cast<int>(run));
        cell(row, run);
      }
    }
    ImGui::EndTable();
  }
  ImGui::PopFont();
}

void draw_answers(PanelContext& context, const DiscretisationData& data, ImVec2 size) {
  const Theme& theme = context.theme;
  const std::vector<EffectAnswer>& answers = data.effect_answers;
  run_table(
      theme, "effect-answers", size, !data.effect->interventions.empty(), answers.size(),
      [&](std::size_t row) { ImGui::TextUnformatted(answers[row].text.c_str()); },
      [&](std::size_t row, std::size_t run) {
        const double p = answers[row].p[run];
        const ImVec2 at = ImGui::GetCursorScreenPos();
        const float width = ImGui::GetContentRegionAvail().x, height = ImGui::GetTextLineHeight();
        ImGui::GetWindowDrawList()->AddRectFilled(
            at, {at.x + std::max(1.0F, width * static_cast<float>(p)), at.y + height},
            packed(colour_of_run(theme, run), answers[row].best[run] ? 0.42F : 0.2F), 2 * theme.scale);
        numbers(theme, answers[row].best[run] ? theme.text : theme.secondary,
                fmt::format("{:.4f}{}", p, answers[row].best[run] ? " ◂" : ""));
      });
}

void draw_summary(PanelContext& context, const DiscretisationData& data, ImVec2 size) {
  const Theme& theme = context.theme;
  const std::vector<EffectLine>& lines = data.effect_lines;
  run_table(
      theme, "effect-summary", size, !data.effect->interventions.empty(), lines.size(),
      [&](std::size_t row) {
        ImGui::TextColored(theme.secondary, "%s", shortened(lines[row].name, ImGui::GetContentRegionAvail().x).c_str());
        tooltip(lines[row].tip);
      },
      [&](std::size_t row, std::size_t run) { numbers(theme, theme.text, lines[row].values[run]); });
}

// Height of a row of run_table.
float table_line(const Theme& theme) {
  push_small(theme);
  const float height = ImGui::GetTextLineHeight() + 2 * ImGui::GetStyle().CellPadding.y;
  ImGui::PopFont();
  return height;
}

template <class Draw>
void cell(const Theme& theme, const char* id, ImVec2 size, const std::string& title, const char* tip, Draw draw) {
  ImGui::BeginChild(id, size, ImGuiChildFlags_None, ImGuiWindowFlags_NoScrollbar);
  heading(theme, title, tip);
  draw(ImGui::GetContentRegionAvail());
  ImGui::EndChild();
}

void remake(DiscretisationData& data, std::shared_ptr<const EffectReport> report,
            std::shared_ptr<const EffectReport> accuracy, const engine::Model& model) {
  ViewKey key = data.key;
  key.version = 0;
  key.snapshot = nullptr;
  if (key == data.effect_key && report == data.effect && accuracy == data.effect_accuracy) return;
  data.effect_key = key;
  data.effect = std::move(report);
  data.effect_accuracy = std::move(accuracy);
  data.effect_series = make_effect_series(*data.effect, data.selection.layer, data.index);
  data.effect_answers = effect_answers(*data.effect, model, data.index);
  data.effect_lines = effect_lines(data.effect_series, data.effect_accuracy.get(), !data.effect->interventions.empty());
}

}  // namespace

void draw_effect_page(PanelContext& context, DiscretisationData& data, bool tiny) {
  Workspace& workspace = context.workspace;
  Document& document = workspace.document();
  const Theme& theme = context.theme;
  auto report = document.effect ? document.effect->report() : nullptr;
  auto accuracy = document.effect_accuracy ? document.effect_accuracy->report() : nullptr;
  const auto error = report && report->error ? report->error : accuracy ? accuracy->error : std::nullopt;
  if (error) {
    if (draw_empty_state(theme, "The model could not be run with another λ", error->message, "Try again"))
      workspace.requests.effect = true;
    return;
  }
  // A quick run follows the context by itself; while it does, the last one stays in view.
  const bool running = report && report->state == EffectReport::State::running;
  if (report && !running && !same_ids(*report, *data.snapshot) && report->seconds < quick_s)
    workspace.requests.effect = true;
  if (report && report->tokens == nullptr && data.effect && data.effect->tokens != nullptr &&
      data.effect_model.lock() == document.model)
    report = data.effect;
  if (!report || report->tokens == nullptr) {
    if (running) {
      if (draw_empty_state(
              theme, fmt::format("Running the tokens as Euler and as the trapezoid: {:.0f} %", 100 * report->done),
              "Three sequences of one batch, in the background.", "Cancel"))
        document.effect->cancel();
    } else if (draw_empty_state(
                   theme, "What would this model do with another λ?",
                   "The same tokens as three sequences of one batch: the model as it is, with λ = 1 (Euler) "
                   "and with λ = ½ (trapezoid). An effect on the model, not an error.",
                   "Run as Euler and trapezoid")) {
      workspace.requests.effect = true;
    }
    return;
  }
  data.effect_model = document.model;
  const bool stale = !same_beginning(*report, *data.snapshot, data.index);
  remake(data, report, std::move(accuracy), *document.model);
  controls(context, data.effect.get(), data.effect_accuracy.get(), stale);
  const ImVec2 space = ImGui::GetContentRegionAvail();
  const float gap = 14 * theme.scale, spacing = ImGui::GetStyle().ItemSpacing.y;
  const std::string caption =
      starts_from_words(report->interventions) + fmt::format(
                                                     "Effect, not error: the same {} tokens, λ fixed in all layers and "
                                                     "heads. Nothing here is the truth; the model "
                                                     "was "
                                                     "trained with its own λ and was not trained again.",
                                                     data.effect_series.token.size());
  const float below = tiny ? 0 : note_height(theme, caption, space.x) + spacing;
  const float row = std::floor(tiny ? space.y - spacing : (space.y - below - 2 * spacing) / 2);
  const float left = std::floor((space.x - gap) * 0.56F), right = space.x - gap - left;
  const std::int64_t at = std::min<std::int64_t>(data.index, static_cast<std::int64_t>(report->ids.size()) - 1);
  const auto kl = [&](ImVec2 size) {
    cell(theme, "effect-kl", size, "effect on the prediction: KL from the model as it is",
         "KL(as it is || this run) of the next-token distribution or the task's classes, bits, after each token. What "
         "is "
         "smaller than the axis is drawn at its bottom; the exported data has all of it.",
         [&](ImVec2 rest) { draw_kl(context, data, rest); });
  };
  const auto answers = [&](ImVec2 size) {
    cell(theme, "effect-answers", size, fmt::format("predictions after token {}; ◂ the likeliest", at),
         "Probabilities of the best answers of each run, side by side.",
         [&](ImVec2 rest) { draw_answers(context, data, rest); });
  };
  const auto states = [&](float width) {
    const float first = std::floor((width - gap) * 0.6F);
    cell(theme, "effect-distance", {first, row}, fmt::format("state distance, layer {}", data.selection.layer),
         "|z - z of the model as it is| / |the latter|, un-rotated states of all heads of the layer, after each token.",
         [&](ImVec2 rest) { draw_distances(context, data, rest); });
    ImGui::SameLine(0, gap);
    cell(theme, "effect-layers", {width - gap - first, row}, fmt::format("each layer, token {}", at),
         "The same for every layer after the shown token.",
         [&](ImVec2 rest) { draw_layer_distances(context, data, rest); });
    ImGui::SameLine(0, gap);
  };
  const auto summary = [&](ImVec2 size) {
    cell(theme, "effect-summary", size, "over all tokens",
         "Accuracy, where it was measured, is over fresh sequences of the task.",
         [&](ImVec2 rest) { draw_summary(context, data, rest); });
  };
  // A model of few classes has a short table of answers: it stands above the summary, and the width is the curve's.
  const float line = table_line(theme), heading_line = ImGui::GetTextLineHeightWithSpacing() + spacing;
  const auto height_of = [&](std::size_t rows) { return heading_line + line * static_cast<float>(rows + 1); };
  const float short_answers = height_of(data.effect_answers.size());
  if (!tiny && short_answers + spacing + height_of(data.effect_lines.size()) <= row) {
    kl({space.x, row});
    states(left);
    ImGui::BeginGroup();
    answers({right, short_answers});
    summary({right, row - short_answers - spacing});
    ImGui::EndGroup();
    note(theme, caption);
    return;
  }
  kl({left, row});
  ImGui::SameLine(0, gap);
  answers({right, row});
  if (tiny) return;
  states(left);
  summary({right, row});
  note(theme, caption);
}

}  // namespace app
