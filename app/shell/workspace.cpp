#include "app/shell/workspace.h"

#include "app/wiring/recorded_profile.h"

#include <algorithm>
#include <filesystem>
#include <string_view>
#include <utility>
#include <variant>

namespace app {

void request_open(Requests& requests, const std::string& path) {
  const auto ends_with = [&](std::string_view ending) {
    return path.size() > ending.size() && path.compare(path.size() - ending.size(), ending.size(), ending) == 0;
  };
  if (ends_with(recording_ending)) {
    requests.open_profile = path;
  } else if (ends_with("/config.json")) {
    requests.open_model = path.substr(0, path.rfind('/'));
  } else {
    requests.open_model = path;
  }
}

void Workspace::remember(const std::string& path) {
  constexpr std::size_t most_recent = 8;
  namespace fs = std::filesystem;
  std::error_code failure;
  const fs::path whole = fs::absolute(path, failure);
  // A line break would end the line of the settings' file.
  if (failure || whole.string().find_first_of("\r\n") != std::string::npos) return;
  const fs::path builtin = fs::absolute(fs::path(engine::assets_folder()) / "models", failure);
  if (!failure && whole.parent_path().parent_path() == builtin) return;
  recent.erase(std::remove(recent.begin(), recent.end(), whole.string()), recent.end());
  recent.insert(recent.begin(), whole.string());
  if (recent.size() > most_recent) recent.resize(most_recent);
}

bool Workspace::ready() const {
  return active >= 0 && static_cast<std::size_t>(active) < documents.size() &&
         documents[static_cast<std::size_t>(active)].is_open();
}

bool Workspace::recorded() const {
  return active >= 0 && static_cast<std::size_t>(active) < documents.size() &&
         documents[static_cast<std::size_t>(active)].recording != nullptr;
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

void Workspace::select_by(std::int64_t offset) {
  if (recorded()) {
    const auto& tokens = document().recording->tokens;
    const auto now = std::find_if(tokens.begin(), tokens.end(), [&](const auto& token) {
      return selection.token >= 0 && token->token == static_cast<std::uint32_t>(selection.token);
    });
    const auto last = static_cast<std::int64_t>(tokens.size()) - 1;
    const std::int64_t index = now == tokens.end() ? last : now - tokens.begin();
    const std::int64_t next = std::clamp<std::int64_t>(index + offset, 0, last);
    selection.token = tokens[static_cast<std::size_t>(next)]->token;
    return;
  }
  if (!ready() || document().snapshot->empty()) return;
  const auto last = static_cast<std::int64_t>(document().snapshot->tokens.size()) - 1;
  select_token((selection.token < 0 ? last : selection.token) + offset);
}

void Workspace::choose_rank(int rank) {
  Document& chosen = document();
  if (!chosen.recording || !chosen.family) return;
  for (const RankRun& run : chosen.family->runs) {
    if (run.rank != rank) continue;
    chosen.recording = std::make_shared<const ProfileResult>(run.result);
    chosen.timings = recorded_timings(chosen.recording);
    chosen.name = run.result.recording;
    chosen.counters = run.result.counters ? std::make_shared<const StageCounters>(*run.result.counters) : nullptr;
    auto kept = std::move(chosen.timing_cache.ranks);
    chosen.timing_cache = TimingCache{};
    chosen.timing_cache.ranks = std::move(kept);
    selection.token = selection.stage = -1;
    return;
  }
}

void Workspace::select_token(std::int64_t position) {
  if (recorded()) {
    // Also the first one: position 0.
    selection.token = position <= 0 ? std::int64_t{document().recording->tokens.front()->token} : position;
    return;
  }
  if (!ready()) return;
  const auto last = static_cast<std::int64_t>(document().snapshot->tokens.size()) - 1;
  selection.token = position >= last ? -1 : std::max<std::int64_t>(position, 0);
}

}  // namespace app
