// Branches, edits and interventions of a session on a fake backend: what each command leaves behind, that nothing is
// lost, and that every way to a token gives the same bits.
#include "tests/engine/session/session_support.h"

#include <doctest/doctest.h>

#include <chrono>
#include <cmath>
#include <thread>

using namespace engine;

namespace {

using Ids = std::vector<std::int32_t>;

// What the first rank writes, scaled from a token on.
Intervention scaled_write(double value, std::int64_t first = 0, std::int64_t end = -1) {
  Intervention intervention;
  intervention.quantity = Quantity::rank_write;
  intervention.operation = Operation::scale;
  intervention.value = value;
  intervention.tokens = {first, end};
  return intervention;
}

bool same_records(const TokenList& a, const TokenList& b, std::size_t count) {
  if (a.size() < count || b.size() < count) return false;
  for (std::size_t i = 0; i < count; ++i) {
    if (!same_bits(*a[i], *b[i])) return false;
  }
  return true;
}

// The same tokens under the same interventions, in a session that did nothing else.
std::shared_ptr<const Snapshot> straight(const Snapshot& snapshot) {
  const FakeSession s(sampling_options());
  s.post(command::Prompt{ids_of(snapshot)});
  s.post(command::Intervene{snapshot.interventions});
  return s.after(command::Step{static_cast<int>(snapshot.tokens.size())});
}

// Origins differ from what was sampled; everything else does not.
bool as_if_straight(const Snapshot& snapshot) {
  const auto expected = straight(snapshot);
  if (snapshot.tokens.size() != expected->tokens.size()) return false;
  for (std::size_t i = 0; i < snapshot.tokens.size(); ++i) {
    TokenRecord record = *snapshot.tokens[i];
    record.origin = TokenOrigin::given;
    if (!same_bits(record, *expected->tokens[i])) return false;
  }
  return true;
}

const BranchView& branch_of(const Snapshot& snapshot, int id) {
  const BranchView* view = snapshot.find_branch(id);
  REQUIRE(view != nullptr);
  return *view;
}

}  // namespace

TEST_CASE("a session begins with one branch, and nothing to undo") {
  const FakeSession s;
  const auto snapshot = s.settled();
  REQUIRE(snapshot->branches.size() == 1);
  CHECK(snapshot->branch == snapshot->branches[0].id);
  CHECK(snapshot->branches[0].name == "main");
  CHECK(snapshot->branches[0].parent == -1);
  CHECK(snapshot->undo.empty());
  CHECK(snapshot->redo.empty());
  CHECK_FALSE(s.after(command::Undo{})->notice.empty());
  CHECK_FALSE(s.after(command::Redo{})->notice.empty());
  CHECK(s.after(command::Prompt{{1, 2}})->undo.empty());  // it replaced nothing
}

TEST_CASE("going forward again over stepped tokens restores instead of stepping") {
  FakeSession s(sampling_options());
  s.post(command::Prompt{{1, 2}});
  const auto first = s.after(command::Step{200});
  s.after(command::Seek{20});
  const int steps = s.counters->steps;
  const auto again = s.after(command::Seek{180});
  CHECK(s.counters->steps - steps <= 1);
  CHECK(same_records(first->tokens, again->tokens, 180));
  CHECK(again->pending.size() == 20);
  const auto end = s.after(command::Step{30});
  CHECK(end->tokens.size() == 210);
  CHECK(as_if_straight(*end));
}

TEST_CASE("a fork goes its own way, and the branch that it left is found as it was") {
  const FakeSession s(sampling_options());
  s.post(command::Prompt{{1, 2, 3}});
  const auto first = s.after(command::Step{40});
  s.post(command::Seek{10});
  s.post(command::Fork{"other", -1, {5, 5, 0}});
  const auto forked = s.after(command::Step{20});
  CHECK(forked->branches.size() == 2);
  const int other = forked->branch;
  CHECK(branch_of(*forked, other).name == "other");
  CHECK(branch_of(*forked, other).parent == 0);
  CHECK(branch_of(*forked, other).fork == 10);
  CHECK(forked->tokens.size() == 30);
  CHECK(Ids{forked->tokens[10]->id, forked->tokens[11]->id, forked->tokens[12]->id} == Ids{5, 5, 0});
  CHECK(as_if_straight(*forked));
  // What the other one holds can be looked at without going there.
  CHECK(same_records(branch_of(*forked, 0).tokens, first->tokens, 40));
  CHECK(branch_of(*forked, 0).position == 10);

  const auto back = s.after(command::SwitchTo{0});
  CHECK(back->tokens.size() == 10);
  CHECK(back->pending.size() == 30);
  const auto further = s.after(command::Step{40});
  CHECK(same_records(further->tokens, first->tokens, 40));
  CHECK(as_if_straight(*further));
  const auto there = s.after(command::SwitchTo{other});
  CHECK(same_records(there->tokens, forked->tokens, 30));
  CHECK(as_if_straight(*s.after(command::Step{5})));
}

