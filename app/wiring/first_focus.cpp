#include "app/wiring/first_focus.h"

#include "app/viewmodel/focus.h"
#include "app/viewmodel/shown.h"

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

// A few early tokens tell little and a long run tells nothing new: look at 2 to 32 tokens, then at powers of two.
bool worth_looking(std::size_t before, std::size_t now) {
  if (now < 2 || now == before) return false;
  if (before < 2 || now <= 32) return true;
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
  if (!worth_looking(looked.tokens, snapshot.tokens.size())) return;
  looked.tokens = snapshot.tokens.size();
  const std::optional<Focus> focus = find_focus(snapshot);
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
