// What the parts of the interventions panel share. UI thread only; included by interventions*.cpp alone.
#pragma once

#include "app/panels/panels.h"
#include "app/wiring/interventions.h"

#include <imgui.h>

#include <string>

namespace app {

// The same colour for a run in every figure: the model as it is, the counterfactual, the controls.
inline ImVec4 run_colour(const Theme& theme, std::size_t run) {
  return run == 0 ? theme.model_lambda : run == 1 ? theme.value : theme.faint;
}
inline std::string run_name(std::size_t run) {
  return run == 0 ? "as it is" : run == 1 ? "changed" : "control " + std::to_string(run - 2);
}

struct InterventionData {
  const engine::Snapshot* snapshot = nullptr;
  const engine::Model* model = nullptr;
  std::shared_ptr<const InterventionRunReport> run;
  std::int64_t index = -1;  // the shown token
};

void draw_intervention_presets(PanelContext& context, InterventionDesk& desk, const InterventionData& data);
void draw_intervention_list(PanelContext& context, InterventionDesk& desk, const InterventionData& data);

void draw_intervention_tokens(PanelContext& context, const InterventionData& data);
void draw_dose_page(PanelContext& context, InterventionDesk& desk, const InterventionData& data);
void draw_patching_page(PanelContext& context, InterventionDesk& desk, const InterventionData& data);

}  // namespace app