TEST_CASE("an edited token begins a branch with the same tokens behind it, stepped to where one was") {
  const FakeSession s(sampling_options());
  s.post(command::Prompt{{1, 2, 3, 4}});
  const auto first = s.after(command::Step{30});
  s.post(command::Seek{25});
  const std::int32_t id = first->tokens[7]->id == 0 ? 1 : 0;
  const auto edited = s.after(command::EditToken{7, id});
  CHECK(edited->branches.size() == 2);
  CHECK(edited->tokens.size() == 25);
  CHECK(edited->pending.size() == 5);
  Ids expected = ids_of(*first);
  expected[7] = id;
  expected.resize(25);
  CHECK(ids_of(*edited) == expected);
  CHECK(as_if_straight(*edited));
  CHECK(branch_of(*edited, edited->branch).fork == 7);
  CHECK(edited->replay_to == 0);

  // The same token is no edit; one that was never stepped is replaced in its place.
  CHECK(s.after(command::EditToken{7, id})->branches.size() == 2);
  s.post(command::Prompt{{1, 2, 3}});
  const auto replaced = s.after(command::EditToken{1, 5});
  CHECK(replaced->branches.size() == 2);
  CHECK(replaced->pending == Ids{1, 5, 3});
  CHECK(s.after(command::Undo{})->pending == Ids{1, 2, 3});
  CHECK_FALSE(s.after(command::EditToken{3, 0})->notice.empty());
  CHECK_FALSE(s.after(command::EditToken{0, 6})->notice.empty());
}

TEST_CASE("interventions step again what they change, and only that") {
  FakeSession s(sampling_options());
  s.post(command::Prompt{{1, 2, 3, 4}});
  const auto first = s.after(command::Step{60});
  const int steps = s.counters->steps;
  const auto changed = s.after(command::Intervene{{scaled_write(0.5, 40)}});
  CHECK(changed->tokens.size() == 60);
  CHECK(ids_of(*changed) == ids_of(*first));
  CHECK(s.counters->steps - steps <= 22);
  CHECK(same_records(changed->tokens, first->tokens, 40));
  CHECK_FALSE(same_bits(*changed->tokens[40]->state, *first->tokens[40]->state));
  CHECK(as_if_straight(*changed));
  CHECK(changed->interventions.size() == 1);

  // Back and forward through where it begins and ends.
  s.post(command::Intervene{{scaled_write(0.5, 40, 50)}});
  const auto ranged = s.settled();
  CHECK(as_if_straight(*ranged));
  for (const std::int64_t at : {45, 12, 55, 41, 40, 39, 60}) {
    const auto there = s.after(command::Seek{at});
    CHECK(same_records(there->tokens, ranged->tokens, static_cast<std::size_t>(at)));
    CHECK(as_if_straight(*s.after(command::Step{3})));
  }
  const auto none = s.after(command::Intervene{{}});
  CHECK(same_records(none->tokens, first->tokens, 60));
  CHECK_FALSE(s.after(command::Intervene{{scaled_write(std::nan(""))}})->notice.empty());
  CHECK(s.settled()->interventions.empty());
}

TEST_CASE("an intervention ahead of where one stands changes what is to come") {
  const FakeSession s(sampling_options());
  s.post(command::Prompt{{1, 2, 3, 4}});
  s.after(command::Step{50});
  s.post(command::Seek{20});
  const auto changed = s.after(command::Intervene{{scaled_write(0.25, 30)}});
  CHECK(changed->tokens.size() == 20);
  CHECK(changed->pending.size() == 30);
  CHECK(changed->furthest == 30);
  const auto end = s.after(command::Seek{50});
  CHECK(as_if_straight(*end));
  const auto undone = s.after(command::Undo{});
  CHECK(undone->tokens.size() == 50);
  CHECK(undone->interventions.empty());
  CHECK(as_if_straight(*undone));
}

