// Patching: parts of the state that another text, branch or recording left are put into this branch's, one by one, and
// what each does to the answer behind it. Measured when asked for, with progress, and cancelled by a click.
#include "app/panels/empty_state.h"
#include "app/panels/interventions.h"
#include "app/panels/parts.h"
#include "app/panels/widgets.h"
#include "app/viewmodel/in_force.h"
#include "app/viewmodel/numbers.h"

#include <climits>
#include <fmt/format.h>

#include <misc/cpp/imgui_stdlib.h>

#include <algorithm>
#include <cmath>
#include <utility>

namespace app {

namespace {

using Donor = InterventionDesk::Donor;
using engine::PatchPart;

// Where a patch stands in the grid, and what its rows and columns are.
struct GridShape {
  int rows = 1, columns = 1;
  const char *row = "L", *column = "";
};

GridShape shape_of(const engine::ModelConfig& config, PatchPart part) {
  if (part == PatchPart::layer) return {config.n_layer, 1, "L", "layer"};
  if (part == PatchPart::pair) return {config.heads(), config.d_state / 2, "h", "pair"};
  return {config.n_layer, config.heads(), "L", "head"};
}
std::pair<int, int> place_of(const engine::Patch& patch) {
  if (patch.part == PatchPart::pair) return {patch.head, patch.pair};
  return {patch.layer, patch.part == PatchPart::head ? patch.head : 0};
}

// KL below it is rounding of the logits, and gets no colour of its own.
constexpr double kl_floor_bits = 1e-6;

double most_kl_bits(const engine::PatchGrid& grid, std::size_t token) {
  double most = 0;
  for (const engine::PatchEffect& effect : grid.effects) most = std::max(most, effect.tokens[token].kl_bits);
  return most;
}

// What a cell's number and colour are, and the colours' scale.
void draw_scale(const Theme& theme, bool differ, double most_kl) {
  push_small(theme);
  const float height = ImGui::GetTextLineHeight(), gap = 4 * theme.scale, bar = 80 * theme.scale;
  const std::string low = differ ? "-1" : "0", high = differ ? "1" : number_text(most_kl, 2);
  const float before = ImGui::CalcTextSize(low.c_str()).x, after = ImGui::CalcTextSize(high.c_str()).x;
  const float width = before + bar + after + 2 * gap, space = ImGui::GetContentRegionAvail().x;
  const char* words = differ ? "share of the way to the donor's answer" : "KL from this branch's prediction, bits";
  ImGui::TextColored(theme.secondary, "%s", shortened(words, space - width - 4 * gap).c_str());
  ImGui::SetItemTooltip(
      "%s",
      differ ? "(d - d of this branch) / (d with the donor's whole state - d of this branch), d the difference of the "
               "two answers' logits at the last token. 1: as far as the whole state goes; below 0: away from it."
             : "KL(this branch || patched) at the last token: both states give the same answer.");
  ImGui::SameLine(0, 0);
  const ImVec2 at(ImGui::GetCursorScreenPos().x + ImGui::GetContentRegionAvail().x - width,
                  ImGui::GetCursorScreenPos().y);
  ImDrawList* list = ImGui::GetWindowDrawList();
  list->AddText(at, packed(theme.secondary), low.c_str());
  const ImVec2 from(at.x + before + gap, at.y + height * 0.22F);
  colour_bar(list, from, {from.x + bar, at.y + height * 0.78F}, differ ? signed_position : magnitude_position, theme);
  list->AddText({from.x + bar + gap, at.y}, packed(theme.secondary), high.c_str());
  ImGui::NewLine();
  ImGui::PopFont();
}

// How much of the way to the donor's answer each part's state goes.
void draw_grid(PanelContext& context, const InterventionData& data, const MeasureReport& report, ImVec2 size) {
  const Theme& theme = context.theme;
  const engine::PatchGrid& grid = report.grid;
  const GridShape shape = shape_of(data.model->config(), report.order.part);
  const std::size_t last = grid.reference.receiver_answer.size() - 1;
  const bool differ = grid.reference.receiver_answer[last] != grid.reference.donor_answer[last];
  const double most = std::max(kl_floor_bits, most_kl_bits(grid, last));
  const float above = ImGui::GetCursorPosY();
  draw_scale(theme, differ, most);
  size.y -= ImGui::GetCursorPosY() - above;
  const ImVec2 at = ImGui::GetCursorScreenPos();
  const float side = 34 * theme.scale;
  const ImVec2 cell(std::min((size.x - side) / static_cast<float>(shape.columns), 96 * theme.scale),
                    std::min((size.y - side * 0.6F) / static_cast<float>(shape.rows), 56 * theme.scale));
  const float gap = std::min(cell.x, cell.y) > 4 ? 1.0F : 0.0F;
  ImDrawList* list = ImGui::GetWindowDrawList();
  push_small_numbers(theme);
  // Shares have as many digits as every cell has room for.
  const auto fits = [&](const char* text) { return ImGui::CalcTextSize(text).x + 4 < cell.x; };
  const int digits = fits("-0.00") ? 2 : 1;
  for (const engine::PatchEffect& effect : grid.effects) {
    const engine::PatchOnToken& on = effect.tokens[last];
    const double share = grid.reference.share(last, on.logit_difference);
    const auto [row, column] = place_of(effect.patch);
    const ImVec2 low(at.x + side + cell.x * static_cast<float>(column), at.y + cell.y * static_cast<float>(row));
    const ImVec2 high(low.x + cell.x - gap, low.y + cell.y - gap);
    const ImVec4 colour = differ ? diverging_colour(theme, std::clamp(static_cast<float>(share), -1.0F, 1.0F))
                                 : sequential_colour(static_cast<float>(on.kl_bits / most));
    list->AddRectFilled(low, high, packed(colour));
    const bool donors = differ && on.predicted == grid.reference.donor_answer[last];
    if (donors) list->AddRect(low, high, packed(theme.text), 0, 0, 2 * theme.scale);
    const bool nearly_zero = std::abs(share) < (digits == 2 ? 0.005 : 0.05);
    const std::string text =
        differ ? fmt::format("{:.{}f}", nearly_zero ? 0.0 : share, digits) : number_text(on.kl_bits, 2);
    const ImVec2 words = ImGui::CalcTextSize(text.c_str());
    if (words.x + 4 < cell.x && words.y < cell.y)
      list->AddText(
          {low.x + (cell.x - words.x) / 2, low.y + (cell.y - words.y) / 2},
          (differ ? std::abs(share) : on.kl_bits / most) > 0.6 ? IM_COL32(20, 24, 30, 255) : packed(theme.text),
          text.c_str());
  }
  const float line = ImGui::GetTextLineHeight();
  const int row_step = std::max(1, static_cast<int>(std::ceil(line / cell.y)));
  for (int r = 0; r < shape.rows; r += row_step)
    list->AddText({at.x, at.y + cell.y * (static_cast<float>(r) + 0.5F) - line / 2}, packed(theme.secondary),
                  fmt::format("{}{}", shape.row, r).c_str());
  const float label = ImGui::CalcTextSize(fmt::format("{} 000 ", shape.column).c_str()).x;
  const int column_step = std::max(1, static_cast<int>(std::ceil(label / cell.x)));
  for (int c = 0; c < shape.columns && shape.columns > 1; c += column_step)
    list->AddText({at.x + side + cell.x * static_cast<float>(c) + 3, at.y + cell.y * static_cast<float>(shape.rows)},
                  packed(theme.secondary), fmt::format("{} {}", shape.column, c).c_str());
  ImGui::PopFont();
  ImGui::SetCursorScreenPos({at.x + side, at.y});
  ImGui::InvisibleButton("grid", {cell.x * static_cast<float>(shape.columns), cell.y * static_cast<float>(shape.rows)});
  if (!ImGui::IsItemHovered()) return;
  const int c = std::clamp(static_cast<int>((ImGui::GetMousePos().x - at.x - side) / cell.x), 0, shape.columns - 1);
  const int r = std::clamp(static_cast<int>((ImGui::GetMousePos().y - at.y) / cell.y), 0, shape.rows - 1);
  for (const engine::PatchEffect& effect : grid.effects) {
    if (place_of(effect.patch) != std::pair{r, c}) continue;
    const engine::PatchOnToken& on = effect.tokens[last];
    ImGui::SetTooltip("%s: answers %s, logit difference %s, KL %s bits", describe(effect.patch).c_str(),
                      data.model->label(on.predicted).c_str(), signed_text(on.logit_difference).c_str(),
                      number_text(on.kl_bits, 3).c_str());
    if (!ImGui::IsMouseClicked(ImGuiMouseButton_Left)) continue;
    context.workspace.selection.layer = effect.patch.layer;
    if (effect.patch.part != PatchPart::layer) context.workspace.selection.head = effect.patch.head;
    if (effect.patch.part == PatchPart::pair) context.workspace.selection.pair = effect.patch.pair;
  }
}

// The branch that is chosen, else the first other one, else this one; never null.
const engine::BranchView* donor_branch(const InterventionDesk& desk, const engine::Snapshot& snapshot) {
  const engine::BranchView* found = snapshot.find_branch(desk.donor_branch);
  for (const engine::BranchView& view : snapshot.branches)
    if (found == nullptr && view.id != snapshot.branch) found = &view;
  return found != nullptr ? found : &snapshot.branches.front();
}

std::int64_t last_of(const engine::BranchView& view) { return static_cast<std::int64_t>(view.tokens.size()) - 1; }

// The token of this branch after which is patched: there is one behind it.
std::int64_t patch_after(const InterventionDesk& desk, const InterventionData& data) {
  const auto most = static_cast<std::int64_t>(data.snapshot->tokens.size()) - 2;
  return std::clamp<std::int64_t>(desk.patch_after < 0 ? data.index : desk.patch_after, 0,
                                  std::max<std::int64_t>(0, most));
}

// What is wrong; empty: the order is whole.
std::string fill_donor(const InterventionDesk& desk, const InterventionData& data, PatchOrder& order) {
  if (desk.donor_kind == Donor::text) {
    auto ids = data.model->encode(desk.donor);
    if (!ids) return ids.error().message;
    if (ids->empty()) return "The donor's text is empty, so that it leaves no state.";
    order.donor = std::move(*ids);
    order.donor_in_force = data.snapshot->interventions;
    order.donor_words = fmt::format("\"{}\"", desk.donor);
    return {};
  }
  if (desk.donor_kind == Donor::recording) {
    if (desk.donor_path.empty()) return "Give the file of a recording.";
    order.recording = desk.donor_path;
    order.donor_at = desk.donor_at;
    order.donor_words = fmt::format("the recording {} after {}", desk.donor_path,
                                    desk.donor_at < 0 ? "its last token" : fmt::format("token {}", desk.donor_at));
    return {};
  }
  const engine::BranchView& view = *donor_branch(desk, *data.snapshot);
  if (view.tokens.empty()) return fmt::format("{} has no token so far, so that it has no state.", view.name);
  order.donor_at = desk.donor_at < 0 ? last_of(view) : std::min(desk.donor_at, last_of(view));
  for (std::int64_t i = 0; i <= order.donor_at; ++i)
    order.donor.push_back(view.tokens[static_cast<std::size_t>(i)]->id);
  order.donor_in_force = view.interventions;
  order.donor_words = fmt::format("{} after token {}", view.name, order.donor_at);
  return {};
}

void begin_patching(PanelContext& context, InterventionDesk& desk, const InterventionData& data) {
  PatchOrder order;
  for (const auto& record : data.snapshot->tokens) order.receiver.push_back(record->id);
  order.in_force = data.snapshot->interventions;
  order.after = patch_after(desk, data);
  order.part = desk.part;
  order.layer = std::clamp(context.workspace.selection.layer, 0, data.model->config().n_layer - 1);
  desk.donor_error = order.receiver.size() < 2
                         ? "Patching needs two tokens or more here, one before the patch and one behind it, where it "
                           "shows: step further."
                         : fill_donor(desk, data, order);
  if (desk.donor_error.empty()) desk.patch = std::make_unique<MeasureJob>(desk.model, desk.backend, std::move(order));
}

void draw_branch_choice(PanelContext& context, InterventionDesk& desk, const InterventionData& data, float width) {
  const engine::BranchView& chosen = *donor_branch(desk, *data.snapshot);
  ImGui::SetNextItemWidth(width);
  if (!ImGui::BeginCombo("##donor-branch", shortened(chosen.name, width - 30 * context.theme.scale).c_str())) return;
  for (const engine::BranchView& view : data.snapshot->branches) {
    const std::string label = fmt::format("{} · {} tokens###{}", view.name, view.tokens.size(), view.id);
    if (ImGui::Selectable(label.c_str(), view.id == chosen.id)) desk.donor_branch = view.id, desk.donor_at = -1;
  }
  ImGui::EndCombo();
}

// First line: whose state. True: Enter in its field.
bool draw_donor(PanelContext& context, InterventionDesk& desk, const InterventionData& data) {
  const Theme& theme = context.theme;
  const float s = theme.scale, gap = 4 * s;
  // Chips are lower than the field beside them.
  const float y = ImGui::GetCursorPosY();
  const float drop = std::floor((ImGui::GetFrameHeight() - small_size(theme) - 4 * s) / 2);
  const auto kind = [&](const char* label, Donor own, const char* tip) {
    ImGui::SetCursorPosY(y + drop);
    if (chip(theme, label, desk.donor_kind == own, tip) && desk.donor_kind != own) {
      desk.donor_kind = own;
      desk.donor_at = -1;
      desk.donor_error.clear();
    }
    ImGui::SameLine(0, gap);
  };
  ImGui::AlignTextToFramePadding();
  ImGui::TextUnformatted("state of");
  ImGui::SameLine(0, 8 * s);
  kind("a text", Donor::text, "The state that a text leaves, read from the beginning.");
  kind("a branch", Donor::branch, "The state of a branch after one of its tokens, under its own interventions.");
  kind("a recording", Donor::recording, "The state that a recording of this model holds, with all its layers.");
  ImGui::SameLine(0, 10 * s);
  ImGui::SetCursorPosY(y);
  const float width = std::max(90 * s, ImGui::GetContentRegionAvail().x - 96 * s);
  if (desk.donor_kind == Donor::branch) {
    draw_branch_choice(context, desk, data, width);
    return false;
  }
  const bool text = desk.donor_kind == Donor::text;
  ImGui::SetNextItemWidth(width);
  const bool entered =
      ImGui::InputTextWithHint(text ? "##donor" : "##donor-file", text ? "text" : "FILE.safetensors",
                               text ? &desk.donor : &desk.donor_path, ImGuiInputTextFlags_EnterReturnsTrue);
  tooltip(text ? "The text whose state is put into this one's, part by part."
               : "A recording that `record` or the ring in the transport wrote, with the states of all layers.");
  return entered;
}

// What the donor's file says of itself; null: it is not known so far, or there is none.
const DonorFacts* donor_facts(InterventionDesk& desk) {
  if (desk.donor_kind != Donor::recording) return nullptr;
  if (!desk.donor_file) desk.donor_file = std::make_unique<DonorFile>(desk.backend.on_progress);
  // Not at every letter of its name.
  if (!ImGui::IsAnyItemActive()) desk.donor_file->want(desk.donor_path);
  const DonorFacts* facts = desk.donor_file->facts();
  return facts != nullptr && facts->path == desk.donor_path ? facts : nullptr;
}

// Under the file's name: what it was recorded from, and under which interventions.
void draw_donor_facts(const Theme& theme, const DonorFacts& facts) {
  if (!facts.error.empty()) {
    ImGui::PushStyleColor(ImGuiCol_Text, theme.error);
    ImGui::TextWrapped("%s", facts.error.c_str());
    ImGui::PopStyleColor();
    return;
  }
  const std::string under =
      facts.interventions.empty() ? "without interventions" : "under " + in_force_words(facts.interventions);
  ImGui::TextColored(facts.interventions.empty() ? theme.secondary : theme.value, "%s",
                     shortened(fmt::format("{}, {} token{}, recorded {}", facts.model, facts.tokens,
                                           facts.tokens == 1 ? "" : "s", under),
                               ImGui::GetContentRegionAvail().x)
                         .c_str());
  tooltip(facts.interventions.empty()
              ? "The donor's state is the model's own."
              : "The donor's state is what the model left under\n" + in_force_lines(facts.interventions));
}

// Second line: after which tokens, and which parts.
void draw_places(PanelContext& context, InterventionDesk& desk, const InterventionData& data) {
  const Theme& theme = context.theme;
  const float s = theme.scale, gap = 4 * s;
  Flow flow(gap);
  const float width = 150 * s;
  if (desk.donor_kind != Donor::text) {
    const bool branch = desk.donor_kind == Donor::branch;
    // Of a file that is not known so far: its last token alone.
    const DonorFacts* facts = donor_facts(desk);
    const std::int64_t last = branch             ? last_of(*donor_branch(desk, *data.snapshot))
                              : facts != nullptr ? facts->tokens - 1
                                                 : -1;
    const auto most = static_cast<int>(std::clamp<std::int64_t>(last, branch ? 0 : -1, INT_MAX));
    if (desk.donor_at > most && (branch || facts != nullptr)) desk.donor_at = -1;
    int at = desk.donor_at < 0 ? (branch ? most : -1) : static_cast<int>(std::min<std::int64_t>(desk.donor_at, most));
    flow.place(width);
    if (small_slider(theme, "##donor-at", &at, branch ? 0 : -1, most, at < 0 ? "its last token" : "its token %d", width,
                     "The donor's state is that after this token."))
      desk.donor_at = at;
  }
  auto after = static_cast<int>(patch_after(desk, data));
  flow.place(width);
  if (small_slider(
          theme, "##patch-after", &after, 0, std::max(0, static_cast<int>(data.snapshot->tokens.size()) - 2),
          "into token %d here", width,
          "This branch's state after this token takes the part; the rest is read behind it. It begins at the shown "
          "token."))
    desk.patch_after = after;
  flow.place(chip_width("shown"));
  if (chip(theme, "shown", desk.patch_after < 0, "After the token that the views show.")) desk.patch_after = -1;
  const auto part = [&](const char* label, PatchPart own, const char* tip) {
    flow.place(chip_width(label));
    if (chip(theme, label, desk.part == own, tip)) desk.part = own;
  };
  part("heads", PatchPart::head, "Every head by itself: its state, angles, last keys and values.");
  part("layers", PatchPart::layer, "Every layer by itself, whole.");
  const std::string pairs = fmt::format("pairs of layer {}###pairs", context.workspace.selection.layer);
  part(pairs.c_str(), PatchPart::pair, "Every pair of channels of the selected layer: two channels and their angle.");
}

std::string result_words(const InterventionData& data, const MeasureReport& report) {
  const engine::PatchReference& reference = report.grid.reference;
  const PatchOrder& order = report.order;
  const std::size_t last = reference.receiver_answer.size() - 1;
  const std::string own = data.model->label(reference.receiver_answer[last]),
                    other = data.model->label(reference.donor_answer[last]);
  const char* part = engine::name_of(order.part);
  const std::string head = fmt::format(
      "{}The state of {}, into this branch after token {}; {} token{} read behind it. ",
      starts_from_words(order.in_force), order.donor_words, order.after, last + 1, last == 0 ? " is" : "s are");
  return head +
         (own != other
              ? fmt::format("At their end the model answers {}, and {} with the donor's whole state. A number: how "
                            "much of the way between the two logit differences the {} goes; framed: the answer is "
                            "the donor's. {} ms.",
                            own, other, part, number_text(1e3 * report.seconds, 2))
              : fmt::format(
                    "With the donor's whole state the answer is the same, {}: numbers are KL in bits{}. {} ms.", own,
                    most_kl_bits(report.grid, last) < kl_floor_bits
                        ? fmt::format(", all below {}: rounding, where the colours end", number_text(kl_floor_bits, 1))
                        : std::string(),
                    number_text(1e3 * report.seconds, 2)));
}

}  // namespace

void draw_patching_page(PanelContext& context, InterventionDesk& desk, const InterventionData& data) {
  const Theme& theme = context.theme;
  const auto report = desk.patch ? desk.patch->report() : nullptr;
  if (desk.donor.empty() && !data.model->card.prompts.empty()) desk.donor = data.model->card.prompts.back();
  const bool entered = draw_donor(context, desk, data);
  ImGui::SameLine(0, 8 * theme.scale);
  const bool running = report && report->running;
  if (running) {
    if (ImGui::Button("Cancel")) desk.patch->cancel();
  } else if (primary_button(theme, "Patch") || entered || std::exchange(desk.measure, false)) {
    begin_patching(context, desk, data);
  }
  if (const DonorFacts* facts = donor_facts(desk)) draw_donor_facts(theme, *facts);
  draw_places(context, desk, data);
  if (!desk.donor_error.empty()) {
    ImGui::PushStyleColor(ImGuiCol_Text, theme.error);
    ImGui::TextWrapped("%s", desk.donor_error.c_str());
    ImGui::PopStyleColor();
  }
  if (running) {
    draw_empty_state(theme, fmt::format("Patching: {:.0f} %", 100 * report->done), "Every part by itself.");
    return;
  }
  if (!report || report->grid.effects.empty()) {
    const bool cancelled = report && report->cancelled;
    draw_empty_state(
        theme, cancelled ? "Cancelled" : "Which part of the state carries the answer?",
        report && report->error
            ? report->error->message
            : starts_from_words(data.snapshot->interventions) +
                  "The donor's state is put into this branch's after a token, one part at a time; the rest "
                  "of this branch is read behind it.");
    return;
  }
  const std::string words = result_words(data, *report);
  const ImVec2 space = ImGui::GetContentRegionAvail();
  const float below = note_height(theme, words, space.x) + ImGui::GetStyle().ItemSpacing.y;
  ImGui::BeginChild("patches", {space.x, space.y - below}, ImGuiChildFlags_None, ImGuiWindowFlags_NoScrollbar);
  draw_grid(context, data, *report, ImGui::GetContentRegionAvail());
  ImGui::EndChild();
  note(theme, words);
}

}  // namespace app
