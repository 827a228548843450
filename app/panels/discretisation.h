// What the parts of the discretisation panel share. UI thread only; included by discretisation*.cpp alone.
#pragma once

#include "app/panels/panels.h"
#include "app/viewmodel/laboratory.h"
#include "app/viewmodel/rule_errors.h"
#include "app/viewmodel/stability_points.h"
#include "app/viewmodel/view_key.h"

#include <imgui.h>

namespace app {

struct DiscretisationData {
  ViewKey key;
  std::int64_t index = -1;
  Selection selection;
  const engine::Snapshot* snapshot = nullptr;
  ErrorSeries errors;
  ErrorSpread spread;
  CoefficientSeries coefficients;
  HeadValues head;
  LabStudy lab;
  StabilityPoints stability;
};

void draw_error_spread(PanelContext& context, const DiscretisationData& data, ImVec2 size);
void draw_lambda(PanelContext& context, const DiscretisationData& data, ImVec2 size);
void draw_weights(PanelContext& context, const DiscretisationData& data, ImVec2 size);
void draw_stability(PanelContext& context, const DiscretisationData& data, ImVec2 size);

}  // namespace app
