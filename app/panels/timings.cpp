#include "app/panels/empty_state.h"
#include "app/panels/panels.h"
#include "app/panels/timing_parts.h"
#include "app/panels/widgets.h"

#include <fmt/format.h>

#include <algorithm>

namespace app {
namespace {

constexpr std::size_t table_tokens = 256;
constexpr double refresh_s = 0.1;  // medians change slowly; ten times a second is enough

// Takes the newest times; makes view values again only when there are new ones.
void refresh(Workspace& workspace, Document& document, int rows) {
  TimingCache& cache = document.timing_cache;
  const double now = ImGui::GetTime();
  const std::int64_t wanted = &document == &workspace.document() ? workspace.selection.token : -1;
  const bool stale = now - cache.refreshed_s > refresh_s || cache.rows != rows;
  const bool other = wanted >= 0 && (!cache.shown || cache.shown->token != static_cast<std::uint32_t>(wanted));
  if (!stale && !other) return;
  const auto tokens = document.timings->newest(TimingStore::default_tokens);
  cache.refreshed_s = now;
  if (tokens.empty()) {
    cache = TimingCache{};
    cache.refreshed_s = now;
    return;
  }
  if (tokens.back() != cache.newest) {
    cache.newest = tokens.back();
    const std::size_t count = std::min(tokens.size(), table_tokens);
    cache.table = make_timing_table(*document.snapshot->plan, profiler::Tokens(tokens).last(count));
  }
  const auto found = std::find_if(tokens.begin(), tokens.end(), [&](const auto& token) {
    return wanted >= 0 && token->token == static_cast<std::uint32_t>(wanted);
  });
  const auto& shown = found != tokens.end() ? *found : tokens.back();
  if (shown == cache.shown && cache.rows == rows) return;
  cache.shown = shown;
  cache.rows = rows;
  cache.timeline = make_timeline(*document.snapshot->plan, *shown, rows);
}

// What the times say in one line: wall = stages + gaps, and what to make of it.
void draw_account(PanelContext& context, const Document& document, Flow& flow) {
  const Theme& theme = context.theme;
  const TokenTimeline& timeline = document.timing_cache.timeline;
  const auto place = [&](const std::string& text, const ImVec4& colour) {
    flow.place(ImGui::CalcTextSize(text.c_str()).x + 14 * theme.scale);
    chip(theme, text, colour);
  };
  place(fmt::format("{} · {}", document.name, document.snapshot->plan->variant), theme.text);
  place(source_words(timeline.source), theme.secondary);
  tooltip("Where these times come from. A time of the CPU's clock and one of CUPTI never share an axis.");
  place(fmt::format("token {}: {} µs = stages {} + gaps {}", timeline.token, three_digits(timeline.wall_us),
                    three_digits(timeline.stages_us), three_digits(timeline.gaps_us)),
        theme.text);
  tooltip("Wall time of this token's step, the sum of its stages, and the time in which nothing ran.");
  if (timeline.wall_us > 0 && timeline.gaps_us > 0.5 * timeline.wall_us) {
    place(fmt::format("{:.0f} % gaps", 100 * timeline.gaps_us / timeline.wall_us), theme.value);
    tooltip("The model is so small that starting the stages takes longer than running them.");
  }
}

// Why there are no times, and what to do.
bool draw_without_times(PanelContext& context, const std::vector<Document*>& documents) {
  for (const Document* document : documents)
    if (document->timing_cache.newest && !document->timing_cache.newest->stages.empty()) return false;
  const Document& document = *documents.front();
  const profiler::ProfilerStatus status = document.timings->status();
  if (document.timing_cache.newest == nullptr)
    draw_empty_state(context.theme, "No times yet", "They appear with the first token that is stepped.");
  else
    draw_empty_state(context.theme, "Stage times are not available", status.reason + " " + status.remedy);
  return true;
}

std::vector<Document*> documents_to_show(Workspace& workspace) {
  std::vector<Document*> shown = {&workspace.document()};
  for (Document& document : workspace.documents)
    if (&document != shown.front() && document.is_open() && document.timings && shown.size() < 2)
      shown.push_back(&document);
  return shown;
}

}  // namespace

const char* source_words(profiler::TimeSource source) {
  return source == profiler::TimeSource::cupti       ? "CUPTI kernel times"
         : source == profiler::TimeSource::cpu_clock ? "CPU stage clock"
                                                     : "not timed";
}

const char* kind_words(int kind) { return engine::name_of(static_cast<engine::StageKind>(kind)); }

void draw_timings(PanelContext& context) {
  Workspace& workspace = context.workspace;
  if (!workspace.document().timings) return;
  if (workspace.shown() == nullptr) {
    if (draw_empty_state(context.theme, "No token yet", "The time of every stage appears after a step.", "Step"))
      workspace.post(engine::command::Step{});
    return;
  }
  const std::vector<Document*> documents = documents_to_show(workspace);
  const float s = context.theme.scale;
  const ImVec2 space = ImGui::GetContentRegionAvail();
  const int rows = std::clamp(static_cast<int>((space.y - 76 * s) / (20 * s)), 2, 6);
  for (Document* document : documents) refresh(workspace, *document, rows);
  if (draw_without_times(context, documents)) return;

  const bool wide = space.x > 680 * s;
  const auto count = static_cast<float>(documents.size());
  const float left = wide ? std::floor(space.x * 0.60F) : space.x;
  const float height = wide ? space.y : std::max(170 * s, space.y * 0.55F);
  ImGui::BeginChild("timelines", {left, height}, ImGuiChildFlags_None, ImGuiWindowFlags_NoScrollWithMouse);
  for (Document* document : documents) {
    if (document != documents.front()) ImGui::SameLine(0, 12 * s);
    // Times of one clock share their scale, so that the lengths of bars can be compared.
    double longest = document->timing_cache.timeline.longest_row_us;
    for (const Document* other : documents)
      if (other->timing_cache.timeline.source == document->timing_cache.timeline.source)
        longest = std::max(longest, other->timing_cache.timeline.longest_row_us);
    ImGui::PushID(document);
    ImGui::BeginChild("timeline", {std::floor((left - 12 * s * (count - 1)) / count), 0}, ImGuiChildFlags_None,
                      ImGuiWindowFlags_NoScrollWithMouse);
    Flow flow(6 * s);
    draw_account(context, *document, flow);
    draw_timeline(context, *document, {-1, std::max(72 * s, ImGui::GetContentRegionAvail().y)}, round_up(longest));
    ImGui::EndChild();
    ImGui::PopID();
  }
  ImGui::EndChild();
  if (wide) ImGui::SameLine(0, 16 * s);
  ImGui::BeginChild("table");
  draw_timing_table(context, documents);
  ImGui::EndChild();
}

}  // namespace app
