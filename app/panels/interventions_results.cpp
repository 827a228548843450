// Dose response and patching: measured when asked for, with progress, and cancelled by a click.
#include "app/panels/empty_state.h"
#include "app/panels/interventions.h"
#include "app/panels/parts.h"
#include "app/panels/plot.h"
#include "app/panels/widgets.h"
#include "app/viewmodel/numbers.h"

#include <fmt/core.h>

#include <misc/cpp/imgui_stdlib.h>

#include <algorithm>
#include <cmath>

namespace app {

namespace {

std::vector<double> strengths_of(const Interventions& list) {
  const bool shuffles = std::any_of(list.begin(), list.end(), [](const engine::Intervention& by) {
    return by.operation == engine::Operation::shuffle;
  });
  if (shuffles) return {0, 1};
  return {0, 0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1};
}

struct Curve {
  std::vector<double> x, changed, mean, low, high;
};

template <class Value>
Curve curve_of(const std::vector<engine::DosePoint>& points, Value value) {
  Curve c;
  for (const engine::DosePoint& point : points) {
    c.x.push_back(point.strength);
    c.changed.push_back(value(point.counterfactual));
    double sum = 0, low = 1e300, high = -1e300;
    for (const engine::EffectTally& control : point.controls) {
      const double v = value(control);
      sum += v;
      low = std::min(low, v);
      high = std::max(high, v);
    }
    if (point.controls.empty()) continue;
    c.mean.push_back(sum / static_cast<double>(point.controls.size()));
    c.low.push_back(low);
    c.high.push_back(high);
  }
  return c;
}

Table table_of(const char* name, const char* value, const Curve& c) {
  return {name,
          {{"strength", c.x},
           {std::string(value) + ", changed", c.changed},
           {std::string(value) + ", mean of the controls", c.mean},
           {std::string(value) + ", lowest control", c.low},
           {std::string(value) + ", highest control", c.high}}};
}

void plot_curve(PanelContext& context, const char* id, const char* name, const char* label, const Curve& c,
                ImVec2 size) {
  const Theme& theme = context.theme;
  if (!begin_plot(context, id, size, "strength", label)) return;
  double low = 0, high = 1e-9;
  for (const std::vector<double>* values : {&c.changed, &c.low, &c.high})
    for (const double v : *values) low = std::min(low, v), high = std::max(high, v);
  const double pad = 0.06 * (high - low);
  follow_limits(-0.03, std::max(c.x.back(), 0.1) * 1.03, low - pad, high + pad);
  ImPlot::SetupLegend(ImPlotLocation_North, ImPlotLegendFlags_Horizontal | ImPlotLegendFlags_Outside);
  const auto count = static_cast<int>(c.x.size());
  if (!c.mean.empty()) {
    ImPlotSpec band = line_spec(run_colour(theme, 2));
    band.FillAlpha = 0.25F;
    ImPlot::PlotShaded("controls, lowest to highest", c.x.data(), c.low.data(), c.high.data(), count, band);
    ImPlot::PlotLine("controls, lowest to highest", c.x.data(), c.mean.data(), count,
                     line_spec(run_colour(theme, 2), 1.2F * theme.scale));
  }
  ImPlot::PlotLine(
      "changed", c.x.data(), c.changed.data(), count,
      line_with_markers(run_colour(theme, 1), ImPlotMarker_Circle, 2.4F * theme.scale, 1.6F * theme.scale));
  end_plot(context, [&] { return table_of(name, label, c); });
}

// Layers by heads: how much of the way to the donor's answer each head's state goes.
void draw_grid(PanelContext& context, const InterventionData& data, const MeasureReport& report, ImVec2 size) {
  const Theme& theme = context.theme;
  const engine::ModelConfig& config = data.model->config();
  const engine::PatchGrid& grid = report.grid;
  const std::size_t last = grid.reference.receiver_answer.size() - 1;
  const bool differ = grid.reference.receiver_answer[last] != grid.reference.donor_answer[last];
  double most = 1e-12;
  for (const engine::PatchEffect& effect : grid.effects) most = std::max(most, effect.tokens[last].kl_bits);
  const ImVec2 at = ImGui::GetCursorScreenPos();
  const float side = 34 * theme.scale;
  const ImVec2 cell(std::min((size.x - side) / static_cast<float>(config.heads()), 96 * theme.scale),
                    std::min((size.y - side * 0.6F) / static_cast<float>(config.n_layer), 56 * theme.scale));
  ImDrawList* list = ImGui::GetWindowDrawList();
  push_small_numbers(theme);
  for (const engine::PatchEffect& effect : grid.effects) {
    const engine::PatchOnToken& on = effect.tokens[last];
    const double share = grid.reference.share(last, on.logit_difference);
    const ImVec2 low(at.x + side + cell.x * static_cast<float>(effect.patch.head),
                     at.y + cell.y * static_cast<float>(effect.patch.layer));
    const ImVec4 colour = differ ? diverging_colour(theme, std::clamp(static_cast<float>(share), -1.0F, 1.0F))
                                 : sequential_colour(static_cast<float>(on.kl_bits / most));
    list->AddRectFilled(low, {low.x + cell.x - 1, low.y + cell.y - 1}, packed(colour));
    const bool donors = differ && on.predicted == grid.reference.donor_answer[last];
    if (donors) list->AddRect(low, {low.x + cell.x - 1, low.y + cell.y - 1}, packed(theme.text), 0, 0, 2 * theme.scale);
    const std::string text = number_text(differ ? share : on.kl_bits, 2);
    const ImVec2 words = ImGui::CalcTextSize(text.c_str());
    if (words.x + 4 < cell.x && words.y < cell.y)
      list->AddText(
          {low.x + (cell.x - words.x) / 2, low.y + (cell.y - words.y) / 2},
          (differ ? std::abs(share) : on.kl_bits / most) > 0.6 ? IM_COL32(20, 24, 30, 255) : packed(theme.text),
          text.c_str());
  }
  for (int l = 0; l < config.n_layer; ++l)
    list->AddText({at.x, at.y + cell.y * (static_cast<float>(l) + 0.5F) - ImGui::GetTextLineHeight() / 2},
                  packed(theme.secondary), fmt::format("L{}", l).c_str());
  for (int h = 0; h < config.heads() && cell.x > 24 * theme.scale; ++h)
    list->AddText(
        {at.x + side + cell.x * static_cast<float>(h) + 3, at.y + cell.y * static_cast<float>(config.n_layer)},
        packed(theme.secondary), fmt::format("head {}", h).c_str());
  ImGui::PopFont();
  ImGui::SetCursorScreenPos({at.x + side, at.y});
  ImGui::InvisibleButton("grid",
                         {cell.x * static_cast<float>(config.heads()), cell.y * static_cast<float>(config.n_layer)});
  if (!ImGui::IsItemHovered()) return;
  const auto h = std::clamp(static_cast<int>((ImGui::GetMousePos().x - at.x - side) / cell.x), 0, config.heads() - 1);
  const auto l = std::clamp(static_cast<int>((ImGui::GetMousePos().y - at.y) / cell.y), 0, config.n_layer - 1);
  for (const engine::PatchEffect& effect : grid.effects) {
    if (effect.patch.layer != l || effect.patch.head != h) continue;
    const engine::PatchOnToken& on = effect.tokens[last];
    ImGui::SetTooltip("%s: answers %s, logit difference %s, KL %s bits", describe(effect.patch).c_str(),
                      data.model->label(on.predicted).c_str(), signed_text(on.logit_difference).c_str(),
                      number_text(on.kl_bits, 3).c_str());
  }
  if (!ImGui::IsMouseClicked(ImGuiMouseButton_Left)) return;
  context.workspace.selection.layer = l;
  context.workspace.selection.head = h;
}

void begin_patching(InterventionDesk& desk, const InterventionData& data) {
  desk.donor_error.clear();
  auto donor = data.model->encode(desk.donor);
  if (!donor || donor->empty()) {
    desk.donor_error = donor ? "The donor's text is empty." : donor.error().message;
    return;
  }
  std::vector<std::int32_t> receiver;
  for (const auto& record : data.snapshot->tokens) receiver.push_back(record->id);
  const auto count = static_cast<std::int64_t>(receiver.size());
  if (count < 2) {
    desk.donor_error = "Two tokens or more are needed here: one is read behind the patch.";
    return;
  }
  const std::int64_t after = std::min(data.index, count - 2);
  desk.patch = std::make_unique<MeasureJob>(desk.model, desk.backend, std::move(receiver), std::move(*donor), after);
}

}  // namespace

void draw_dose_page(PanelContext& context, InterventionDesk& desk, const InterventionData& data) {
  const Theme& theme = context.theme;
  const auto report = desk.dose ? desk.dose->report() : nullptr;
  const auto begin = [&] {
    engine::DosePlan plan{desk.list.now(), strengths_of(desk.list.now()), desk.controls, desk.kind, 0};
    engine::EffectText text;
    for (const auto& record : data.snapshot->tokens) {
      text.ids.push_back(record->id);
      text.truth.push_back(record->truth);
    }
    desk.dose = std::make_unique<MeasureJob>(desk.model, desk.backend, std::move(plan), std::move(text));
  };
  if (report && report->running) {
    if (draw_empty_state(theme, fmt::format("Measuring: {:.0f} %", 100 * report->done),
                         "All strengths and their controls, side by side.", "Cancel"))
      desk.dose->cancel();
    return;
  }
  if (!report || report->dose.empty()) {
    if (desk.list.now().empty()) {
      draw_empty_state(theme, "Nothing is changed", "Add a change: its strength is what a dose response goes through.");
    } else if (draw_empty_state(theme, "How does the effect grow with the strength?",
                                report && report->error
                                    ? report->error->message
                                    : "From nothing (0) to all of it (1), over this context's tokens, "
                                      "beside controls of every strength.",
                                "Measure")) {
      begin();
    }
    return;
  }
  if (chip(theme, "measure again", false, "With the list and the tokens as they are now.")) begin();
  if (!(report->plan.interventions == desk.list.now()) || report->plan.controls != desk.controls ||
      report->plan.kind != desk.kind) {
    ImGui::SameLine(0, 8 * theme.scale);
    ImGui::TextColored(theme.warning, "of another list");
  }
  const ImVec2 space = ImGui::GetContentRegionAvail();
  const bool asked = report->dose.front().counterfactual.labelled > 0;
  const float row = std::floor((space.y - ImGui::GetStyle().ItemSpacing.y) / 2);
  const Curve kl = curve_of(report->dose, [](const engine::EffectTally& t) { return t.mean_kl_bits(); });
  const Curve second = curve_of(report->dose, [&](const engine::EffectTally& t) {
    return asked ? 100 * t.accuracy() : t.mean_logit_difference();
  });
  plot_curve(context, "##dose-kl", "dose-kl", "mean KL, bits", kl, {space.x, row});
  plot_curve(context, "##dose-answer", "dose-answer", asked ? "right answers, %" : "logit difference", second,
             {space.x, row});
}

void draw_patching_page(PanelContext& context, InterventionDesk& desk, const InterventionData& data) {
  const Theme& theme = context.theme;
  const auto report = desk.patch ? desk.patch->report() : nullptr;
  if (desk.donor.empty() && !data.model->card.prompts.empty()) desk.donor = data.model->card.prompts.back();
  ImGui::AlignTextToFramePadding();
  ImGui::TextUnformatted("donor's text");
  ImGui::SameLine(0, 8 * theme.scale);
  ImGui::SetNextItemWidth(std::max(80 * theme.scale, ImGui::GetContentRegionAvail().x - 150 * theme.scale));
  const bool entered = ImGui::InputText("##donor", &desk.donor, ImGuiInputTextFlags_EnterReturnsTrue);
  ImGui::SetItemTooltip("The text whose state is put into this one's after the shown token, one head at a time.");
  ImGui::SameLine(0, 8 * theme.scale);
  const bool running = report && report->running;
  if (running) {
    if (ImGui::Button("Cancel")) desk.patch->cancel();
  } else if (primary_button(theme, "Patch") || entered) {
    begin_patching(desk, data);
  }
  if (!desk.donor_error.empty()) ImGui::TextColored(theme.error, "%s", desk.donor_error.c_str());
  if (running) {
    draw_empty_state(theme, fmt::format("Patching: {:.0f} %", 100 * report->done), "Every head by itself.");
    return;
  }
  if (!report || report->grid.effects.empty()) {
    draw_empty_state(theme, "Which part of the state carries the answer?",
                     report && report->error
                         ? report->error->message
                         : "The state that the donor's text leaves is put into this text's after the shown token, one "
                           "head at a time; the rest of this text is read behind it.");
    return;
  }
  const engine::PatchReference& reference = report->grid.reference;
  const std::size_t last = reference.receiver_answer.size() - 1;
  const std::string own = data.model->label(reference.receiver_answer[last]),
                    other = data.model->label(reference.donor_answer[last]);
  const std::string words =
      own != other
          ? fmt::format(
                "Patched after token {}; read behind it: {} tokens. At their end the model answers {}, and {} with "
                "the donor's whole state. A number: how much of the way between the two logit differences the "
                "head goes; framed: the answer is the donor's. {} ms.",
                report->patched_after, last + 1, own, other, number_text(1e3 * report->seconds, 2))
          : fmt::format(
                "Patched after token {}. With the donor's whole state the answer is the same, {}: numbers are KL in "
                "bits. {} ms.",
                report->patched_after, own, number_text(1e3 * report->seconds, 2));
  const ImVec2 space = ImGui::GetContentRegionAvail();
  const float below = note_height(theme, words, space.x) + ImGui::GetStyle().ItemSpacing.y;
  ImGui::BeginChild("patches", {space.x, space.y - below}, ImGuiChildFlags_None, ImGuiWindowFlags_NoScrollbar);
  draw_grid(context, data, *report, ImGui::GetContentRegionAvail());
  ImGui::EndChild();
  note(theme, words);
}

}  // namespace app
