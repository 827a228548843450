// The controls of measurements that a second process makes: a button, its progress with a way to end it, and what came of it.
#include "app/panels/parts.h"
#include "app/panels/timing_parts.h"
#include "app/panels/widgets.h"

#include <fmt/format.h>

#include <algorithm>

namespace app {
namespace {

// A bar with its share, and Cancel, on one line.
void draw_progress(const Theme& theme, MeasurementJob& job, const char* what) {
  const float s = theme.scale, cancel = button_width("Cancel"), gap = 8 * s;
  const float width = std::clamp(ImGui::GetContentRegionAvail().x - cancel - gap, 60 * s, 260 * s);
  const std::string words = fmt::format("{} {:.0f} %", what, 100 * job.progress());
  ImGui::ProgressBar(static_cast<float>(job.progress()), {width, ImGui::GetFrameHeight()}, words.c_str());
  ImGui::SameLine(0, gap);
  if (ImGui::Button("Cancel")) job.cancel();
  tooltip("End the second process now. What was measured before stays.");
}

}  // namespace

void draw_counters_control(PanelContext& context, Document& document, Flow& flow) {
  const Theme& theme = context.theme;
  TimingTableView& view = context.workspace.timing_table;
  MeasurementJob* job = document.counters_job.get();
  if (job != nullptr && job->running()) {
    draw_progress(theme, *job, "counting");
    return;
  }
  const bool counted = document.counters && document.counters->why.reason.empty();
  if (document.recording) {
    // Recorded ones are shown; there is nothing to count again.
    view.counters = view.counters && counted;
    if (!counted) return;
  }
  push_small(theme);
  if (counted) {
    flow.place(chip_width("times"));
    if (chip(theme, "times", !view.counters, "Bytes of the plan, rates and shares of the step.")) view.counters = false;
    flow.place(chip_width("counters"));
    if (chip(theme, "counters", view.counters, "What the stages did to the hardware: memory, peaks, warps."))
      view.counters = true;
  }
  if (!document.recording && !document.replay) {
    const char* label = counted ? "Count again" : "Measure counters";
    flow.place(button_width(label));
    if (ImGui::Button(label)) context.workspace.requests.measure_counters = true;
    tooltip(
        "Hardware counters of every stage of one token: bytes of memory and L2, shares of the peaks, active warps. A "
        "second process counts them, from the same state in every pass.");
  }
  ImGui::PushTextWrapPos(0);
  if (document.counters && !counted)
    ImGui::TextColored(theme.value, "no counters: %s %s", document.counters->why.reason.c_str(),
                       document.counters->why.remedy.c_str());
  else if (job != nullptr && job->cancelled())
    ImGui::TextColored(theme.secondary, "counting was cancelled");
  ImGui::PopTextWrapPos();
  ImGui::PopFont();
}

bool draw_ranks_control(PanelContext& context, Document& document) {
  MeasurementJob* job = document.ranks_job.get();
  if (job != nullptr && job->running()) {
    draw_progress(context.theme, *job, "ranks 1, 2, 4, 8:");
    return true;
  }
  return false;
}

}  // namespace app
