#include "app/panels/prompt_editor.h"

#include "app/panels/widgets.h"
#include "app/viewmodel/prompt_text.h"
#include "engine/base/quote.h"
#include "engine/base/utf8.h"
#include "engine/tokenizer/tokenizer.h"

#include <fmt/format.h>
#include <imgui_stdlib.h>

#include <algorithm>
#include <utility>

namespace app {
namespace {

std::string what_to_type(const engine::Model& model) {
  const auto& symbols = model.card.symbols;
  if (model.card.bytes) return "Any text: each byte of it is a token, blanks too. Ctrl+Enter breaks the line.";
  if (model.tokenizer != nullptr)
    return "Any text: the model's tokenizer cuts it into tokens. Ctrl+Enter breaks the line.";
  if (symbols.empty()) {
    return fmt::format("This model has no symbols{}: type token ids from 0 to {}, such as 1 2 3.{}{}",
                       model.tokenizer_fault.empty() ? " and no tokenizer" : "", model.config().vocab_size - 1,
                       model.tokenizer_fault.empty() ? "" : "\n", engine::printable(model.tokenizer_fault));
  }
  std::string list;
  for (std::size_t i = 0; i < std::min<std::size_t>(symbols.size(), 12); ++i) list += (i > 0 ? " " : "") + symbols[i];
  if (symbols.size() > 12) list += " …";
  return "The model's symbols: " + list;
}

std::vector<std::int32_t> all_tokens(const engine::Snapshot& snapshot) {
  std::vector<std::int32_t> ids;
  constexpr std::size_t most = 4096;
  for (const auto& record : snapshot.tokens) {
    if (ids.size() >= most) break;
    ids.push_back(record->id);
  }
  for (const std::int32_t id : snapshot.pending) {
    if (ids.size() >= most) break;
    ids.push_back(id);
  }
  return ids;
}

// Sends the text as a new prompt, or behind the tokens to come; false and an error where it has a mistake.
bool send(PanelContext& context, bool append) {
  PromptEditor& editor = context.workspace.prompt;
  // What is put behind other tokens begins no text.
  auto ids = read_prompt(*context.workspace.document().snapshot->model, editor.text, editor.special && !append);
  if (!ids) {
    editor.error = ids.error().message;
    return false;
  }
  editor.error.clear();
  context.workspace.selection.token = -1;
  if (append)
    context.workspace.post(engine::command::Append{std::move(*ids)});
  else
    context.workspace.post(engine::command::Prompt{std::move(*ids)});
  return true;
}

// Whether some character of the text is drawn as a box.
bool lacks_glyphs(std::string_view text) {
  for (std::size_t at = 0; at < std::min<std::size_t>(text.size(), 4096);) {
    const engine::Utf8Character next = engine::first_character(text.substr(at));
    const char32_t code = next.state == engine::Utf8::whole ? engine::code_point(text.substr(at, next.length)) : U' ';
    if (code > 0x7F &&
        (code > IM_UNICODE_CODEPOINT_MAX || !ImGui::GetFont()->IsGlyphInFont(static_cast<ImWchar>(code))))
      return true;
    at += next.length;
  }
  return false;
}

// Of a long prompt all but the last tokens are prefilled, where the backend does that.
void draw_step_last(PanelContext& context, const engine::Snapshot& snapshot) {
  if (!snapshot.backend.chunked_prefill || snapshot.model->card.labels_positions()) return;
  bool prefills = snapshot.step_last > 0;
  int last = prefills ? snapshot.step_last : engine::command::StepLast().tokens;
  bool changed = ImGui::Checkbox("Prefill long prompts, and step the last", &prefills);
  tooltip(
      "Tokens before the last so many are consumed at once, which is many times faster than stepping, within a stated "
      "tolerance of it. Their numbers are not recorded until you go to one (G). Fewer than 192 of them are stepped all "
      "the same. Without this every token is stepped.");
  ImGui::SameLine();
  ImGui::BeginDisabled(!prefills);
  ImGui::SetNextItemWidth(110 * context.theme.scale);
  changed = ImGui::InputInt("tokens##last", &last, 64, 256) || changed;
  ImGui::EndDisabled();
  if (changed) context.workspace.post(engine::command::StepLast{prefills ? std::clamp(last, 1, 1 << 20) : 0});
}

}  // namespace

void draw_prompt_editor(PanelContext& context) {
  Workspace& workspace = context.workspace;
  PromptEditor& editor = workspace.prompt;
  const engine::Snapshot& snapshot = *workspace.document().snapshot;
  const bool opening = std::exchange(workspace.requests.edit_prompt, false);
  if (opening) {
    const std::vector<std::int32_t> tokens = all_tokens(snapshot);
    editor.text = write_prompt(*snapshot.model, tokens);
    editor.special = tokens.empty() || begins_with_special(*snapshot.model, tokens);
    editor.error.clear();
    ImGui::OpenPopup("Prompt editor");
  }
  const float s = context.theme.scale, width = std::min(520 * s, ImGui::GetMainViewport()->WorkSize.x - 64 * s);
  const ImVec2 bar = ImGui::GetWindowPos(), bar_size = ImGui::GetWindowSize();
  ImGui::SetNextWindowPos({bar.x + bar_size.x / 2, bar.y + bar_size.y + 4 * s}, ImGuiCond_Appearing, {0.5F, 0});
  if (!ImGui::BeginPopup("Prompt editor")) return;
  ImGui::PushTextWrapPos(ImGui::GetCursorPosX() + width);
  ImGui::TextColored(context.theme.secondary, "%s", what_to_type(*snapshot.model).c_str());
  if (opening) ImGui::SetKeyboardFocusHere();
  ImGui::SetNextItemWidth(width);
  ImGui::PushFont(context.theme.numbers, 0.0F);
  // Text has lines; symbols and ids have none.
  const bool entered =
      snapshot.model->has_text()
          ? ImGui::InputTextMultiline("##prompt", &editor.text, {width, 5 * ImGui::GetTextLineHeight()},
                                      ImGuiInputTextFlags_EnterReturnsTrue | ImGuiInputTextFlags_CtrlEnterForNewLine |
                                          ImGuiInputTextFlags_WordWrap)
          : ImGui::InputText("##prompt", &editor.text, ImGuiInputTextFlags_EnterReturnsTrue);
  ImGui::PopFont();
  if (ImGui::IsItemEdited()) editor.error.clear();
  if (lacks_glyphs(editor.text))
    ImGui::TextColored(context.theme.warning,
                       "No font here has some of these characters. The package fonts-wqy-microhei brings those of "
                       "Chinese, Japanese and Korean; the tokens are right without it.");
  if (!editor.error.empty()) ImGui::TextColored(context.theme.error, "\uf071 %s", editor.error.c_str());
  ImGui::PopTextWrapPos();
  if (snapshot.model->tokenizer != nullptr && !snapshot.model->tokenizer->before().empty()) {
    const std::string first = snapshot.model->symbol(snapshot.model->tokenizer->before().front());
    ImGui::Checkbox(fmt::format("Begin with {}###special", first).c_str(), &editor.special);
    tooltip("What the model's tokenizer puts before every text. Tokens that are added to others never begin with it.");
  }
  draw_step_last(context, snapshot);
  bool done = false;
  if (primary_button(context.theme, "Start over with this") || entered) done = send(context, false);
  tooltip("Resets the model; the tokens are consumed when you step. Enter");
  ImGui::SameLine();
  if (ImGui::Button("Add to the tokens to come")) done = send(context, true);
  const auto& prompts = snapshot.model->card.prompts;
  if (!prompts.empty()) {
    ImGui::Separator();
    ImGui::TextColored(context.theme.secondary, "Examples");
    ImGui::PushFont(context.theme.numbers, 0.0F);
    for (std::size_t i = 0; i < prompts.size(); ++i) {
      // The text is drawn over the item: as a label, what follows two # would be hidden.
      if (ImGui::Selectable(fmt::format("##example{}", i).c_str(), false, ImGuiSelectableFlags_NoAutoClosePopups,
                            {width, 0}))
        editor.text = prompts[i];
      ImGui::GetWindowDrawList()->AddText(ImGui::GetItemRectMin(), packed(context.theme.text),
                                          on_one_line(prompts[i]).c_str());
    }
    ImGui::PopFont();
  }
  // The text field takes Escape for itself, and would need a second one.
  if (done || ImGui::IsKeyPressed(ImGuiKey_Escape, false)) ImGui::CloseCurrentPopup();
  ImGui::EndPopup();
}

}  // namespace app
