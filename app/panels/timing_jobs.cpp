// The controls of measurements that a second process makes: a button, its progress with a way to end it, and what came of it.
#include "app/panels/parts.h"
#include "app/panels/timing_parts.h"
#include "app/panels/widgets.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

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

namespace {

// What came of a measurement that left nothing: why, and what to do.
void draw_outcome(const Theme& theme, const MeasurementJob* job, const profiler::Unavailable* why, const char* none,
                  const char* cancelled) {
  ImGui::PushTextWrapPos(0);
  if (why != nullptr && !why->reason.empty())
    ImGui::TextColored(theme.value, "%s: %s %s", none, why->reason.c_str(), why->remedy.c_str());
  else if (job != nullptr && job->cancelled())
    ImGui::TextColored(theme.secondary, "%s", cancelled);
  ImGui::PopTextWrapPos();
}

}  // namespace

void draw_counters_control(PanelContext& context, Document& document, Flow& flow) {
  const Theme& theme = context.theme;
  TimingTableView& view = context.workspace.timing_table;
  // One at a time: two processes cannot have the counters at once.
  for (const auto& [job, doing] :
       {std::pair{document.counters_job.get(), "counting"}, {document.samples_job.get(), "sampling"}}) {
    if (job == nullptr || !job->running()) continue;
    draw_progress(theme, *job, doing);
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
    const char* count = counted ? "Count again" : "Measure counters";
    flow.place(button_width(count));
    if (ImGui::Button(count)) context.workspace.requests.measure_counters = true;
    tooltip(
        "Hardware counters of every stage of one token: bytes of memory and L2, shares of the peaks, active warps. A "
        "second process counts them, from the same state in every pass.");
    const char* sample = has_samples(document) ? "Sample again" : "Sample over time";
    flow.place(button_width(sample));
    if (ImGui::Button(sample)) context.workspace.requests.measure_samples = true;
    tooltip(
        "Hardware counters of the whole device every 2 µs while tokens of this shape run as they always do: "
        "multiprocessors, memory read and written, tensor cores, below the kernels. A second process samples them.");
  }
  draw_outcome(theme, document.counters_job.get(), document.counters ? &document.counters->why : nullptr, "no counters",
               "counting was cancelled");
  draw_outcome(theme, document.samples_job.get(), document.samples ? &document.samples->why : nullptr, "no samples",
               "sampling was cancelled");
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
