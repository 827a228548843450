// The parts of the kernel timings panel: a timeline of one document, stacked bars of several, and a table of one or two;
// and what they share. UI thread only; included by timing*.cpp alone.
#pragma once

#include "app/panels/panels.h"
#include "app/panels/widgets.h"

#include <imgui.h>

#include <string>
#include <vector>

namespace app {

// The measured tokens that medians and distributions are of.
profiler::Tokens tokens_of(const Document& document);
// Pieces of work in a recorded profile; of a live one, whose tokens are few, 0.
std::size_t records_of(Document& document);
// What `make(plan, times)` makes of a document's measured times, kept for `key`: made at once where the records are few; of a
// large recording behind the window, and null until it is there.
template <class Key, class Value, class Make>
const Value* made_of(Workspace& workspace, Document& document, Kept<Key, Value>& kept, const Key& key, Make make) {
  if (kept.poll()) workspace.requests.redraw = true;
  if (const Value* found = kept.get(key)) return found;
  if (records_of(document) <= TimingCache::most_at_once) {
    if (document.recording)
      kept.put(key, make(document.plan(), CountedTimes(document.recording->tokens)));
    else
      kept.put(key, make(document.plan(), document.timing_cache.live));
    return kept.values.get();
  }
  kept.start(key, [recording = document.recording, make](const profiler::GoesOn& goes_on) {
    return make(recording->plan, CountedTimes(recording->tokens, goes_on));
  });
  workspace.requests.redraw = true;
  return nullptr;
}
// Where a view of large recordings is being made: what is done, how many records there are, and how far it is. Within `size`.
void draw_counting(const PanelContext& context, const char* doing, std::size_t records, double done, ImVec2 size);
template <class Key, class Value>
void draw_counting(const PanelContext& context, Document& document, const Kept<Key, Value>& kept, ImVec2 size) {
  draw_counting(context, "counting", records_of(document), kept.making ? kept.making->progress() : 0, size);
}

// The words for where times come from; every time axis carries them.
const char* source_words(profiler::TimeSource source);
// The same of times that stages are judged by: whether they leave out what kernels wait for each other.
std::string source_words(profiler::TimeSource source, bool waiting_out);
inline bool leaves_waiting_out(const TimingTable& table) { return table.clock == profiler::StageClock::waiting_out; }
// The short name of a kind of stage (or other_work, nothing_ran) as the legend shows it.
const char* kind_words(int kind);
// Fills a rectangle as a kind of stage looks: its colour; hatched where nothing ran. Kinds that are not the selected
// one step back.
void fill_kind(const Theme& theme, ImDrawList* list, ImVec2 low, ImVec2 high, int kind, int selected_kind);
// Name and time inside a bar, the name alone, or nothing, as the space allows.
void label_bar(const Theme& theme, ImDrawList* list, ImVec2 low, ImVec2 high, int kind, double us, int selected_kind);
// Chooses a kind for all views of times; the same kind again lets it go.
void toggle_kind(Selection& selection, int kind);

// Rows of layers over time, with zoom and drag, from 0 to `most_us` at first. `size` in pixels.
void draw_timeline(PanelContext& context, Document& document, ImVec2 size, double most_us);
// Where hardware samples are drawn, and from when to when.
struct SampleArea {
  ImVec2 low, high;
  double from_us = 0, to_us = 0;  // from the token's first piece of work
};
struct SampleColours {
  ImVec4 read, write, active, tensor;
};
SampleColours sample_colours(const Theme& theme);
// Of the document's shown token; empty where there are none.
const SampleStrip& samples_of(Document& document);
// The same where it may stand below the shown token: its own samples, or of a live model's shape; not another token's.
const SampleStrip& samples_below(Document& document);
// Of every token that was sampled, with its place; of a live model the shown token's.
const std::vector<PlacedStrip>& all_samples_of(Document& document);
bool has_samples(const Document& document);
void draw_samples(const Theme& theme, ImDrawList* list, const SampleStrip& strip, const SampleArea& area);
// Whose samples these are, in their own place, where there is room; nothing of a token's own.
void name_samples(const Theme& theme, ImDrawList* list, const SampleStrip& strip, ImVec2 low, ImVec2 high);
void draw_samples_tooltip(const SampleStrip& strip, double us);
// `all`: the page shows every token that was sampled, in place of the shown one. Of a token that was not sampled: a way to one
// that was.
void draw_samples_legend(PanelContext& context, Document& document, bool all, Flow& flow);

// What a label centred below the end of an axis needs right of it, in pixels.
float beyond_axis(const Theme& theme, const std::string& label);
// The next round number: the end of an axis that doesn't jump with every token.
double round_up(double value);
// A step of each document as stacked bars, medians over its shown token; one axis for each source of times.
void draw_timing_bars(PanelContext& context, const std::vector<Document*>& documents, ImVec2 size);
// The time of what is selected over the measured tokens, with its quantiles and outliers.
void draw_timing_histogram(PanelContext& context, Document& document, ImVec2 size);
// Kinds of stages by what they compute for a byte and how fast, below the measured copy rate.
void draw_timing_roofline(PanelContext& context, Document& document, ImVec2 size);
// Every token on one axis, at the detail that pixels can show.
void draw_timing_run(PanelContext& context, Document& document, ImVec2 size);
// One shape at several ranks, recorded or measured here on demand.
void draw_timing_ranks(PanelContext& context, Document& document, ImVec2 size);
// The active document's profile against another one's, row by row, with the test of each difference.
void draw_timing_compare(PanelContext& context, ImVec2 size);
// The buttons that count what the stages do to the hardware and sample it, their progress, and why there are no counters or
// samples.
void draw_counters_control(PanelContext& context, Document& document, Flow& flow);
// Links to the recorded profiles that come with the program and whose names begin so, below words in the middle of a page.
void draw_shipped_links(PanelContext& context, const std::string& beginning);
// The progress of a measurement of ranks; false: none goes on.
bool draw_ranks_control(PanelContext& context, Document& document);
inline constexpr ImGuiTableFlags timing_table_flags =
    ImGuiTableFlags_ScrollY | ImGuiTableFlags_SizingStretchProp | ImGuiTableFlags_NoPadOuterX | ImGuiTableFlags_RowBg;
float row_height();  // of such a table
// As many whole rows as fit: a row that is cut in half reads as a fault. `below`: pixels kept free.
ImVec2 whole_rows(float below = 0);
// A number in a cell of a table.
void right_aligned(const Theme& theme, const ImVec4& colour, const std::string& text);
// Headings that sort: a click sorts from the largest, the next from the smallest, the third as the rows come.
void draw_sorting_headings(const Theme& theme, TimingTableView& view, const std::vector<std::string>& headings,
                           const char* before_tip);
// Each piece of work of each token, as the view of the table asks; and how many there are, beside its controls.
void draw_timing_records(PanelContext& context, Document& document);
void draw_records_state(PanelContext& context, Document& document, Flow& flow);
// Chooses the token and the stage of a piece of work for all views.
void select_piece(Workspace& workspace, Document& document, std::uint32_t token, std::uint16_t stage);
// The whole step, its gaps, and each kind of stage: time, spread, bytes, bandwidth, share; two documents side by side
// with their ratio.
void draw_timing_table(PanelContext& context, const std::vector<Document*>& documents);

}  // namespace app
