#include "app/panels/branches.h"
#include "app/panels/model_menu.h"
#include "app/panels/panels.h"
#include "app/panels/parts.h"
#include "app/panels/prompt_editor.h"
#include "app/panels/widgets.h"
#include "app/viewmodel/in_force.h"
#include "app/wiring/recording_job.h"
#include "engine/recording/recording.h"

#include <fmt/format.h>
#include <imgui_stdlib.h>

#include <array>
#include <cmath>
#include <filesystem>
#include <system_error>
#include <utility>

namespace app {
namespace {

namespace command = engine::command;
constexpr const char* icon_first = "\uf048";
constexpr const char* icon_last = "\uf051";
constexpr const char* icon_record = "\uf192";

std::string model_words(const engine::Model& model) {
  const engine::ModelConfig& config = model.config();
  return fmt::format("{} · {} · {} layer{} · {} head{}", model.name,
                     config.is_mimo ? fmt::format("MIMO R={}", config.rank()) : "SISO", config.n_layer,
                     config.n_layer == 1 ? "" : "s", config.heads(), config.heads() == 1 ? "" : "s");
}

void draw_title(PanelContext& context, Flow& flow) {
  ImGui::PushFont(context.theme.bold, ImGui::GetStyle().FontSizeBase * 1.1F);
  flow.place(ImGui::CalcTextSize("Mambascope").x);
  ImGui::AlignTextToFramePadding();
  ImGui::TextUnformatted("Mambascope");
  ImGui::PopFont();
}

void draw_model(PanelContext& context, Flow& flow) {
  draw_title(context, flow);
  const engine::Snapshot& snapshot = *context.workspace.document().snapshot;
  const std::string words = model_words(*snapshot.model) + "###model";
  flow.place(button_width(model_words(*snapshot.model)));
  if (ImGui::Button(words.c_str())) ImGui::OpenPopup("models");
  const engine::TaskCard& card = snapshot.model->card;
  tooltip(card.description.empty() ? "Switch to another model, or open one beside this." : card.description);
  draw_model_menu(context);
}

void draw_steps(PanelContext& context, Flow& flow) {
  Workspace& workspace = context.workspace;
  const engine::Snapshot& snapshot = *workspace.document().snapshot;
  const auto consumed = static_cast<std::int64_t>(snapshot.tokens.size());
  const auto pending = static_cast<std::int64_t>(snapshot.pending.size());
  const bool failed = snapshot.mode == engine::SessionMode::failed;
  const auto go = [&](command::Seek seek) {
    workspace.selection.token = -1;
    workspace.post(seek);
  };
  ImGui::BeginDisabled(consumed == 0 || failed);
  flow.place(button_width(icon_first));
  if (ImGui::Button(fmt::format("{}##first", icon_first).c_str())) go({0});
  tooltip("Back to before the first token.");
  flow.place(button_width("◀ Back"));
  if (ImGui::Button("◀ Back###back")) go({consumed - 1});
  tooltip(workspace.document().replay ? "To the token before. Shift+Left"
                                      : "Take the last token back: the state is restored, not recomputed. Shift+Left");
  ImGui::EndDisabled();
  // Recorded tokens are gone through, not stepped: to their end and no further.
  const bool recorded = workspace.document().replay != nullptr, at_end = recorded && pending == 0;
  ImGui::BeginDisabled(failed || at_end);
  flow.place(button_width("Step ▶") + 4);
  if (primary_button(context.theme, recorded ? "Next ▶###step" : "Step ▶###step")) {
    workspace.selection.token = -1;
    workspace.post(command::Step{});
  }
  tooltip(at_end     ? "The recording ends here. Open the model itself to go on."
          : recorded ? "To the next recorded token. Space"
                     : "Consume one token. Space");
  const bool running = snapshot.mode == engine::SessionMode::running;
  flow.place(button_width("Pause"));
  if (ImGui::Button(running ? "Pause###run" : recorded ? "Play###run" : "Run###run", {button_width("Pause"), 0})) {
    if (running)
      workspace.post(command::Pause{});
    else
      workspace.post(command::Run{});
  }
  tooltip(running    ? "Stop after this token. Enter"
          : at_end   ? "The recording ends here. Open the model itself to go on."
          : recorded ? "Go through the recorded tokens at the chosen speed. Enter"
                     : "Consume tokens at the chosen speed. Enter");
  ImGui::EndDisabled();
  ImGui::BeginDisabled(pending == 0 || failed);
  flow.place(button_width(icon_last));
  if (ImGui::Button(fmt::format("{}##last", icon_last).c_str())) go({consumed + pending});
  tooltip(recorded ? "To the end of the recording." : "Consume all tokens that are given.");
  ImGui::EndDisabled();
}

void draw_speed(PanelContext& context, Flow& flow) {
  constexpr std::array<double, 7> speeds = {1, 2, 4, 8, 16, 32, 0};
  const auto words = [](double speed) {
    return speed > 0 ? fmt::format("{:g} tok/s", speed) : std::string("unlimited");
  };
  const engine::Snapshot& snapshot = *context.workspace.document().snapshot;
  const float width = 104 * context.theme.scale;
  flow.place(ImGui::CalcTextSize("speed").x + 6 * context.theme.scale + width);
  ImGui::AlignTextToFramePadding();
  ImGui::TextColored(context.theme.secondary, "speed");
  ImGui::SameLine(0, 6 * context.theme.scale);
  ImGui::SetNextItemWidth(width);
  if (ImGui::BeginCombo("##speed", words(snapshot.speed).c_str())) {
    for (const double speed : speeds)
      if (ImGui::Selectable(words(speed).c_str(), speed == snapshot.speed))
        context.workspace.post(command::Speed{speed});
    ImGui::EndCombo();
  }
}

std::string sampler_words(const engine::Sampler& sampler) {
  using Kind = engine::Sampler::Kind;
  switch (sampler.kind) {
    case Kind::greedy:
      return "greedy";
    case Kind::temperature:
      return fmt::format("T = {:.2f}", sampler.temperature);
    case Kind::top_k:
      return fmt::format("top {}", sampler.top_k);
    case Kind::top_p:
      return fmt::format("top p {:.2f}", sampler.top_p);
  }
  return {};
}

void draw_sampler_menu(PanelContext& context) {
  if (!ImGui::BeginPopup("sampler")) return;
  using Kind = engine::Sampler::Kind;
  engine::Sampler sampler = context.workspace.document().snapshot->sampler;
  bool changed = false;
  const auto choose = [&](const char* label, Kind kind) {
    if (ImGui::RadioButton(label, sampler.kind == kind)) {
      sampler.kind = kind;
      changed = true;
    }
  };
  choose("Greedy: always the likeliest token", Kind::greedy);
  choose("Temperature", Kind::temperature);
  choose("Top k: among the k likeliest", Kind::top_k);
  choose("Top p: among the likeliest that hold p together", Kind::top_p);
  ImGui::PushItemWidth(160 * context.theme.scale);
  if (sampler.kind != Kind::greedy) changed |= ImGui::SliderFloat("temperature", &sampler.temperature, 0.05F, 3.0F);
  if (sampler.kind == Kind::top_k) changed |= ImGui::SliderInt("k", &sampler.top_k, 1, 200);
  if (sampler.kind == Kind::top_p) changed |= ImGui::SliderFloat("p", &sampler.top_p, 0.05F, 1.0F);
  int seed = static_cast<int>(sampler.seed);
  if (sampler.kind != Kind::greedy && ImGui::InputInt("seed", &seed)) {
    sampler.seed = static_cast<std::uint64_t>(seed < 0 ? 0 : seed);
    changed = true;
  }
  ImGui::PopItemWidth();
  if (changed) context.workspace.post(sampler);
  ImGui::EndPopup();
}

void draw_sampler(PanelContext& context, Flow& flow) {
  const engine::Snapshot& snapshot = *context.workspace.document().snapshot;
  const engine::TaskCard& card = snapshot.model->card;
  const bool labels = card.labels_positions();
  // There is nothing to choose for a model of a task: where room is short, it is not said.
  if (labels && ImGui::GetWindowWidth() < 800 * context.theme.scale) return;
  const char* title = labels ? "tokens" : "sampler";
  const std::string words = labels ? "given, then drawn" : sampler_words(snapshot.sampler);
  flow.place(ImGui::CalcTextSize(title).x + 6 * context.theme.scale + button_width(words));
  ImGui::AlignTextToFramePadding();
  ImGui::TextColored(context.theme.secondary, "%s", title);
  ImGui::SameLine(0, 6 * context.theme.scale);
  if (labels) {
    ImGui::AlignTextToFramePadding();
    ImGui::TextUnformatted(words.c_str());
    tooltip(
        fmt::format("This model labels every token and samples none: after the given tokens more are drawn from its "
                    "task \"{}\".",
                    card.task));
    return;
  }
  if (ImGui::Button((words + "###sampler").c_str())) ImGui::OpenPopup("sampler");
  draw_sampler_menu(context);
}

// Asks for the name of the file, then shows how far it is.
void draw_record(PanelContext& context, Flow& flow) {
  Workspace& workspace = context.workspace;
  Document& document = workspace.document();
  const bool asked = std::exchange(workspace.requests.edit_record, false);
  if (document.replay) {
    const std::string words = document.replay->info().words();
    flow.place(chip_width(words.c_str()));
    const float chip = small_size(context.theme) + 4 * context.theme.scale;  // lower than the buttons beside it
    ImGui::SetCursorPosY(ImGui::GetCursorPosY() + std::max(0.0F, std::floor((ImGui::GetFrameHeight() - chip) / 2)));
    fact_chip(context.theme, words.c_str(),
              ("These tokens were recorded then and there: they can be gone through, and nothing runs. " +
               document.replay->cut_words())
                  .c_str(),
              context.theme.value);
    return;
  }
  const bool saving = document.saving && document.saving->running();
  ImGui::BeginDisabled(document.snapshot->empty());
  flow.place(button_width("99 %"));
  const bool clicked = ImGui::Button(saving ? fmt::format("{:.0f} %###record", 100 * document.saving->done()).c_str()
                                            : fmt::format("{}###record", icon_record).c_str(),
                                     {button_width("99 %"), 0});
  ImGui::EndDisabled();
  tooltip(saving ? "Writing the recording; click to cancel."
                 : "Record: write the states, coefficients and predictions of every token so far to a file that this "
                   "window and "
                   "Python open.");
  if (saving) workspace.requests.redraw = true;
  if (clicked && saving) document.saving->cancel();
  if ((clicked || asked) && !saving) {
    workspace.record_path = recording_name(*document.snapshot);
    if (!document.snapshot->empty()) ImGui::OpenPopup("record");
  }
  if (!ImGui::BeginPopup("record")) return;
  ImGui::TextColored(context.theme.secondary, "Record %zu tokens to", document.snapshot->tokens.size());
  ImGui::SetNextItemWidth(360 * context.theme.scale);
  if (ImGui::IsWindowAppearing()) ImGui::SetKeyboardFocusHere();
  const bool entered = ImGui::InputText("##recording", &workspace.record_path, ImGuiInputTextFlags_EnterReturnsTrue);
  ImGui::SameLine();
  // A finished recording is replaced by a click on the button that says so, never by Enter.
  std::error_code none;
  const bool there = !workspace.record_path.empty() && std::filesystem::exists(workspace.record_path, none);
  const bool save = primary_button(context.theme, there ? "Replace###save" : "Save###save") || (entered && !there);
  if (there) ImGui::TextColored(context.theme.warning, "There is a file of this name.");
  if (!document.snapshot->interventions.empty())
    ImGui::TextColored(context.theme.secondary, "With what was in force: %s",
                       in_force_words(document.snapshot->interventions).c_str());
  if (save && !workspace.record_path.empty()) {
    workspace.requests.record = workspace.record_path;
    ImGui::CloseCurrentPopup();
  }
  ImGui::EndPopup();
}

}  // namespace

void draw_closed_transport(PanelContext& context) {
  Flow flow(8 * context.theme.scale);
  draw_title(context, flow);
  const Workspace& workspace = context.workspace;
  const std::string name = workspace.documents.empty()
                               ? "Choose a model"
                               : workspace.documents[static_cast<std::size_t>(workspace.active)].name;
  flow.place(button_width(name));
  if (ImGui::Button((name + "###model").c_str())) ImGui::OpenPopup("models");
  draw_model_menu(context);
  if (!workspace.recorded()) return;
  const ProfileResult& recording = *workspace.documents[static_cast<std::size_t>(workspace.active)].recording;
  // Chips are lower than buttons.
  const auto centre = [&] {
    const float chip = small_size(context.theme) + 4 * context.theme.scale;
    ImGui::SetCursorPosY(ImGui::GetCursorPosY() + std::max(0.0F, std::floor((ImGui::GetFrameHeight() - chip) / 2)));
  };
  flow.place(chip_width(recording.recorded_words().c_str()));
  centre();
  fact_chip(context.theme, recording.recorded_words().c_str(),
            "A profile that was measured then and there: nothing runs now, and nothing can be stepped.",
            context.theme.value);
  const std::string words = fmt::format("{} · {}{} · {} tokens", recording.model, recording.plan.variant,
                                        recording.backend.graph ? " · CUDA graph" : "", recording.tokens.size());
  flow.place(chip_width(words.c_str()));
  centre();
  fact_chip(context.theme, words.c_str(), "What ran, how, and how many of its steps were measured.",
            context.theme.secondary);
}

void draw_transport(PanelContext& context) {
  const float s = context.theme.scale;
  Flow flow(8 * s);
  draw_model(context, flow);
  draw_steps(context, flow);
  draw_speed(context, flow);
  // Recorded tokens are as they are: no sampler, prompt or branch.
  const bool recorded = context.workspace.document().replay != nullptr;
  if (!recorded) {
    draw_sampler(context, flow);
    flow.place(button_width("Prompt"));
    if (ImGui::Button("Prompt")) context.workspace.requests.edit_prompt = true;
    tooltip("Type the tokens to consume. P");
    draw_prompt_editor(context);
  }
  draw_record(context, flow);
  if (!recorded) draw_branch_controls(context, flow);

  const char* find = ImGui::GetWindowWidth() < 1400 * s ? "Ctrl+K" : "Ctrl+K  Find an action";
  flow.place_right(button_width(find) + 8 * s + button_width("?"));
  if (ImGui::Button(fmt::format("{}###find", find).c_str())) context.workspace.show_palette = true;
  tooltip("Find an action by its name. Ctrl+K");
  ImGui::SameLine(0, 8 * s);
  if (ImGui::Button("?")) context.workspace.show_keys = !context.workspace.show_keys;
  tooltip("List the keys.");
}

}  // namespace app
