#include "app/wiring/first_focus.h"

#include "app/viewmodel/focus.h"
#include "app/viewmodel/shown.h"

#include <algorithm>
#include <cstddef>

namespace app {

namespace {

struct Looked {
  const engine::Model* model = nullptr;
  Selection set;  // as this file left it
  bool user_chose = false;
  std::size_t tokens = 0;  // when looked last
  double contrast = 0;
};
Looked looked;

bool same_place(const Selection& a, const Selection& b) {
  return a.layer == b.layer && a.head == b.head && a.pair == b.pair && a.row == b.row;
}

// Turns that one look may go through, so that it fits into a frame.
constexpr std::size_t most_turns = 400'000;

std::size_t pairs_of(const engine::ModelConfig& config) {
  return static_cast<std::size_t>(config.n_layer) * static_cast<std::size_t>(config.heads()) *
         static_cast<std::size_t>(std::max(1, config.angles()));
}

// A few early tokens tell little and a long run tells nothing new: look at 2 to 32 tokens, then at powers of two; at a
// large model at these alone.
bool worth_looking(std::size_t before, std::size_t now, bool large) {
  if (now < 2 || now == before) return false;
  if (before < 2 || (now <= 32 && !large)) return true;
  return now <= 256 && now >= 2 * before;
}

}  // namespace

void keep_first_focus(Workspace& workspace) {
  if (!workspace.ready()) return;
  const engine::Snapshot& snapshot = *workspace.document().snapshot;
  if (snapshot.model == nullptr) return;
  workspace.selection = clamped(snapshot.model->config(), workspace.selection);
  if (looked.model != snapshot.model.get()) {
    looked = {};
    looked.model = snapshot.model.get();
    looked.set = workspace.selection;
  }
  if (looked.user_chose) return;
  if (!same_place(looked.set, workspace.selection)) {
    looked.user_chose = true;
    return;
  }
  const std::size_t tokens = most_turns / pairs_of(snapshot.model->config());
  if (!worth_looking(looked.tokens, snapshot.tokens.size(), tokens < 32)) return;
  looked.tokens = snapshot.tokens.size();
  const std::optional<Focus> focus =
      tokens < 32 ? find_focus(snapshot, std::max<std::size_t>(2, tokens)) : find_focus(snapshot);
  // A picture that jumps is worse than one that is a little less telling.
  if (!focus || focus->contrast < 1.1 * looked.contrast) return;
  looked.contrast = focus->contrast;
  Selection& selection = workspace.selection;
  const bool other_layer = selection.layer != focus->layer;
  selection.layer = focus->layer;
  selection.head = focus->head;
  selection.pair = focus->pair;
  selection.row = focus->row;
  looked.set = selection;
  if (other_layer) workspace.post(engine::command::Watch{selection.layer});
}

}  // namespace app
