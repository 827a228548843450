// What the parts of the accuracy panel share. UI thread only; included by accuracy*.cpp alone.
#pragma once

#include "app/panels/panels.h"
#include "app/viewmodel/accuracy_curves.h"

#include <imgui.h>
#include <implot.h>

#include <memory>
#include <string>
#include <vector>

namespace app {

struct AccuracySeries {
  std::string name, variant;
  int classes = 0;  // of its task
  AccuracyCurve curve;
  std::vector<AccuracyCell> row;
};

// Made again when the report or the view's settings change.
struct AccuracyData {
  std::shared_ptr<const EvaluationReport> report;
  AccuracyUnit unit = AccuracyUnit::scaled;
  bool logarithmic = true;
  std::vector<AccuracySeries> series;  // one for each of the report's models
  int longest_training = 0;            // of the open model; 0: its card does not tell
};

// The same colour and shape for a model in the plot and in the table.
ImPlotMarker series_marker(int index);

void draw_accuracy_plot(PanelContext& context, const AccuracyData& data, ImVec2 size);
// Models down, lengths across: the measured share and the recorded one. It is the plot's legend too: a click on a model
// hides or shows its curve. Scrolls within `height`.
void draw_accuracy_table(PanelContext& context, const AccuracyData& data, float height);
float accuracy_table_height(const Theme& theme, const AccuracyData& data);

// "99.99": what is below 100 is never rounded up to it, nor what is above 0 scaled down to it.
std::string share_text(double percent, int decimals);

}  // namespace app
