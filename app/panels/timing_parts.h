// The parts of the kernel timings panel: a timeline of one document, and a table of one or two. UI thread only.
#pragma once

#include "app/panels/panels.h"

#include <vector>

namespace app {

// The words for where times come from; every time axis carries them.
const char* source_words(profiler::TimeSource source);
// The short name of a kind of stage and its colour, as the legend shows them.
const char* kind_words(int kind);

// Rows of layers over time, with zoom and drag, from 0 to `most_us` at first. `size` in pixels.
void draw_timeline(PanelContext& context, Document& document, ImVec2 size, double most_us);
// The next round number: the end of an axis that doesn't jump with every token.
double round_up(double value);
// By kind of stage: time, spread, bytes, bandwidth, share; two documents side by side with their ratio.
void draw_timing_table(PanelContext& context, const std::vector<Document*>& documents);

}  // namespace app
