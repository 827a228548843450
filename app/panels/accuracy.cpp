// The accuracy panel: how often the model answers its task right, over positions, beside the models of its family. The
// measuring itself runs in the background (app/wiring/evaluation.h).
#include "app/panels/accuracy.h"

#include "app/panels/empty_state.h"
#include "app/panels/parts.h"
#include "app/panels/widgets.h"
#include "app/viewmodel/in_force.h"
#include "app/viewmodel/numbers.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <cmath>

namespace app {

namespace {

using State = EvaluationReport::State;

void remake(AccuracyData& data, std::shared_ptr<const EvaluationReport> report, const AccuracyView& view,
            const engine::TaskCard& card) {
  if (report == data.report && view.unit == data.unit && view.logarithmic == data.logarithmic) return;
  data.report = std::move(report);
  data.unit = view.unit;
  data.logarithmic = view.logarithmic;
  data.longest_training = longest_training_length(card.origin);
  data.series.clear();
  for (const ModelEvaluation& model : data.report->models) {
    const auto task = engine::find_task(model.card.task);
    const int classes = task ? (*task)->classes : 0;
    data.series.push_back({model.model, model.card.variant, classes,
                           make_accuracy_curve(model.counts, view.unit, view.logarithmic),
                           make_accuracy_row(model.counts, model.card.accuracy, classes, view.unit)});
  }
}

// How far a chip goes down to stand in the middle of a row of buttons, which are higher.
float chip_drop() {
  const float chip = ImGui::GetTextLineHeight() * 0.88F + 0.8F * ImGui::GetStyle().FramePadding.y;
  return std::max(0.0F, std::floor((ImGui::GetFrameHeight() - chip) / 2));
}

template <std::size_t count>
void choose_number(const Theme& theme, const char* id, const char* word, const std::array<int, count>& choices,
                   int& value, Flow& flow, const char* tip) {
  const float gap = 5 * theme.scale, width = 68 * theme.scale;
  flow.place(ImGui::CalcTextSize(word).x + gap + width);
  ImGui::AlignTextToFramePadding();
  ImGui::TextColored(theme.secondary, "%s", word);
  ImGui::SameLine(0, gap);
  ImGui::SetNextItemWidth(width);
  if (ImGui::BeginCombo(id, count_text(value).c_str(), ImGuiComboFlags_HeightLarge)) {
    for (const int choice : choices)
      if (ImGui::Selectable(count_text(choice).c_str(), choice == value)) value = choice;
    ImGui::EndCombo();
  }
  ImGui::SetItemTooltip("%s", tip);
}

void draw_choice(PanelContext& context, bool running, bool with_button, Flow& flow) {
  constexpr std::array<int, 8> lengths = {32, 64, 128, 256, 512, 1024, 2048, 4096};
  constexpr std::array<int, 6> numbers_of_sequences = {50, 100, 200, 500, 1000, 2000};
  const Theme& theme = context.theme;
  Workspace& workspace = context.workspace;
  EvaluationChoice& choice = workspace.accuracy.choice;
  ImGui::BeginDisabled(running);
  if (with_button) {
    flow.place(button_width("Evaluate") + 4);
    if (primary_button(theme, "Evaluate")) workspace.requests.evaluate = true;
    tooltip("Draw fresh sequences of the task and count the right answers, in the background. E");
  }
  choose_number(theme, "##length", "length", lengths, choice.length, flow, "Tokens in each sequence.");
  choose_number(theme, "##sequences", "sequences", numbers_of_sequences, choice.sequences, flow,
                "Number of sequences, drawn with seed 0: the same ones each time and for each model.");
  flow.place(chip_width("with ablations"));
  ImGui::SetCursorPosY(ImGui::GetCursorPosY() + chip_drop());
  if (chip(theme, "with ablations", choice.family,
           "After the open model the built-in models of its family, one after the other: trained alike on the same "
           "task, "
           "with something else taken away or added."))
    choice.family = !choice.family;
  ImGui::EndDisabled();
}

void draw_view_chips(PanelContext& context, Flow& flow) {
  const Theme& theme = context.theme;
  AccuracyView& view = context.workspace.accuracy;
  const float gap = 4 * theme.scale;
  flow.place_right(chip_width("scaled") + chip_width("raw") + chip_width("log₂") + chip_width("linear") + 4 * gap);
  const float y = ImGui::GetCursorPosY() + chip_drop();
  ImGui::SetCursorPosY(y);
  if (chip(theme, "scaled", view.unit == AccuracyUnit::scaled, "0 % is chance, 100 % is all right."))
    view.unit = AccuracyUnit::scaled;
  ImGui::SameLine(0, gap);
  ImGui::SetCursorPosY(y);
  if (chip(theme, "raw", view.unit == AccuracyUnit::raw, "Share of the labelled positions that are right."))
    view.unit = AccuracyUnit::raw;
  ImGui::SameLine(0, 2 * gap);
  ImGui::SetCursorPosY(y);
  if (chip(theme, "log₂", view.logarithmic, "Positions on a logarithmic axis: every doubling is as wide."))
    view.logarithmic = true;
  ImGui::SameLine(0, gap);
  ImGui::SetCursorPosY(y);
  if (chip(theme, "linear", !view.logarithmic, "Positions on a linear axis.")) view.logarithmic = false;
}

std::string seconds_text(double seconds) {
  if (seconds < 0.9995) return fmt::format("{:.0f} ms", 1e3 * seconds);
  return seconds < 9.95 ? fmt::format("{:.1f} s", seconds) : fmt::format("{:.0f} s", seconds);
}

std::string progress_text(const EvaluationReport& report) {
  if (report.models.empty()) return "looking for the models of the family";
  const ModelEvaluation& current = report.models.back();
  std::string text = current.model;
  if (report.models_in_all > 1) text += fmt::format(", {} of {}", report.models.size(), report.models_in_all);
  text +=
      fmt::format(" · {} of {} sequences", count_text(current.counts.sequences), count_text(report.choice.sequences));
  if (report.done > 0.02 && report.seconds > 0.2)
    text += fmt::format(" · {} left", seconds_text(report.seconds * (1 - report.done) / report.done));
  return text;
}

void draw_progress(PanelContext& context, const EvaluationReport& report) {
  const Theme& theme = context.theme;
  const float button = button_width("Cancel"), gap = 8 * theme.scale;
  const float width = std::max(60 * theme.scale, ImGui::GetContentRegionAvail().x - button - gap);
  // The text stands beside nothing: inside the bar, in a colour that reads on both of its halves.
  const std::string text = shortened(progress_text(report), width - 2 * gap);
  ImGui::PushStyleColor(ImGuiCol_PlotHistogram, ImVec4(theme.accent_filled.x, theme.accent_filled.y,
                                                       theme.accent_filled.z, theme.light ? 1.0F : 0.45F));
  const ImVec2 at = ImGui::GetCursorScreenPos();
  ImGui::ProgressBar(static_cast<float>(report.done), {width, ImGui::GetFrameHeight()}, "");
  ImGui::PopStyleColor();
  ImGui::GetWindowDrawList()->AddText({at.x + gap, at.y + ImGui::GetStyle().FramePadding.y}, packed(theme.text),
                                      text.c_str());
  ImGui::SameLine(0, gap);
  if (ImGui::Button("Cancel")) context.workspace.document().evaluation->cancel();
  tooltip("End now; sequences that are complete stay counted.");
}

// What stands where the progress stood: what was measured, and what went wrong.
void draw_outcome(const Theme& theme, const EvaluationReport& report) {
  ImGui::AlignTextToFramePadding();
  for (const ModelEvaluation& model : report.models) {
    if (!model.error) continue;
    const std::string text = fmt::format("{} could not be evaluated: {}", model.model, model.error->message);
    ImGui::TextColored(theme.error, "%s", shortened(text, ImGui::GetContentRegionAvail().x).c_str());
    tooltip(text);
    return;
  }
  const bool cancelled = report.state == State::cancelled;
  std::string text = fmt::format("{} sequences", count_text(report.choice.sequences));
  if (cancelled && !report.models.empty())
    text = fmt::format("cancelled: {} of {} complete for {}", count_text(report.models.back().counts.sequences), text,
                       report.models.back().model);
  if (!report.interventions.empty()) text = fmt::format("under {} · ", in_force_words(report.interventions)) + text;
  text += fmt::format(" · length {} · seed {} · {} · {}", count_text(report.choice.length), report.choice.seed,
                      seconds_text(report.seconds), report.device);
  push_small(theme);
  ImGui::TextColored(cancelled ? theme.warning : theme.secondary, "%s",
                     shortened(text, ImGui::GetContentRegionAvail().x).c_str());
  ImGui::PopFont();
  tooltip(text);
}

bool has_task(const engine::TaskCard& card) { return card.labels_positions() && !card.task.empty(); }

void draw_no_task(PanelContext& context, const engine::Model& model) {
  const std::string reason =
      model.card.labels_positions()
          ? fmt::format(
                "The task.json of {} names no task, so that there is no truth to compare with. Open a model "
                "that is trained on one.",
                model.name)
          : fmt::format(
                "{} predicts the next token: no answer is right or wrong by itself. Open a model that labels the "
                "positions of a task.",
                model.name);
  if (draw_empty_state(context.theme, "Nothing to evaluate", reason, "Open parity"))
    context.workspace.requests.open_model = "parity";
}

void draw_measured(PanelContext& context, const AccuracyData& data) {
  const Theme& theme = context.theme;
  const ImVec2 space = ImGui::GetContentRegionAvail();
  const float spacing = ImGui::GetStyle().ItemSpacing.y;
  // A low panel keeps its room for the plot, whose axis and tool tip say the same.
  const bool high = space.y > 330 * theme.scale;
  const float line = std::ceil(small_size(theme)) + spacing;
  const float table = std::min(accuracy_table_height(theme, data), std::max(0.4F * space.y, 60 * theme.scale));
  if (high)
    heading(theme,
            fmt::format("{} at the positions around each point; band: 95 % interval, wide: each sequence counts once",
                        data.unit == AccuracyUnit::scaled ? "scaled accuracy" : "accuracy"),
            "Wilson's score interval. Positions of one sequence are not independent, since a model that lost the state "
            "stays wrong: however many lie in a bin, a sequence counts once.");
  draw_accuracy_plot(
      context, data,
      {space.x, std::max(space.y - table - (high ? 2.0F : 1.0F) * line - 1.5F * spacing, 110 * theme.scale)});
  heading(theme, "all labelled positions up to a length, %: measured, and (recorded at training)",
          "Prefixes of the same sequences: the model reads from left to right, so that one pass measures every "
          "length.");
  draw_accuracy_table(context, data, table);
}

}  // namespace

void draw_accuracy(PanelContext& context) {
  static AccuracyData data;
  const Theme& theme = context.theme;
  Workspace& workspace = context.workspace;
  Document& document = workspace.document();
  const engine::Model& model = *document.model;
  if (!has_task(model.card)) return draw_no_task(context, model);
  Flow flow(10 * theme.scale);
  const EvaluationChoice& choice = workspace.accuracy.choice;
  if (!document.evaluation) {
    draw_choice(context, false, false, flow);
    if (draw_empty_state(
            theme, "No accuracy measured yet",
            fmt::format("{} sequences of {} tokens of the task {} are drawn, stepped in the background, and "
                        "compared with the truth.",
                        count_text(choice.sequences), count_text(choice.length), model.card.task) +
                (document.snapshot->interventions.empty()
                     ? std::string()
                     : fmt::format(" They are stepped under what is in force on this branch: {}.",
                                   in_force_words(document.snapshot->interventions))),
            "Evaluate"))
      workspace.requests.evaluate = true;
    return;
  }
  remake(data, document.evaluation->report(), workspace.accuracy, model.card);
  const EvaluationReport& report = *data.report;
  const bool running = report.state == State::running;
  draw_choice(context, running, true, flow);
  draw_view_chips(context, flow);
  if (running)
    draw_progress(context, report);
  else
    draw_outcome(theme, report);
  draw_measured(context, data);
}

}  // namespace app
