#include "engine/session/branches.h"

#include <fmt/core.h>

#include <algorithm>
#include <chrono>
#include <utility>

namespace engine {

namespace {

constexpr std::int64_t one_gesture_ms = 2000;

std::int64_t now_ms() {
  const auto now = std::chrono::steady_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::milliseconds>(now).count();
}

// Differ in their values at most.
bool same_shape(const std::vector<Intervention>& a, const std::vector<Intervention>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](Intervention x, const Intervention& y) {
    x.value = y.value;
    return x == y;
  });
}

// Where the first token lies whose step differs: of what is neither in the common beginning nor in the common end.
std::int64_t first_changed(const std::vector<Intervention>& a, const std::vector<Intervention>& b) {
  const auto begin = std::mismatch(a.begin(), a.end(), b.begin(), b.end());
  auto a_end = a.end(), b_end = b.end();
  while (a_end != begin.first && b_end != begin.second && *(a_end - 1) == *(b_end - 1)) --a_end, --b_end;
  std::int64_t first = INT64_MAX;
  for (auto at = begin.first; at != a_end; ++at) first = std::min(first, at->tokens.first);
  for (auto at = begin.second; at != b_end; ++at) first = std::min(first, at->tokens.first);
  return std::max<std::int64_t>(0, first);
}

}  // namespace

Branches::Branches(History& history) : history_(history) {
  Branch main;
  main.id = next_id_++;
  main.name = "main";
  main.content.track = history_.make();
  branches_.push_back(std::move(main));
  use_current();
}

std::size_t Branches::find(int id) const {
  const auto at = std::find_if(branches_.begin(), branches_.end(), [&](const Branch& b) { return b.id == id; });
  return static_cast<std::size_t>(at - branches_.begin());
}

PendingToken Branches::token(const BranchContent& content, std::int64_t i) {
  if (i >= content.track->size()) return content.pending[static_cast<std::size_t>(i - content.track->size())];
  const TokenRecord& record = *content.track->tokens()[static_cast<std::size_t>(i)];
  return {record.id, record.origin};
}

Branches::Edit& Branches::begin_edit(Kind kind, std::string words) {
  redo_.clear();
  if (undo_.size() >= most_edits) undo_.pop_front();
  Edit edit;
  edit.kind = kind;
  edit.branch = edit.current = current().id;
  edit.words = std::move(words);
  edit.time_ms = now_ms();
  // The branch goes on with a track of its own, so that what is stepped from now on does not change the edit's.
  if (kind == Kind::content || kind == Kind::interventions) edit.content = current().content;
  undo_.push_back(std::move(edit));
  return undo_.back();
}

void Branches::unstep(BranchContent& content, std::int64_t count, bool keep_old_track) {
  for (std::int64_t i = content.track->size() - 1; i >= count; --i) content.pending.push_front(token(content, i));
  if (keep_old_track) {
    content.track = history_.copy(*content.track, std::min(count, content.track->size()));
  } else {
    content.track->truncate(std::min(count, content.track->size()));
  }
  content.position = std::min(content.position, content.track->size());
}

void Branches::prompt(std::deque<PendingToken> tokens) {
  BranchContent& content = current().content;
  // The first prompt replaces nothing.
  if (Branches::tokens(content) > 0 || !redo_.empty()) begin_edit(Kind::content, "the new prompt");
  content.track = history_.make();
  content.position = 0;
  content.pending = std::move(tokens);
  use_current();
}

void Branches::append(const std::vector<PendingToken>& tokens) {
  begin_edit(Kind::content, fmt::format("adding {} token{}", tokens.size(), tokens.size() == 1 ? "" : "s"));
  BranchContent& content = current().content;
  content.track = history_.copy(*content.track, content.track->size());
  content.pending.insert(content.pending.end(), tokens.begin(), tokens.end());
  use_current();
}

void Branches::forget() {
  begin_edit(Kind::content, "forgetting the tokens to come");
  BranchContent& content = current().content;
  content.track = history_.copy(*content.track, content.position);
  content.pending.clear();
  use_current();
}

void Branches::replace_pending(std::size_t i, PendingToken token) {
  begin_edit(Kind::content, "editing a token to come");
  BranchContent& content = current().content;
  content.track = history_.copy(*content.track, content.track->size());
  content.pending[i] = token;
  use_current();
}

std::int64_t Branches::intervene(std::vector<Intervention> interventions) {
  BranchContent& content = current().content;
  const std::int64_t first = std::min(first_changed(content.interventions, interventions), tokens(content));
  const bool gesture = !undo_.empty() && undo_.back().kind == Kind::interventions &&
                       undo_.back().branch == current().id && redo_.empty() &&
                       now_ms() - undo_.back().time_ms < one_gesture_ms &&
                       same_shape(content.interventions, interventions);
  if (gesture) {
    undo_.back().time_ms = now_ms();
  } else {
    begin_edit(Kind::interventions, "changing the interventions");
  }
  unstep(content, first, !gesture);
  content.interventions = std::move(interventions);
  use_current();
  return first;
}