TEST_CASE("a branch begins under interventions of its own from a token on, in one edit") {
  const FakeSession s(sampling_options());
  s.post(command::Prompt{{1, 2, 3, 1, 2, 3}});
  const auto before = s.after(command::Step{8});
  command::Fork fork;
  fork.name = "half";
  fork.interventions = std::vector<Intervention>{scaled_write(0.5, 4)};
  const auto forked = s.after(fork);
  CHECK(forked->branches.size() == 2);
  CHECK(forked->interventions == *fork.interventions);
  CHECK(ids_of(*forked) == ids_of(*before));
  CHECK(as_if_straight(*forked));
  CHECK(same_records(forked->tokens, before->tokens, 4));
  CHECK_FALSE(same_records(forked->tokens, before->tokens, 5));
  const auto undone = s.after(command::Undo{});
  CHECK(undone->branches.size() == 1);
  CHECK(undone->interventions.empty());
  CHECK(same_records(undone->tokens, before->tokens, 8));
  const auto redone = s.after(command::Redo{});
  CHECK(same_records(redone->tokens, forked->tokens, 8));
  // One that the model cannot have makes no branch.
  fork.interventions->front().ranks = {7, 9};
  CHECK_FALSE(s.after(fork)->notice.empty());
  CHECK(s.settled()->branches.size() == 2);
}

TEST_CASE("undoing an intervention keeps the tokens that were stepped since") {
  const FakeSession s(sampling_options());
  s.post(command::Prompt{{1, 2}});
  s.after(command::Step{20});
  s.post(command::Intervene{{scaled_write(0.5, 10)}});
  const auto with = s.after(command::Step{15});
  REQUIRE(with->tokens.size() == 35);
  const auto without = s.after(command::Undo{});
  CHECK(ids_of(*without) == ids_of(*with));
  CHECK(without->interventions.empty());
  CHECK(as_if_straight(*without));
  CHECK_FALSE(without->redo.empty());
  const auto again = s.after(command::Redo{});
  CHECK(again->interventions.size() == 1);
  CHECK(same_records(again->tokens, with->tokens, 35));
  CHECK(as_if_straight(*again));
}

TEST_CASE("a slider that is dragged is one edit") {
  const FakeSession s(sampling_options());
  s.post(command::Prompt{{1, 2}});
  const auto first = s.after(command::Step{20});
  s.after(command::Intervene{{scaled_write(1)}});
  for (const double value : {0.9, 0.7, 0.4}) s.after(command::Intervene{{scaled_write(value)}});
  CHECK(as_if_straight(*s.settled()));
  const auto undone = s.after(command::Undo{});
  CHECK(undone->interventions.empty());
  CHECK(same_records(undone->tokens, first->tokens, 20));
}

