#include "app/panels/panels.h"
#include "app/panels/widgets.h"
#include "app/viewmodel/in_force.h"
#include "app/viewmodel/lambda_mark.h"
#include "app/wiring/interventions.h"
#include "engine/recording/recording.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

namespace app {
namespace {

constexpr double verified_below = 2e-4;  // the limit that `mambascope verify` uses

struct Item {
  std::string text;
  ImVec4 colour;
  std::string tip;
  int importance = 0;  // the least important go first when there is no room
  bool is_link = false;
  bool right = false;
  void (*act)(Workspace&) = nullptr;
};

Item verification_item(const Theme& theme, const Document& document) {
  Item item{"verify",
            theme.secondary,
            "Step the same tokens with the reference in double precision and compare. V",
            8,
            true,
            false,
            [](Workspace& w) { w.requests.verify = true; }};
  if (!document.verification) return item;
  const auto result = document.verification->result();
  if (!result) {
    item.text =
        fmt::format("verifying {} of {}", document.verification->done_tokens(), document.verification->all_tokens());
    item.is_link = false;
    return item;
  }
  if (result->error) {
    item.text = "not verified";
    item.colour = theme.error;
    item.tip = result->error->message;
    return item;
  }
  const bool good = result->worst <= verified_below;
  item.text = fmt::format("{} reference: {:.1e}", good ? "✓ verified against" : "✗ differs from", result->worst);
  item.colour = good ? theme.success : theme.error;
  item.tip = fmt::format(
      "After {} tokens the worst relative difference to the reference in double precision is {:.3e}, "
      "in {}{}. At most {:.0e} is good. Click to verify again.",
      result->tokens, result->worst, result->tensor,
      result->states_complete ? "" : "; matrix states were not recorded, so not compared", verified_below);
  item.is_link = false;
  return item;
}

void add_profiling(const Theme& theme, const Document& document, std::vector<Item>& items) {
  if (!document.timings) return;
  const profiler::ProfilerStatus status = document.timings->status();
  const char* source = status.source == profiler::TimeSource::cupti       ? "CUPTI activity"
                       : status.source == profiler::TimeSource::cpu_clock ? "CPU stage clock"
                                                                          : "wall times only";
  items.push_back({fmt::format("profiling: {} (tier {})", source, status.tier), theme.secondary,
                   fmt::format("{} records, {} dropped, {} invalid, {} unattributed; clock known to {} ns. {} {}",
                               status.records, status.dropped, status.invalid, status.unattributed,
                               status.clock_uncertainty_ns, status.library, status.version),
                   6});
  if (!status.available && !status.reason.empty())
    items.push_back({"why not CUPTI?", theme.secondary, status.reason + "\n" + status.remedy, 4, true});
  items.push_back({fmt::format("recorder {} dropped", status.dropped),
                   status.dropped > 0 ? theme.error : theme.secondary,
                   "Records that the profiler lost for want of buffers. Times are complete only at 0.", 3});
}

std::string bytes_words(std::uint64_t bytes) {
  const auto value = static_cast<double>(bytes);
  return value < 1024 * 1024 ? fmt::format("{:.0f} KB", value / 1024) : fmt::format("{:.1f} MB", value / 1024 / 1024);
}

// Of a recorded profile: where and when, how far it can be trusted. Nothing runs.
std::vector<Item> recorded_items(PanelContext& context) {
  const Theme& theme = context.theme;
  const Document& document = context.workspace.document();
  const ProfileResult& recording = *document.recording;
  std::vector<Item> items;
  items.push_back({"• " + recording.recorded_words(), theme.value,
                   fmt::format("Recorded at {} by {}: {} on {}. {}", recording.recorded_at, recording.program,
                               recording.model, recording.backend.device, recording.backend.detail),
                   10});
  items.push_back({fmt::format("variant {}{}", recording.plan.variant, recording.backend.graph ? ", CUDA graph" : ""),
                   theme.secondary,
                   recording.backend.is_gpu ? fmt::format("How a step was executed: {}.", recording.queued_words())
                                            : std::string("How a step was executed."),
                   8});
  items.push_back({fmt::format("batch {} · state {} · weights {}", recording.plan.batch, recording.backend.state,
                               recording.weights),
                   theme.secondary, "Sequences in a step, and the types that state and weights were kept in.", 5});
  add_profiling(theme, document, items);
  items.push_back({fmt::format("clock ± {} ns", recording.status.clock_uncertainty_ns), theme.secondary,
                   "How well the clocks are known to agree.", 6});
  if (recording.cost && recording.cost->problem.empty() && recording.cost->wall_us_without > 0)
    items.push_back({fmt::format("CUPTI costs {:+.1f} %",
                                 100 * (recording.cost->wall_us_with / recording.cost->wall_us_without - 1)),
                     theme.secondary,
                     recording.ahead
                         ? "Of a step's wall time, against a second process without CUPTI. Each step was queued while "
                           "the one before it ran, which hides what launches cost the host."
                     : recording.backend.graph
                         ? "Of a step's wall time, against a second process without CUPTI. It prepares every node of a "
                           "graph before the first one begins: work and gaps are not lengthened, and steps that are "
                           "queued ahead hide it."
                         : "Of a step's wall time, against a second process without CUPTI.",
                     7});
  items.push_back({fmt::format("UI {:.3g}×", static_cast<double>(context.workspace.ui_scale)), theme.secondary,
                   "Larger and smaller: + and -", 2, false, true});
  items.push_back({fmt::format("{:.1f} ms/frame", context.workspace.frame_ms), theme.secondary,
                   "Time to draw a frame, smoothed.", 1, false, true});
  return items;
}

Item history_item(const Theme& theme, const engine::Snapshot& snapshot) {
  const bool dropped = snapshot.states_dropped > 0;
  Item item{fmt::format("{}history {} tokens · {} of {}", dropped ? "\uf071 " : "", snapshot.tokens.size(),
                        bytes_words(snapshot.history_bytes), bytes_words(snapshot.history_budget_bytes)),
            dropped ? theme.warning : theme.secondary,
            "What was recorded of every token on all branches, with the states to go back to. ",
            dropped ? 9 : 6,
            !dropped,
            true,
            [](Workspace& w) { w.branches.edit_budget = true; }};
  if (dropped)
    item.tip += fmt::format(
        "The budget is full: {} records have lost their states{}. Going back to a token brings its "
        "record back. ",
        snapshot.states_dropped,
        snapshot.details_dropped > 0
            ? fmt::format(", {} of them their coefficients and predictions", snapshot.details_dropped)
            : "");
  item.tip += "Click to change the budget.";
  return item;
}

void draw_budget(PanelContext& context) {
  BranchSettings& settings = context.workspace.branches;
  constexpr std::uint64_t megabyte = std::uint64_t{1} << 20;
  if (std::exchange(settings.edit_budget, false)) {
    settings.budget_mb = static_cast<int>(context.workspace.document().snapshot->history_budget_bytes / megabyte);
    ImGui::OpenPopup("History budget");
  }
  if (!ImGui::BeginPopup("History budget")) return;
  const float s = context.theme.scale;
  ImGui::TextColored(context.theme.secondary, "Memory for this model's history, all branches together");
  ImGui::SetNextItemWidth(140 * s);
  bool changed = ImGui::InputInt("MiB##budget", &settings.budget_mb, 64, 512, ImGuiInputTextFlags_EnterReturnsTrue);
  for (const int size : {128, 512, 2048, 8192}) {
    ImGui::SameLine(0, 6 * s);
    if (!ImGui::Button(fmt::format("{}", size).c_str())) continue;
    settings.budget_mb = size;
    changed = true;
  }
  settings.budget_mb = std::clamp(settings.budget_mb, 1, 1 << 20);
  if (changed)
    context.workspace.post(engine::command::HistoryBudget{static_cast<std::uint64_t>(settings.budget_mb) * megabyte});
  ImGui::EndPopup();
}

void show_in_force(Workspace& workspace) {
  workspace.requests.focus_panel = "Interventions";
  if (const auto& desk = workspace.document().interventions) {
    desk->use = InterventionDesk::Use::branch;
    desk->page = InterventionDesk::Page::tokens;
  }
}

std::vector<Item> items_of(PanelContext& context) {
  const Theme& theme = context.theme;
  Document& document = context.workspace.document();
  const engine::Snapshot& snapshot = *document.snapshot;
  std::vector<Item> items;
  const bool failed = snapshot.mode == engine::SessionMode::failed;
  if (failed)
    items.push_back({"\uf071 stopped: " + snapshot.error->message, theme.error,
                     snapshot.error->message + "\nWhat was recorded stays. A new prompt starts over.", 10});
  if (document.replay) {
    const engine::RecordingInfo& info = document.replay->info();
    items.push_back({"• " + info.words(), theme.value,
                     fmt::format("Recorded at {} by {}: {} on {}, {}. Nothing runs. {}", info.recorded_at, info.program,
                                 info.model, info.backend.name, info.backend.device, document.replay->cut_words()),
                     10});
  }
  if (!document.replay)
    items.push_back({fmt::format("• {} · {}", snapshot.backend.name, snapshot.backend.device),
                     failed ? theme.error : theme.text, snapshot.backend.detail, 9});
  items.push_back({fmt::format("variant {}", snapshot.plan->variant), theme.secondary,
                   "How a step is executed: staged is one kernel for each stage, fused few kernels for speed.", 5});
  items.push_back({fmt::format("state {}", snapshot.backend.state), theme.secondary,
                   "The type that the matrix state is kept in between two steps.", 3});
  if (!snapshot.interventions.empty())
    items.push_back(
        {shortened("Δ " + in_force_words(snapshot.interventions), 260 * theme.scale), theme.value,
         fmt::format("{} {} under interventions, so this is not quite the model:\n{}\nClick to see and change "
                     "them.",
                     snapshot.find_branch(snapshot.branch)->name, document.replay ? "was recorded" : "is stepped",
                     in_force_lines(snapshot.interventions)),
         10, false, false, show_in_force});
  if (const std::string mark = lambda_mark(snapshot.model->config()); !mark.empty())
    items.push_back({mark, theme.warning,
                     "The model's task.json fixes lambda for every head and token; the trained sigmoid(trap) is not "
                     "used, here, on the command line or in verification.",
                     9});
  if (!document.replay) items.push_back(verification_item(theme, document));
  add_profiling(theme, document, items);
  if (snapshot.tokens_per_second > 0)
    items.push_back(
        {fmt::format("{:.0f} tok/s", snapshot.tokens_per_second), theme.text,
         fmt::format("The last step took {:.3f} ms, with reading back what the views show.", snapshot.step_ms), 7});
  items.push_back(history_item(theme, snapshot));
  items.push_back({fmt::format("UI {:.3g}×", static_cast<double>(context.workspace.ui_scale)), theme.secondary,
                   "Larger and smaller: + and -", 2, false, true});
  items.push_back({fmt::format("{:.1f} ms/frame", context.workspace.frame_ms), theme.secondary,
                   "Time to draw a frame, smoothed.", 1, false, true});
  return items;
}

void draw_item(PanelContext& context, const Item& item, int id) {
  ImGui::PushID(id);
  if (item.is_link) {
    if (link(context.theme, item.text.c_str()) && item.act != nullptr) item.act(context.workspace);
  } else {
    ImGui::TextColored(item.colour, "%s", item.text.c_str());
    if (item.act != nullptr && ImGui::IsItemClicked()) item.act(context.workspace);
  }
  if (!item.tip.empty()) tooltip(item.tip);
  ImGui::PopID();
}

}  // namespace

void draw_trust_strip(PanelContext& context) {
  std::vector<Item> items = context.workspace.recorded() ? recorded_items(context) : items_of(context);
  const float gap = 20 * context.theme.scale, space = ImGui::GetContentRegionAvail().x;
  const auto width_of = [](const Item& item) { return ImGui::CalcTextSize(item.text.c_str()).x; };
  const auto needed = [&] {
    float sum = -gap;
    for (const Item& item : items) sum += width_of(item) + gap;
    return sum;
  };
  while (items.size() > 1 && needed() > space)
    items.erase(std::min_element(items.begin(), items.end(),
                                 [](const Item& a, const Item& b) { return a.importance < b.importance; }));
  float right_width = -gap;
  for (const Item& item : items)
    if (item.right) right_width += width_of(item) + gap;

  bool first = true, right_begun = false;
  for (std::size_t i = 0; i < items.size(); ++i) {
    if (!first) ImGui::SameLine(0, gap);
    if (items[i].right && !right_begun) {
      right_begun = true;
      ImGui::SetCursorPosX(std::max(ImGui::GetCursorPosX(), ImGui::GetContentRegionMax().x - right_width));
    }
    draw_item(context, items[i], static_cast<int>(i));
    first = false;
  }
  if (!context.workspace.recorded()) draw_budget(context);
}

}  // namespace app
