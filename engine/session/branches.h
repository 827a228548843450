// The branches of a session: what was consumed and is to come on each, under which interventions, and the edits that can
// be undone. Changes only what is kept; the stepper brings the backend to where the current branch stands. One thread.
//
// An edit keeps what it replaces. Undoing exchanges the two, so that what was stepped since comes back by redoing.
// Moving in time and between branches loses nothing and is no edit.
#pragma once

#include "engine/intervention/intervention.h"
#include "engine/session/history.h"

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace engine {

struct PendingToken {
  std::int32_t id = 0;
  TokenOrigin origin = TokenOrigin::given;
};

struct BranchContent {
  std::shared_ptr<Track> track;      // every token that was stepped and not taken back for good; never null
  std::int64_t position = 0;         // tokens consumed, at most those of the track
  std::deque<PendingToken> pending;  // behind those of the track
  std::vector<Intervention> interventions;
};

struct Branch {
  int id = 0;
  std::string name;
  int parent = -1;        // the branch that it began on; -1: none
  std::int64_t fork = 0;  // tokens that it took from there
  BranchContent content;
};

class Branches {
 public:
  static constexpr std::size_t most_branches = 64, most_edits = 50;

  // One empty branch. The history outlives this.
  explicit Branches(History& history);

  Branch& current() { return branches_[current_]; }
  const Branch& current() const { return branches_[current_]; }
  const std::vector<Branch>& all() const { return branches_; }
  bool has(int id) const { return find(id) < branches_.size(); }
  bool full() const { return branches_.size() >= most_branches; }
  // What undo and redo would do, in words; empty: nothing.
  std::string undo_words() const { return undo_.empty() ? "" : undo_.back().words; }
  std::string redo_words() const { return redo_.empty() ? "" : redo_.back().words; }

  // Edits of the current branch.
  void prompt(std::deque<PendingToken> tokens);          // nothing is consumed any more, and these are to come
  void append(const std::vector<PendingToken>& tokens);  // to come after all others
  void forget();                                         // nothing is to come, neither stepped nor given
  void replace_pending(std::size_t i, PendingToken token);
  // These from now on, instead of those before. Returns where the first token lies whose step they change: it and what
  // follows is to come, and has to be stepped again. Edits of the same shape that follow each other within two seconds
  // (a slider that is dragged) are one.
  std::int64_t intervene(std::vector<Intervention> interventions);

  // A branch whose first `position` tokens are those of the current one, and the current one from now on. An empty name
  // is replaced by "branch N". Other interventions than the current one's leave it where the first token lies that they
  // change; nothing: the same ones.
  void fork(std::string name, std::int64_t position, std::deque<PendingToken> pending,
            std::optional<std::vector<Intervention>> interventions = {});
  void switch_to(int id);
  void rename(int id, std::string name);
  // Not the last one. When it is the current one, the branch that it began on becomes that.
  void remove(int id);

  // The branch that was edited becomes the current one. Returns how many tokens it should have consumed in the end:
  // those beyond its position are to be stepped. Nothing: there is nothing to undo.
  std::optional<std::int64_t> undo() { return exchange_last(undo_, redo_); }
  std::optional<std::int64_t> redo() { return exchange_last(redo_, undo_); }
  // Drops the oldest edit that keeps tokens; false: none does.
  bool forget_oldest_edit();

  // Token i of a branch, stepped or to come.
  static PendingToken token(const BranchContent& content, std::int64_t i);
  static std::int64_t tokens(const BranchContent& content) {
    return content.track->size() + static_cast<std::int64_t>(content.pending.size());
  }

 private:
  enum class Kind { presence, name, content, interventions };
  struct Edit {
    Kind kind = Kind::content;
    int branch = 0;
    std::string words;
    int current = 0;               // branch that was current before the edit, or before it was undone
    std::size_t place = 0;         // presence: where the branch stands
    std::optional<Branch> absent;  // presence: the branch, while it is not there
    std::string name;
    BranchContent content;
    std::int64_t time_ms = 0;
  };

  std::size_t find(int id) const;
  Edit& begin_edit(Kind kind, std::string words);
  std::optional<std::int64_t> exchange_last(std::deque<Edit>& from, std::deque<Edit>& to);
  std::int64_t exchange(Edit& edit);
  void use_current() { history_.use(current().content.track); }
  // Tokens from `count` on are to come; the records before it stay.
  void unstep(BranchContent& content, std::int64_t count, bool keep_old_track);

  History& history_;
  std::vector<Branch> branches_;
  std::size_t current_ = 0;
  int next_id_ = 0;
  std::deque<Edit> undo_, redo_;  // newest last
};

}  // namespace engine
