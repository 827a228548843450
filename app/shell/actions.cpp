#include "app/shell/actions.h"

#include "app/shell/layout.h"
#include "app/viewmodel/word_filter.h"
#include "app/wiring/recorded_profile.h"

#include <imgui_internal.h>

#include <algorithm>

namespace app {
namespace {

namespace command = engine::command;

void run_or_pause(Workspace& workspace) {
  if (!workspace.ready()) return;
  if (workspace.document().snapshot->mode == engine::SessionMode::running)
    workspace.post(command::Pause{});
  else
    workspace.post(command::Run{});
}

void step(Workspace& workspace) {
  workspace.selection.token = -1;
  workspace.post(command::Step{});
}

void step_back(Workspace& workspace) {
  if (!workspace.ready()) return;
  const auto consumed = static_cast<std::int64_t>(workspace.document().snapshot->tokens.size());
  workspace.selection.token = -1;
  if (consumed > 0) workspace.post(command::Seek{consumed - 1});
}

void seek_start(Workspace& workspace) {
  workspace.selection.token = -1;
  workspace.post(command::Seek{0});
}

void seek_end(Workspace& workspace) {
  if (!workspace.ready()) return;
  const engine::Snapshot& snapshot = *workspace.document().snapshot;
  workspace.selection.token = -1;
  const auto consumed = static_cast<std::int64_t>(snapshot.tokens.size());
  workspace.post(command::Seek{consumed + static_cast<std::int64_t>(snapshot.pending.size())});
}

void edit_shown(Workspace& workspace) {
  if (const engine::TokenRecord* record = workspace.shown()) {
    workspace.branches.edited = record->position;
    workspace.branches.edit = true;
  }
}

void go_to_shown(Workspace& workspace) {
  const engine::TokenRecord* record = workspace.ready() ? workspace.shown() : nullptr;
  if (record == nullptr) return;
  workspace.selection.token = -1;
  workspace.post(command::Seek{record->position + 1});
}

void evaluate(Workspace& workspace) {
  workspace.requests.focus_panel = "Accuracy";
  workspace.requests.evaluate = true;
}

void compare_backends(Workspace& workspace) {
  workspace.requests.focus_panel = "Parity";
  workspace.requests.parity = true;
}

void show_timings(Workspace& workspace, TimingPage page) {
  workspace.timing_page = page;
  workspace.requests.focus_panel = "Kernel timings";
}

void scale_by(Workspace& workspace, float step) {
  workspace.ui_scale = std::clamp(workspace.ui_scale + step, 0.75F, 2.0F);
}

}  // namespace

std::vector<UserAction> actions_of(const Workspace& workspace) {
  std::vector<UserAction> actions = {
      {"Step one token", "Space", step},
      {"Run or pause", "Enter, R", run_or_pause},
      {"Step back", "Shift+Left", step_back},
      {"Select the previous token", "Left", [](Workspace& w) { w.select_by(-1); }},
      {"Select the next token", "Right", [](Workspace& w) { w.select_by(1); }},
      {"Select the first token", "Home", [](Workspace& w) { w.select_token(0); }},
      {"Follow the newest token", "End", [](Workspace& w) { w.selection.token = -1; }},
      {"Back to the first token (seek to the start)", "", seek_start},
      {"Consume all given tokens (seek to the end)", "", seek_end},
      {"Forget the tokens to come and go on from here", "", [](Workspace& w) { w.post(command::Forget{}); }},
      {"Undo: prompt, tokens, branches, interventions", "Ctrl+Z", [](Workspace& w) { w.post(command::Undo{}); }},
      {"Redo", "Ctrl+Shift+Z", [](Workspace& w) { w.post(command::Redo{}); }},
      {"Go to the shown token (seek)", "G", go_to_shown},
      {"Branch off here", "B", [](Workspace& w) { w.post(command::Fork{}); }},
      {"Edit the shown token on a new branch", "T", edit_shown},
      {"Find an action", "Ctrl+K", [](Workspace& w) { w.show_palette = true; }},
      {"List the keys", "?", [](Workspace& w) { w.show_keys = !w.show_keys; }},
      {"Larger", "+", [](Workspace& w) { scale_by(w, 0.125F); }},
      {"Smaller", "-", [](Workspace& w) { scale_by(w, -0.125F); }},
      {"Actual size (100 %)", "Ctrl+0", [](Workspace& w) { w.ui_scale = 1.0F; }},
      {"Dark or light theme", "Ctrl+L", [](Workspace& w) { w.light_theme = !w.light_theme; }},
      {"Un-rotated or stored frame", "F",
       [](Workspace& w) {
         w.selection.frame = w.selection.frame == Frame::unrotated ? Frame::stored : Frame::unrotated;
       }},
      {"Kernel timings: timeline", "", [](Workspace& w) { show_timings(w, TimingPage::timeline); }},
      {"Kernel timings: bars", "", [](Workspace& w) { show_timings(w, TimingPage::bars); }},
      {"Kernel timings: histogram over tokens", "", [](Workspace& w) { show_timings(w, TimingPage::histogram); }},
      {"Kernel timings: roofline", "", [](Workspace& w) { show_timings(w, TimingPage::roofline); }},
      {"Record what was stepped to a file", "", [](Workspace& w) { w.requests.edit_record = true; }},
      {"Kernel timings: all tokens", "", [](Workspace& w) { show_timings(w, TimingPage::run); }},
      {"Kernel timings: ranks", "", [](Workspace& w) { show_timings(w, TimingPage::ranks); }},
      {"Kernel timings: compare two profiles", "", [](Workspace& w) { show_timings(w, TimingPage::compare); }},
      {"Measure hardware counters", "", [](Workspace& w) { w.requests.measure_counters = true; }},
      {"Measure ranks 1, 2, 4, 8 of this shape", "", [](Workspace& w) { w.requests.measure_ranks = true; }},
      {"Edit the prompt", "P", [](Workspace& w) { w.requests.edit_prompt = true; }},
      {"Verify against the reference", "V", [](Workspace& w) { w.requests.verify = true; }},
      {"Compare backends with the reference, per layer and tensor", "", compare_backends},
      {"Evaluate accuracy", "E", evaluate},
      {"Reset the layout", "Ctrl+Shift+R", [](Workspace& w) { w.requests.reset_layout = true; }},
      {"Save a screenshot", "F12", [](Workspace& w) { w.requests.screenshot = "mambascope.png"; }},
      {"Quit", "Ctrl+Q", [](Workspace& w) { w.requests.quit = true; }},
  };
  for (const std::string& panel : panel_names())
    actions.push_back({"Show " + panel, "", [panel](Workspace& w) { w.requests.focus_panel = panel; }});
  for (std::size_t i = 0; i < workspace.documents.size(); ++i)
    actions.push_back(
        {"Switch to " + workspace.documents[i].name, "", [i](Workspace& w) { w.activate(static_cast<int>(i)); }});
  for (const std::string& name : shipped_recordings())
    actions.push_back({"Open recorded profile " + name, "", [name](Workspace& w) { w.requests.open_profile = name; }});
  for (const std::string& model : engine::builtin_models())
    actions.push_back({"Open built-in model " + model, "", [model](Workspace& w) { w.requests.open_model = model; }});
  return actions;
}

std::vector<UserAction> find_actions(const std::vector<UserAction>& actions, std::string_view query) {
  const WordFilter named(query);
  std::vector<UserAction> found;
  for (const UserAction& action : actions) {
    if (named.takes(action.name)) found.push_back(action);
  }
  if (!named.words().empty())
    std::stable_partition(found.begin(), found.end(), [&](const UserAction& action) {
      return lower(action.name).rfind(named.words().front(), 0) == 0;
    });
  return found;
}

void handle_keys(Workspace& workspace) {
  const ImGuiIO& io = ImGui::GetIO();
  const auto pressed = [](ImGuiKeyChord chord, bool repeat = false) {
    return ImGui::IsKeyChordPressed(chord, repeat ? ImGuiInputFlags_Repeat : 0, ImGuiKeyOwner_Any);
  };
  if (pressed(ImGuiMod_Ctrl | ImGuiKey_K)) workspace.show_palette = !workspace.show_palette;
  if (pressed(ImGuiMod_Ctrl | ImGuiKey_Q)) workspace.requests.quit = true;
  if (pressed(ImGuiKey_Escape)) workspace.show_keys = workspace.show_palette = false;
  if (io.WantTextInput || workspace.show_palette) return;

  if (pressed(ImGuiKey_Space, true)) step(workspace);
  if (pressed(ImGuiKey_Enter) || pressed(ImGuiKey_KeypadEnter) || pressed(ImGuiKey_R)) run_or_pause(workspace);
  if (pressed(ImGuiMod_Shift | ImGuiKey_LeftArrow, true)) step_back(workspace);
  if (pressed(ImGuiMod_Shift | ImGuiKey_RightArrow, true)) step(workspace);
  if (pressed(ImGuiKey_LeftArrow, true)) workspace.select_by(-1);
  if (pressed(ImGuiKey_RightArrow, true)) workspace.select_by(1);
  if (pressed(ImGuiKey_Home)) workspace.select_token(0);
  if (pressed(ImGuiKey_End)) workspace.selection.token = -1;
  if (pressed(ImGuiMod_Ctrl | ImGuiKey_0)) workspace.ui_scale = 1.0F;
  if (pressed(ImGuiMod_Ctrl | ImGuiKey_L)) workspace.light_theme = !workspace.light_theme;
  if (pressed(ImGuiMod_Ctrl | ImGuiMod_Shift | ImGuiKey_R)) workspace.requests.reset_layout = true;
  if (pressed(ImGuiMod_Ctrl | ImGuiKey_Z, true)) workspace.post(command::Undo{});
  if (pressed(ImGuiMod_Ctrl | ImGuiMod_Shift | ImGuiKey_Z, true) || pressed(ImGuiMod_Ctrl | ImGuiKey_Y, true))
    workspace.post(command::Redo{});
  if (pressed(ImGuiKey_B)) workspace.post(command::Fork{});
  if (pressed(ImGuiKey_G)) go_to_shown(workspace);
  if (pressed(ImGuiKey_T)) edit_shown(workspace);
  if (pressed(ImGuiKey_F))
    workspace.selection.frame = workspace.selection.frame == Frame::unrotated ? Frame::stored : Frame::unrotated;
  if (pressed(ImGuiKey_P)) workspace.requests.edit_prompt = true;
  if (pressed(ImGuiKey_V)) workspace.requests.verify = true;
  if (pressed(ImGuiKey_E)) evaluate(workspace);
  if (pressed(ImGuiKey_F12)) workspace.requests.screenshot = "mambascope.png";
  // By character, because these keys lie elsewhere on other keyboards.
  for (const ImWchar character : io.InputQueueCharacters) {
    if (character == '?') workspace.show_keys = !workspace.show_keys;
    if (character == '+') scale_by(workspace, 0.125F);
    if (character == '-') scale_by(workspace, -0.125F);
  }
}

}  // namespace app
