// What the parts of the discretisation panel share. UI thread only; included by discretisation*.cpp alone.
#pragma once

#include "app/panels/error_plot.h"
#include "app/panels/panels.h"
#include "app/viewmodel/accumulated_errors.h"
#include "app/viewmodel/effect_view.h"
#include "app/viewmodel/formula_cards.h"
#include "app/viewmodel/lab_difference.h"
#include "app/viewmodel/laboratory.h"
#include "app/viewmodel/lambda_view.h"
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
  LabDifference difference;
  StabilityPoints stability;
  std::vector<FormulaCard> formulas;
  LambdaSpread lambdas;
  LambdaCostCurve cost;
  ConvolutionShares convolution;
  // Errors carried over the tokens, while a page shows them.
  AccumulatedErrors carried;
  ViewKey carried_key;  // what the two below were made for
  bool carried_complete = false;
  ErrorSeries carried_series;
  ErrorSpread carried_spread;
  // The effect of other lambdas, while its page shows it.
  std::shared_ptr<const EffectReport> effect, effect_accuracy;
  std::weak_ptr<const engine::Model> effect_model;  // that the report is of
  ViewKey effect_key;
  EffectSeries effect_series;
  std::vector<EffectAnswer> effect_answers;
  std::vector<EffectLine> effect_lines;
};

void draw_error_spread(PanelContext& context, const ErrorSpread& spread, ErrorKind kind, ImVec2 size);
void draw_lambda(PanelContext& context, const DiscretisationData& data, ImVec2 size);
void draw_weights(PanelContext& context, const DiscretisationData& data, ImVec2 size);
void draw_lambda_spread(PanelContext& context, const DiscretisationData& data, ImVec2 size);
void draw_lambda_cost(PanelContext& context, const DiscretisationData& data, ImVec2 size);
void draw_taps(PanelContext& context, const DiscretisationData& data, ImVec2 size);
void draw_convolution_map(PanelContext& context, const DiscretisationData& data, ImVec2 size);
void draw_effect_page(PanelContext& context, DiscretisationData& data, bool tiny);
void draw_formulas_page(PanelContext& context, const DiscretisationData& data);
void draw_stability(PanelContext& context, const DiscretisationData& data, ImVec2 size);

}  // namespace app
