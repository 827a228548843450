// The kernel timings panel: which documents it shows, its header, and the arrangement of its parts.
#include "app/panels/empty_state.h"
#include "app/panels/timing_parts.h"
#include "app/panels/widgets.h"
#include "app/viewmodel/numbers.h"
#include "app/viewmodel/shape_note.h"

#include <fmt/format.h>
#include <imgui_internal.h>

#include <algorithm>
#include <cmath>

namespace app {
namespace {

constexpr std::size_t table_tokens = 256;
constexpr double refresh_s = 0.1;  // medians change slowly; ten times a second is enough

// Of a recorded profile nothing is ever stale, and there may be a million records in it.
void refresh_recorded(Workspace& workspace, Document& document, int rows) {
  TimingCache& cache = document.timing_cache;
  const auto& tokens = document.recording->tokens;
  if (tokens.empty()) return;
  if (cache.newest == nullptr) {
    cache.newest = tokens.back();
    cache.table.source = tokens.back()->source;
    cache.table.tokens = tokens.size();
  }
  bool medians_now = false;
  if (!cache.table_made) {
    const auto make = [](const engine::StepPlan& plan, const MeasuredTimes& times) {
      return make_timing_table(plan, times);
    };
    if (const TimingTable* table = made_of(workspace, document, cache.making_table, cache.newest, make)) {
      cache.table = *table;
      cache.median_bar = make_median_bar(cache.table);
      cache.table_made = medians_now = true;
    }
  }
  const std::int64_t wanted =
      &document == &workspace.document() || workspace.linked ? workspace.selection.token : std::int64_t{-1};
  const TimingCache::Newest before = cache.shown;
  if (before == nullptr || cache.wanted != wanted) {
    const auto found = std::find_if(tokens.begin(), tokens.end(), [&](const auto& token) {
      return wanted >= 0 && token->token == static_cast<std::uint32_t>(wanted);
    });
    cache.shown = found != tokens.end() ? *found : tokens.back();
    cache.wanted = wanted;
  }
  if ((medians_now || cache.shown != before) && cache.table_made)
    cache.token_bar = make_token_bar(document.plan(), *cache.shown, cache.table);
  if (cache.shown == before && cache.rows == rows) return;
  cache.rows = rows;
  cache.timeline = make_timeline(document.plan(), *cache.shown, rows);
}

// The token whose times are shown: the selected one; else the newest that was measured (-1), but where one went back before
// it the one that all panels show.
std::int64_t timed_token(Workspace& workspace, const Document& document) {
  if (&document != &workspace.document() && !workspace.linked)
    return -1;  // models that step together show the same token
  if (workspace.selection.token >= 0 || !document.snapshot) return workspace.selection.token;
  const auto last = static_cast<std::int64_t>(document.snapshot->tokens.size()) - 1;
  const TimingCache::Newest& newest = document.timing_cache.newest;
  return newest != nullptr && std::int64_t{newest->token} > last ? last : -1;
}

// Takes the newest times; makes view values again only when there are new ones.
void refresh(Workspace& workspace, Document& document, int rows) {
  if (document.recording) return refresh_recorded(workspace, document, rows);
  TimingCache& cache = document.timing_cache;
  const double now = ImGui::GetTime();
  const std::int64_t wanted = timed_token(workspace, document);
  const bool more = !cache.live_whole;
  // While tokens run, another one is shown in every frame; the medians follow at their own pace.
  const bool due = now - cache.refreshed_s > refresh_s || cache.rows != rows || more;
  if (!due && cache.wanted == wanted) return;
  const auto tokens = document.timings->newest(TimingStore::default_tokens);
  if (due || tokens.empty()) cache.refreshed_s = now;
  if (tokens.empty()) {
    cache = TimingCache{};
    cache.refreshed_s = now;
    return;
  }
  const bool newer = tokens.back() != cache.newest, measured = newer && due;
  if (newer && !due) workspace.requests.redraw = true;
  if (measured || more) {
    cache.newest = tokens.back();
    const std::size_t count = std::min(tokens.size(), table_tokens);
    cache.tokens.assign(tokens.end() - static_cast<std::ptrdiff_t>(count), tokens.end());
    cache.live_whole = cache.live.take(cache.tokens, document.plan().stages.size());
    if (!cache.live_whole) workspace.requests.redraw = true;
    if (more) {
      cache.table_rows.values.reset();
      cache.distribution.values.reset();
      cache.roofline.values.reset();
    }
    cache.table = make_timing_table(document.plan(), cache.live);
    cache.table_made = true;
    cache.median_bar = make_median_bar(cache.table);
  }
  cache.wanted = wanted;
  const auto found = std::find_if(tokens.begin(), tokens.end(), [&](const auto& token) {
    return wanted >= 0 && token->token == static_cast<std::uint32_t>(wanted);
  });
  const auto& shown = found != tokens.end() ? *found : tokens.back();
  if (measured || shown != cache.shown) cache.token_bar = make_token_bar(document.plan(), *shown, cache.table);
  if (shown == cache.shown && cache.rows == rows) return;
  cache.shown = shown;
  cache.rows = rows;
  cache.timeline = make_timeline(document.plan(), *shown, rows);
}

std::string account_words(const TokenTimeline& timeline) {
  // In a graph stages run beside each other, and wait for each other while they do.
  const double overlap_us = timeline.stages_us + timeline.gaps_us - timeline.wall_us;
  return fmt::format(
      "token {}: {} µs = stages {} + gaps {}{}", timeline.token, three_digits(timeline.wall_us),
      three_digits(timeline.stages_us), three_digits(timeline.gaps_us),
      overlap_us > 0.005 * timeline.wall_us ? fmt::format(" − overlap {}", three_digits(overlap_us)) : "");
}

const char* const account_tip =
    "Wall time of this token's step, the sum of its stages, and the time in which nothing ran. Stages that overlap "
    "wait "
    "for each other: their times include that.";

// Why the token's time is not the table's, which is a median. Of tokens that run by it would come and go too fast to be read.
std::string off_median_words(const Document& document) {
  const TimingCache& cache = document.timing_cache;
  if (!document.recording && document.snapshot->mode == engine::SessionMode::running) return {};
  if (!cache.table_made) return {};
  const std::optional<OffMedian> off = off_median(cache.token_bar, cache.table.wall_us);
  if (!off) return {};
  return fmt::format("{} µs {} the median {}: most of it {}, {} µs {} its own", three_digits(std::abs(off->us)),
                     off->us > 0 ? "above" : "below", three_digits(cache.table.wall_us), kind_words(off->kind),
                     three_digits(std::abs(off->part_us)), off->us > 0 ? "above" : "below");
}

bool mostly_gaps(const TokenTimeline& timeline) {
  return timeline.wall_us > 0 && timeline.gaps_us > 0.5 * timeline.wall_us;
}

std::string gap_words(const TokenTimeline& timeline) {
  return fmt::format("{:.0f} % gaps", 100 * timeline.gaps_us / timeline.wall_us);
}

// The switch between the two pictures, where the times come from, and what they say in one line.
void draw_header(PanelContext& context, const std::vector<Document*>& documents, bool* table_alone) {
  const Theme& theme = context.theme;
  Workspace& workspace = context.workspace;
  Flow flow(6 * theme.scale);
  const auto choose = [&](const char* label, TimingPage page, const char* tip) {
    flow.place(chip_width(label));
    const bool covered = table_alone != nullptr && *table_alone;
    if (chip(theme, label, workspace.timing_page == page && !covered, tip)) {
      workspace.timing_page = page;
      if (table_alone != nullptr) *table_alone = false;
      ImGui::MarkIniSettingsDirty();
    }
  };
  choose("timeline", TimingPage::timeline, "Every stage of one token, when it ran and how long.");
  choose("bars", TimingPage::bars,
         "Where the time of a step goes by kind of stage: medians over tokens, models on one axis.");
  choose("histogram", TimingPage::histogram,
         "How the time of the selected stage, kind or the whole step is distributed over tokens.");
  choose("roofline", TimingPage::roofline,
         "What each kind computes for a byte and how fast it did, below what the measured copy rate allows.");
  choose("all tokens", TimingPage::run, "Every measured token on one axis; the wheel zooms in to one kernel.");
  choose("ranks", TimingPage::ranks,
         "One shape at ranks 1, 2, 4 and 8: times against the rank, and their path over the roofline.");
  choose("compare", TimingPage::compare,
         "This profile against another one, row by row, with the test of each difference.");
  if (table_alone != nullptr) {
    flow.place(chip_width("table"));
    if (chip(theme, "table", *table_alone, "The numbers by kind of stage.")) *table_alone = true;
  }
  if (Document& active = workspace.document(); active.recording && active.family)
    for (const RankRun& run : active.family->runs) {
      const std::string label = fmt::format("R = {}", run.rank);
      flow.place(chip_width(label.c_str()));
      if (chip(theme, label.c_str(), active.config().rank() == run.rank, "Show the profile of this rank."))
        workspace.choose_rank(run.rank);
    }
  const auto fact = [&](const std::string& text, const ImVec4& colour, const char* tip) {
    flow.place(chip_width(text.c_str()));
    fact_chip(theme, text.c_str(), tip, colour);
  };
  const Document& first = *documents.front();
  const profiler::TimeSource source = first.timing_cache.table.source;
  const bool one_source = std::all_of(documents.begin(), documents.end(), [&](const Document* document) {
    return document->timing_cache.table.source == source;
  });
  fact(one_source ? source_words(source) : "two clocks", one_source ? theme.secondary : theme.value,
       "Where these times come from. A time of the CPU's clock and one of CUPTI never share an axis.");
  // Where it is the one document, the bars above and below say so.
  for (const Document* document : documents)
    if (document->recording && (documents.size() > 1 || !workspace.recorded()))
      fact(document->name + ": " + document->recording->recorded_words(), theme.value,
           "Measured then and there. Its medians and distributions are over all of its tokens.");
  if (documents.size() > 1) {
    const ShapeNote note = note_on_shapes(first.config(), documents[1]->config());
    fact(note.brief, note.difference.empty() ? theme.secondary : theme.value,
         note.difference.empty() ? "The two models differ in nothing but their rank."
                                 : ("Times compare all that differs: " + note.difference + ".").c_str());
    return;
  }
  const TokenTimeline& timeline = first.timing_cache.timeline;
  fact(fmt::format("{} · {}", first.name, first.plan().variant), theme.secondary,
       "The model, and how its step is executed.");
  fact(account_words(timeline), theme.text, account_tip);
  if (const std::string words = off_median_words(first); !words.empty())
    fact(words, theme.value,
         "The timeline and the thin bar are of this one token; the table and the thick bar are medians over tokens.");
  const bool timed = workspace.timing_page == TimingPage::timeline || workspace.timing_page == TimingPage::run;
  if (const SampleStrip& strip = samples_of(*documents.front()); timed && !strip.empty())
    draw_samples_legend(context, *documents.front(), workspace.timing_page == TimingPage::run, flow);
  if (mostly_gaps(timeline))
    fact(gap_words(timeline), theme.value,
         "The model is so small that starting the stages takes longer than running them.");
}

// Above one of several timelines: whose it is, and what it says.
void draw_caption(PanelContext& context, const Document& document) {
  const TokenTimeline& timeline = document.timing_cache.timeline;
  std::string words = fmt::format("{} · {}", document.name, account_words(timeline));
  if (mostly_gaps(timeline)) words += ", " + gap_words(timeline);
  heading(context.theme, words, account_tip);
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

// A timeline needs width, and a distribution is one document's.
std::size_t most_documents(TimingPage page) {
  return page == TimingPage::bars ? 4 : page == TimingPage::timeline ? 2 : 1;
}

std::vector<Document*> documents_to_show(Workspace& workspace) {
  const std::size_t most = most_documents(workspace.timing_page);
  std::vector<Document*> shown = {&workspace.document()};
  for (Document& document : workspace.documents)
    if (&document != shown.front() && document.has_times() && shown.size() < most) shown.push_back(&document);
  return shown;
}

void draw_timelines(PanelContext& context, const std::vector<Document*>& documents, ImVec2 size) {
  const float gap = 12 * context.theme.scale;
  const auto count = static_cast<float>(documents.size());
  for (Document* document : documents) {
    if (document != documents.front()) ImGui::SameLine(0, gap);
    // Times of one clock share their scale, so that the lengths of bars can be compared.
    double longest = document->timing_cache.timeline.longest_row_us;
    for (const Document* other : documents)
      if (other->timing_cache.timeline.source == document->timing_cache.timeline.source)
        longest = std::max(longest, other->timing_cache.timeline.longest_row_us);
    ImGui::PushID(document);
    ImGui::BeginChild("timeline", {std::floor((size.x - gap * (count - 1)) / count), size.y}, ImGuiChildFlags_None,
                      ImGuiWindowFlags_NoScrollWithMouse);
    if (documents.size() > 1) draw_caption(context, *document);
    draw_timeline(context, *document, ImGui::GetContentRegionAvail(), round_up(longest));
    ImGui::EndChild();
    ImGui::PopID();
  }
}

void draw_page(PanelContext& context, const std::vector<Document*>& documents, ImVec2 size) {
  switch (context.workspace.timing_page) {
    case TimingPage::timeline:
      return draw_timelines(context, documents, size);
    case TimingPage::bars:
      return draw_timing_bars(context, documents, size);
    case TimingPage::histogram:
      return draw_timing_histogram(context, *documents.front(), size);
    case TimingPage::roofline:
      return draw_timing_roofline(context, *documents.front(), size);
    case TimingPage::run:
      return draw_timing_run(context, *documents.front(), size);
    case TimingPage::ranks:
      return draw_timing_ranks(context, *documents.front(), size);
    case TimingPage::compare:
      return draw_timing_compare(context, size);
  }
}

// A recorded profile in a large window: the chosen page of time above, what it distributes and how it compares with the
// roof beside each other below, and the table at the right.
void draw_roomy(PanelContext& context, const std::vector<Document*>& documents, ImVec2 space) {
  const float s = context.theme.scale, gap = 12 * s;
  Workspace& workspace = context.workspace;
  ImGui::BeginChild("pictures", {space.x, std::floor(space.y * 0.36F)}, ImGuiChildFlags_None,
                    ImGuiWindowFlags_NoScrollWithMouse);
  draw_header(context, documents, nullptr);
  draw_page(context, documents, ImGui::GetContentRegionAvail());
  ImGui::EndChild();
  const float below = ImGui::GetContentRegionAvail().y, width = std::floor((space.x - 2 * gap) * 0.30F);
  // The page above is not drawn twice.
  const bool histogram_above = workspace.timing_page == TimingPage::histogram;
  const bool roofline_above = workspace.timing_page == TimingPage::roofline;
  ImGui::BeginChild("first", {width, below}, ImGuiChildFlags_None, ImGuiWindowFlags_NoScrollWithMouse);
  if (histogram_above)
    draw_timelines(context, {documents.front()}, ImGui::GetContentRegionAvail());
  else
    draw_timing_histogram(context, *documents.front(), ImGui::GetContentRegionAvail());
  ImGui::EndChild();
  ImGui::SameLine(0, gap);
  ImGui::BeginChild("second", {width, below}, ImGuiChildFlags_None, ImGuiWindowFlags_NoScrollWithMouse);
  if (roofline_above)
    draw_timelines(context, {documents.front()}, ImGui::GetContentRegionAvail());
  else
    draw_timing_roofline(context, *documents.front(), ImGui::GetContentRegionAvail());
  ImGui::EndChild();
  ImGui::SameLine(0, gap);
  ImGui::BeginChild("table");
  draw_timing_table(context, documents);
  ImGui::EndChild();
}

}  // namespace

profiler::Tokens tokens_of(const Document& document) {
  return document.recording ? profiler::Tokens(document.recording->tokens)
                            : profiler::Tokens(document.timing_cache.tokens);
}

std::size_t records_of(Document& document) {
  std::size_t& records = document.timing_cache.records;
  if (document.recording && records == 0)
    for (const auto& token : document.recording->tokens) records += token->stages.size();
  return records;
}

void draw_counting(const PanelContext& context, const char* doing, std::size_t records, double done, ImVec2 size) {
  const float height = ImGui::GetFrameHeight();
  ImGui::Dummy({1, std::max(0.0F, 0.4F * (size.y - height) - ImGui::GetStyle().ItemSpacing.y)});
  const std::string words =
      fmt::format("{} {} records… {:.0f} %", doing, count_text(static_cast<long long>(records)), 100 * done);
  ImGui::ProgressBar(static_cast<float>(done), {std::max(1.0F, std::min(size.x, 420 * context.theme.scale)), height},
                     words.c_str());
}

const char* source_words(profiler::TimeSource source) {
  return source == profiler::TimeSource::cupti       ? "CUPTI kernel times"
         : source == profiler::TimeSource::cpu_clock ? "CPU stage clock"
                                                     : "not timed";
}

std::string source_words(profiler::TimeSource source, bool waiting_out) {
  return std::string(source_words(source)) + (waiting_out ? ", waiting left out" : "");
}

const char* kind_words(int kind) {
  return kind == nothing_ran  ? "gaps"
         : kind == other_work ? "other work"
                              : engine::name_of(static_cast<engine::StageKind>(kind));
}

void fill_kind(const Theme& theme, ImDrawList* list, ImVec2 low, ImVec2 high, int kind, int selected_kind) {
  const float strength = selected_kind < 0 || selected_kind == kind ? 1.0F : 0.35F;
  if (kind >= 0) {
    list->AddRectFilled(low, high, packed(stage_colour(kind), strength));
    return;
  }
  if (kind == other_work) {
    list->AddRectFilled(low, high, packed(theme.secondary, 0.5F * strength));
    return;
  }
  // Hatched: nothing is there.
  list->AddRectFilled(low, high, packed(theme.secondary, 0.10F * strength));
  list->PushClipRect(low, high, true);
  const float height = high.y - low.y, step = 6 * theme.scale;
  const ImU32 line = packed(theme.secondary, 0.45F * strength);
  const int lines = static_cast<int>(std::ceil((high.x - low.x + height) / step));
  for (int i = 0; i < lines; ++i) {
    const float x = low.x - height + static_cast<float>(i) * step;
    list->AddLine({x, high.y}, {x + height, low.y}, line, std::max(1.0F, 0.8F * theme.scale));
  }
  list->PopClipRect();
}

void label_bar(const Theme& theme, ImDrawList* list, ImVec2 low, ImVec2 high, int kind, double us, int selected_kind) {
  push_small(theme);
  // Words stand in the part of the bar that is seen, whole or not at all.
  low.x = std::max(low.x, list->GetClipRectMin().x);
  high.x = std::min(high.x, list->GetClipRectMax().x);
  const std::string with_time = fmt::format("{}  {} µs", kind_words(kind), three_digits(us));
  const float pad = 4 * theme.scale, space = high.x - low.x - 2 * pad;
  const char* text = ImGui::CalcTextSize(with_time.c_str()).x <= space  ? with_time.c_str()
                     : ImGui::CalcTextSize(kind_words(kind)).x <= space ? kind_words(kind)
                                                                        : nullptr;
  const float height = ImGui::GetFontSize();
  if (text != nullptr && high.y - low.y >= height) {
    const ImVec2 at(std::floor(low.x + pad), std::floor((low.y + high.y - height) / 2));
    const float width = ImGui::CalcTextSize(text).x;
    // On a hatch words need ground to stand on.
    if (kind < 0)
      list->AddRectFilled({at.x - pad / 2, at.y - 1}, {at.x + width + pad / 2, at.y + height + 1},
                          packed(theme.well, 0.85F), 3 * theme.scale);
    const bool stepped_back = selected_kind >= 0 && selected_kind != kind;
    list->AddText(at, kind < 0 || stepped_back ? packed(theme.secondary) : IM_COL32(14, 17, 22, 255), text);
  }
  ImGui::PopFont();
}

void toggle_kind(Selection& selection, int kind) {
  selection.stage_kind = selection.stage_kind == kind ? -1 : kind;
  selection.stage = -1;
}

void select_piece(Workspace& workspace, Document& document, std::uint32_t token, std::uint16_t stage) {
  workspace.select_token(token);
  if (stage >= document.plan().stages.size()) return;
  const engine::Stage& of = document.plan().stages[stage];
  const bool active = &document == &workspace.document();
  workspace.selection.stage_kind = static_cast<int>(of.kind);
  workspace.selection.stage = active ? of.id : -1;
  if (active && of.layer >= 0) workspace.selection.layer = of.layer;
}

void draw_timings(PanelContext& context) {
  Workspace& workspace = context.workspace;
  if (!workspace.document().timings) return;
  if (!workspace.recorded() && workspace.shown() == nullptr) {
    if (draw_empty_state(context.theme, "No token yet", "The time of every stage appears after a step.", "Step"))
      workspace.post(engine::command::Step{});
    return;
  }
  const std::vector<Document*> documents = documents_to_show(workspace);
  const float s = context.theme.scale;
  const ImVec2 space = ImGui::GetContentRegionAvail();
  const bool roomy = workspace.recorded() && space.x > 900 * s && space.y > 600 * s;
  const float for_rows = roomy ? space.y * 0.36F : space.y;
  const float row_height = (has_samples(workspace.document()) ? 38 : 20) * s;
  const int rows = std::clamp(static_cast<int>((for_rows - 76 * s) / row_height), 2, roomy ? 12 : 6);
  for (Document* document : documents) refresh(workspace, *document, rows);
  if (draw_without_times(context, documents)) return;
  // These two have a table or words of their own.
  if (workspace.timing_page == TimingPage::ranks || workspace.timing_page == TimingPage::compare) {
    ImGui::BeginChild("pictures", space, ImGuiChildFlags_None, ImGuiWindowFlags_NoScrollWithMouse);
    draw_header(context, documents, nullptr);
    draw_page(context, documents, ImGui::GetContentRegionAvail());
    ImGui::EndChild();
    return;
  }
  if (roomy) {
    draw_roomy(context, documents, space);
    return;
  }

  // Beside each other, below each other, or, in a small window, one at a time.
  static bool table_alone = false;
  const bool wide = space.x > 680 * s, both = wide || space.y > 330 * s;
  const float left = wide ? std::floor(space.x * 0.60F) : space.x;
  const float height = wide || !both ? space.y : space.y * 0.55F;
  ImGui::BeginChild("pictures", {left, height}, ImGuiChildFlags_None, ImGuiWindowFlags_NoScrollWithMouse);
  draw_header(context, documents, both ? nullptr : &table_alone);
  const ImVec2 rest(left, std::max(56 * s, ImGui::GetContentRegionAvail().y));
  if (!both && table_alone)
    draw_timing_table(context, documents);
  else
    draw_page(context, documents, rest);
  ImGui::EndChild();
  if (!both) return;
  if (wide) ImGui::SameLine(0, 16 * s);
  ImGui::BeginChild("table");
  draw_timing_table(context, documents);
  ImGui::EndChild();
}

}  // namespace app
