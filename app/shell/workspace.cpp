#include "app/shell/workspace.h"

#include <algorithm>
#include <utility>

namespace app {

bool Workspace::ready() const {
  return active >= 0 && static_cast<std::size_t>(active) < documents.size() &&
         documents[static_cast<std::size_t>(active)].is_open();
}

const engine::TokenRecord* Workspace::shown() {
  if (!ready() || document().snapshot->empty()) return nullptr;
  const auto& tokens = document().snapshot->tokens;
  const auto count = static_cast<std::int64_t>(tokens.size());
  const std::int64_t index = selection.token < 0 || selection.token >= count ? count - 1 : selection.token;
  return tokens[static_cast<std::size_t>(index)].get();
}

void Workspace::post(engine::Command command) {
  if (ready() && document().session) document().session->post(std::move(command));
}

void Workspace::select_token(std::int64_t position) {
  if (!ready()) return;
  const auto last = static_cast<std::int64_t>(document().snapshot->tokens.size()) - 1;
  selection.token = position >= last ? -1 : std::max<std::int64_t>(position, 0);
}

}  // namespace app
