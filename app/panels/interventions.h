// What the parts of the interventions panel share. UI thread only; included by interventions*.cpp alone.
#pragma once

#include "app/panels/panels.h"
#include "app/wiring/interventions.h"

#include <imgui.h>

#include <functional>
#include <string>

namespace app {

// The same colour for a run in every figure: the model as it is, the counterfactual, the controls.
inline ImVec4 run_colour(const Theme& theme, std::size_t run) {
  return run == 0 ? theme.model_lambda : run == 1 ? theme.value : theme.faint;
}
// What is compared with is the model, or a branch that is changed already.
inline std::string run_name(const InterventionRunReport& run, std::size_t sequence) {
  return sequence == 0   ? run.settings.base.empty() ? "as it is" : "in force"
         : sequence == 1 ? "changed"
                         : "control " + std::to_string(sequence - 2);
}

struct InterventionData {
  const engine::Snapshot* snapshot = nullptr;
  const engine::Model* model = nullptr;
  std::shared_ptr<const InterventionRunReport> run;
  std::int64_t index = -1;  // the shown token

  const engine::BranchView* branch() const { return snapshot->find_branch(snapshot->branch); }
  std::string branch_name() const { return branch() != nullptr ? branch()->name : std::string(); }
};

// A list that is edited, whoever it belongs to: the desk's, which runs beside the branch, or the branch's own.
struct InterventionEditing {
  Interventions list;
  std::string undo, redo;                            // what they would do, in words; empty: nothing
  std::function<void(Interventions, unsigned)> set;  // another list; the gesture, as InterventionList::edit
  std::function<void()> take_back, do_again;
};

void draw_intervention_presets(PanelContext& context, InterventionEditing& editing, const InterventionData& data);
// Rows for the list; what follows them is `below` pixels high.
void draw_intervention_list(PanelContext& context, InterventionEditing& editing, const InterventionData& data,
                            float below);
// "Step the session with these": the desk's list becomes the branch's own, or a new branch's.
float step_button_height(const Theme& theme);
void draw_step_with_these(PanelContext& context, InterventionDesk& desk, const InterventionData& data);

void draw_intervention_tokens(PanelContext& context, const InterventionData& data);
void draw_dose_page(PanelContext& context, InterventionDesk& desk, const InterventionData& data);
void draw_patching_page(PanelContext& context, InterventionDesk& desk, const InterventionData& data);

}  // namespace app