TEST_CASE("a run goes on behind what an intervention steps again") {
  FakeSession s(sampling_options());
  s.after(command::Step{100});
  s.post(command::Speed{0});
  s.post(command::Run{});
  s.post(command::Intervene{{scaled_write(0.5)}});
  for (int i = 0; i < 2000 && s.session->snapshot()->tokens.size() < 150; ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  CHECK(s.session->snapshot()->mode == SessionMode::running);
  CHECK(as_if_straight(*s.after(command::Pause{})));
}

TEST_CASE("prompts, added and forgotten tokens come back by undoing, with what was stepped since by redoing") {
  const FakeSession s(sampling_options());
  s.post(command::Prompt{{1, 2, 3}});
  const auto first = s.after(command::Step{12});
  s.post(command::Prompt{{4, 5}});
  const auto second = s.after(command::Step{7});
  CHECK(second->undo == "the new prompt");
  const auto undone = s.after(command::Undo{});
  CHECK(same_records(undone->tokens, first->tokens, 12));
  CHECK(undone->tokens.size() == 12);
  CHECK(as_if_straight(*s.after(command::Step{2})));
  const auto redone = s.after(command::Redo{});
  CHECK(same_records(redone->tokens, second->tokens, 7));

  s.post(command::Append{{1, 1, 1}});
  CHECK(s.settled()->pending == Ids{1, 1, 1});
  s.after(command::Undo{});
  CHECK(s.settled()->pending.empty());

  s.post(command::Seek{3});
  s.post(command::Forget{});
  const auto anew = s.after(command::Step{1});
  CHECK(anew->furthest == 4);
  const auto whole = s.after(command::Undo{});
  CHECK(whole->tokens.size() == 3);
  CHECK(whole->furthest == 7);
  CHECK(same_records(s.after(command::Seek{7})->tokens, second->tokens, 7));
  // Something new: what was undone is gone for good.
  s.post(command::Prompt{{2}});
  CHECK(s.settled()->redo.empty());
}

TEST_CASE("branches are renamed and deleted, and come back") {
  const FakeSession s(sampling_options());
  s.post(command::Prompt{{1, 2, 3}});
  s.after(command::Step{20});
  s.post(command::Fork{"", 5, {}});
  const auto forked = s.after(command::Step{10});
  const int id = forked->branch;
  CHECK(branch_of(*forked, id).name == "branch 2");
  const auto renamed = s.after(command::Rename{id, "mine"});
  CHECK(branch_of(*renamed, id).name == "mine");
  CHECK(renamed->tokens.size() == 15);
  CHECK(branch_of(*s.after(command::Undo{}), id).name == "branch 2");
  CHECK(branch_of(*s.after(command::Redo{}), id).name == "mine");
  CHECK_FALSE(s.after(command::Rename{id, ""})->notice.empty());

  const auto deleted = s.after(command::DeleteBranch{id});
  CHECK(deleted->branches.size() == 1);
  CHECK(deleted->branch == 0);
  CHECK(as_if_straight(*deleted));
  CHECK_FALSE(s.after(command::DeleteBranch{0})->notice.empty());
  CHECK_FALSE(s.after(command::SwitchTo{id})->notice.empty());
  const auto restored = s.after(command::Undo{});
  CHECK(restored->branch == id);
  CHECK(same_records(restored->tokens, forked->tokens, 15));
  CHECK(branch_of(*restored, id).name == "mine");
  CHECK(as_if_straight(*s.after(command::Step{4})));

  // A branch whose parent is gone, and undoing the fork itself.
  const auto orphan = s.after(command::DeleteBranch{0});
  CHECK(branch_of(*orphan, id).parent == -1);
  CHECK(orphan->branch == id);
  s.post(command::Undo{});
  s.post(command::Undo{});
  const auto before = s.after(command::Undo{});
  CHECK(before->branches.size() == 1);
  CHECK(before->tokens.size() == 20);
}

TEST_CASE("there are so many branches and no more") {
  const FakeSession s;
  s.after(command::Step{2});
  for (int i = 0; i < 80; ++i) s.post(command::Fork{"", -1, {}});
  const auto snapshot = s.settled();
  CHECK(snapshot->branches.size() == 64);
  CHECK_FALSE(snapshot->notice.empty());
  CHECK_FALSE(s.after(command::Fork{"", 3, {}})->notice.empty());
}

TEST_CASE("the truth of a task's position follows the branch") {
  const auto model = load_model("parity");
  REQUIRE(model.has_value());
  SessionOptions options;
  options.backend.choice = BackendChoice::cpu;
  options.backend.threads = 1;
  auto session = Session::open(*model, options);
  REQUIRE(session.has_value());
  const auto after = [&](const Command& command) {
    (*session)->post(command);
    (*session)->wait_idle();
    return (*session)->snapshot();
  };
  (*session)->post(command::Prompt{{1, 0, 1, 1, 0, 1}});
  const auto first = after(command::Step{6});
  const auto edited = after(command::EditToken{1, 1});
  for (std::size_t i = 1; i < 6; ++i) CHECK(edited->tokens[i]->truth != first->tokens[i]->truth);
  after(command::SwitchTo{0});
  after(command::Seek{2});
  const auto again = after(command::Seek{6});
  const auto drawn = after(command::Step{10});
  std::int32_t parity = 0;
  for (const auto& record : drawn->tokens) {
    parity ^= record->id;
    CHECK(record->truth == parity);
  }
}
