// What every plot of the program has: house style, wheel zoom, drag pan, double-click fit, and a right-click menu that
// fits it or writes its data as CSV. UI thread only.
#pragma once

#include "app/panels/panels.h"
#include "app/viewmodel/table.h"

#include <implot.h>

#include <functional>
#include <string>

namespace app {

// As ImPlot::BeginPlot, with small type. Axis labels carry units; null: no label. True: draw, then end_plot.
bool begin_plot(const PanelContext& context, const char* id, ImVec2 size, const char* x_label, const char* y_label,
                ImPlotFlags flags = 0, ImPlotAxisFlags x_flags = 0, ImPlotAxisFlags y_flags = 0);
// Ends it; `data` is asked only when the user exports.
void end_plot(PanelContext& context, const std::function<Table()>& data);
// The same menu for a picture that is not an ImPlot plot: call after its item.
void item_menu(PanelContext& context, const char* id, const std::function<Table()>& data);

ImPlotSpec line_spec(const ImVec4& colour, float weight = 1.6F);
ImPlotSpec line_with_markers(const ImVec4& colour, ImPlotMarker marker, float size, float weight = 1.6F);

// "0.01", "10", "1e-7": how every axis names a power of ten.
std::string decade_label(int exponent);
// Ticks of a logarithmic y axis that spans [low, high]: every decade, or every few where the height holds
// fewer lines; 2 and 5 too where no more than `shown_decades` < 2 of them are seen at first.
void setup_decades(double low, double high, float height, double shown_decades = 1e3);

// Limits of x and y that follow the data: set when they change; until then the user's own zoom holds. Call after
// begin_plot, once a frame. True: they were set.
bool follow_limits(double x_low, double x_high, double y_low, double y_high);

// Labels of an axis that counts (tokens, pairs, rows), for ImPlot::SetupAxisFormat: only whole numbers get one, so that a
// short axis, whose ticks fall between them, does not name the same token twice.
int whole_label(double value, char* out, int size, void* unused);

// Ticks of a y axis over `rows` rows in a plot that is `height` pixels high, where there is room for fewer labels than
// ImPlot would set; else nothing.
void setup_few_rows(int rows, float height);

// A vertical hairline at x, for the shown token.
void mark_x(const Theme& theme, double x);

// Writes output/NAME[-n].csv below the current folder without overwriting. Returns what happened, as a sentence.
std::string write_csv(const Table& table);

}  // namespace app