void Branches::fork(std::string name, std::int64_t position, std::deque<PendingToken> pending,
                    std::optional<std::vector<Intervention>> interventions) {
  Branch made;
  made.id = next_id_++;
  made.name = name.empty() ? fmt::format("branch {}", made.id + 1) : std::move(name);
  made.parent = current().id;
  made.fork = position;
  made.content.interventions = current().content.interventions;
  made.content.track = history_.copy(*current().content.track, std::min(position, current().content.track->size()));
  made.content.position = made.content.track->size();
  for (std::int64_t i = made.content.position; i < position; ++i)
    made.content.pending.push_back(token(current().content, i));
  made.content.pending.insert(made.content.pending.end(), pending.begin(), pending.end());
  if (interventions) {
    unstep(made.content, first_changed(made.content.interventions, *interventions), false);
    made.content.interventions = std::move(*interventions);
  }
  Edit& edit = begin_edit(Kind::presence, fmt::format("the branch \"{}\"", made.name));
  edit.branch = made.id;
  edit.place = branches_.size();
  branches_.push_back(std::move(made));
  current_ = branches_.size() - 1;
  use_current();
}

void Branches::switch_to(int id) {
  current_ = find(id);
  use_current();
}

void Branches::rename(int id, std::string name) {
  Branch& branch = branches_[find(id)];
  Edit& edit = begin_edit(Kind::name, fmt::format("renaming \"{}\" to \"{}\"", branch.name, name));
  edit.branch = id;
  edit.name = std::exchange(branch.name, std::move(name));
}

void Branches::remove(int id) {
  const std::size_t place = find(id);
  Edit& edit = begin_edit(Kind::presence, fmt::format("deleting the branch \"{}\"", branches_[place].name));
  edit.branch = id;
  edit.place = place;
  exchange(edit);
}

std::optional<std::int64_t> Branches::exchange_last(std::deque<Edit>& from, std::deque<Edit>& to) {
  if (from.empty()) return std::nullopt;
  Edit edit = std::move(from.back());
  from.pop_back();
  const std::int64_t goal = exchange(edit);
  edit.time_ms = 0;  // what comes next is another gesture
  to.push_back(std::move(edit));
  return goal;
}

std::int64_t Branches::exchange(Edit& edit) {
  const int was_current = current().id;
  const std::size_t at = find(edit.branch);
  int shown = edit.branch;
  std::optional<std::int64_t> goal;
  if (edit.kind == Kind::presence && edit.absent) {
    const std::size_t place = std::min(edit.place, branches_.size());
    branches_.insert(branches_.begin() + static_cast<std::ptrdiff_t>(place), std::move(*edit.absent));
    edit.absent.reset();
  } else if (edit.kind == Kind::presence) {
    edit.place = at;
    edit.absent = std::move(branches_[at]);
    branches_.erase(branches_.begin() + static_cast<std::ptrdiff_t>(at));
    // Back to where one was; a deleted branch leaves its parent behind.
    shown = edit.current != edit.branch && has(edit.current) ? edit.current : edit.absent->parent;
  } else if (edit.kind == Kind::name) {
    std::swap(edit.name, branches_[at].name);
    shown = was_current;
  } else if (edit.kind == Kind::content) {
    std::swap(edit.content, branches_[at].content);
  } else {
    // The tokens stay those of now, also those stepped since; the interventions become those of then, with the records
    // that were made under them as far as the tokens are the same.
    BranchContent& now = branches_[at].content;
    BranchContent then = std::move(edit.content);
    const std::int64_t most = std::min(then.track->size(), tokens(now));
    std::int64_t same = 0;
    while (same < most && token(then, same).id == token(now, same).id) ++same;
    if (same < then.track->size()) then.track = history_.copy(*then.track, same);
    then.pending.clear();
    for (std::int64_t i = same; i < tokens(now); ++i) then.pending.push_back(token(now, i));
    goal = now.position;
    then.position = std::min(now.position, same);
    edit.content = std::exchange(now, std::move(then));
  }
  edit.current = was_current;
  current_ = has(shown) ? find(shown) : std::min(at, branches_.size() - 1);
  use_current();
  return goal.value_or(current().content.position);
}

bool Branches::forget_oldest_edit() {
  for (std::deque<Edit>* edits : {&undo_, &redo_}) {
    const auto keeps_tokens = [](const Edit& edit) { return edit.absent || edit.content.track != nullptr; };
    const auto last = std::find_if(edits->begin(), edits->end(), keeps_tokens);
    if (last == edits->end()) continue;
    // Those before it would be undone after it, and need what it brings back.
    edits->erase(edits->begin(), last + 1);
    return true;
  }
  return false;
}

}  // namespace engine
