#include "app/shell/workspace.h"

#include <algorithm>
#include <utility>
#include <variant>

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

namespace {
bool moves_time(const engine::Command& command) {
  namespace c = engine::command;
  return std::holds_alternative<c::Step>(command) || std::holds_alternative<c::Run>(command) ||
         std::holds_alternative<c::Pause>(command) || std::holds_alternative<c::Seek>(command) ||
         std::holds_alternative<c::Speed>(command);
}
}  // namespace

void Workspace::post(engine::Command command) {
  if (!ready()) return;
  if (linked && moves_time(command)) {
    for (std::size_t i = 0; i < documents.size(); ++i)
      if (static_cast<int>(i) != active && documents[i].session) documents[i].session->post(command);
  }
  if (document().session) document().session->post(std::move(command));
}

void Workspace::activate(int index) {
  if (index < 0 || static_cast<std::size_t>(index) >= documents.size() || index == active) return;
  active = index;
  selection = Selection{};
}

void Workspace::select_token(std::int64_t position) {
  if (!ready()) return;
  const auto last = static_cast<std::int64_t>(document().snapshot->tokens.size()) - 1;
  selection.token = position >= last ? -1 : std::max<std::int64_t>(position, 0);
}

}  // namespace app
