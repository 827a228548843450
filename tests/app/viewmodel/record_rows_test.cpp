// Rows of single pieces of work: their order, their filter, and a million of them.
#include "app/viewmodel/record_rows.h"

#include "tests/support/example_profile.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>

using namespace app;

namespace {

RecordOrder by(RecordColumn column, bool descending = true, std::string filter = "") {
  return {std::move(filter), static_cast<int>(column), descending};
}

}  // namespace

TEST_CASE("a row for each piece of work, as they ran") {
  const ProfileResult profile = tests::example_profile(2, 3);
  const RecordRows all = make_record_rows(profile.plan, profile.tokens, {});
  REQUIRE(all.rows.size() == 3 * 8);
  CHECK(all.records == 3 * 8);
  const RecordRow& row = all.rows[8 + 2];
  CHECK(all.token(row).token == 9);
  CHECK(all.piece(row).tag.stage == 2);
  CHECK(all.piece(row).duration_ns == 3010);
  CHECK(all.start_ns(row) == 1010 + 2010);
  CHECK(row.adds_ns == 3010);
  CHECK(all.bytes(profile.plan, row) == 500'000);
  CHECK(make_record_rows(profile.plan, {}, {}).rows.empty());
}

TEST_CASE("records are sorted by each column and filtered by stage and token") {
  const ProfileResult profile = tests::example_profile(12, 40);
  const auto make = [&](const RecordOrder& order) { return make_record_rows(profile.plan, profile.tokens, order); };
  const std::size_t stages = profile.plan.stages.size();
  for (int column = 0; column <= static_cast<int>(RecordColumn::adds); ++column)
    for (const bool descending : {false, true}) {
      CAPTURE(column);
      const RecordRows all = make({"", column, descending});
      REQUIRE(all.rows.size() == 40 * stages);
      const auto value = [&](const RecordRow& row) -> double {
        const engine::Stage& stage = profile.plan.stages[all.piece(row).tag.stage];
        const double values[] = {static_cast<double>(engine::name_of(stage.kind)[0]),
                                 static_cast<double>(all.token(row).token),
                                 static_cast<double>(stage.layer),
                                 static_cast<double>(all.start_ns(row)),
                                 static_cast<double>(all.piece(row).duration_ns),
                                 static_cast<double>(all.bytes(profile.plan, row)),
                                 static_cast<double>(row.adds_ns)};
        return values[column];
      };
      CHECK(std::is_sorted(all.rows.begin(), all.rows.end(), [&](const RecordRow& a, const RecordRow& b) {
        // Equal ones as they ran.
        if (value(a) == value(b) && column > 0) return std::pair(a.token, a.piece) < std::pair(b.token, b.piece);
        return descending ? value(a) > value(b) : value(a) < value(b);
      }));
    }
  CHECK(make({"MIXER layer 3", -1, true}).rows.size() == 40);
  CHECK(make({"layer 3", -1, true}).rows.size() == 3 * 40);
  const RecordRows one = make(by(RecordColumn::time, true, "token 17 mixer"));
  REQUIRE(one.rows.size() == 12);
  CHECK(one.token(one.rows.front()).token == 17);
  CHECK(profile.plan.stages[one.piece(one.rows.front()).tag.stage].layer == 11);
  CHECK(make({"token 1", -1, true}).rows.empty());  // that token alone, and not 10 to 19
  CHECK(make({"token", -1, true}).rows.size() == 40 * stages);
  CHECK(make({"token x", -1, true}).rows.empty());
  CHECK(make({"token 99999999999", -1, true}).rows.empty());
  CHECK(make({"nothing", -1, true}).rows.empty());
  CHECK(make({"", 99, true}).rows.front().piece == 0);
}

TEST_CASE("records that overlap, of several pieces, and of no stage") {
  ProfileResult profile = tests::example_profile(1, 2);
  auto token = std::make_shared<profiler::TokenTimes>(*profile.tokens[0]);
  auto& pieces = token->stages;
  pieces[1].start_ns = pieces[0].start_ns + 100;  // begins early, and waits
  pieces[1].duration_ns = pieces[0].duration_ns;
  pieces[2].tag.stage = 1;  // a second piece of stage 1
  pieces[3].tag.stage = profiler::between_stages;
  profile.tokens[0] = token;
  const RecordRows all = make_record_rows(profile.plan, profile.tokens, {});
  CHECK(all.rows[1].adds_ns == 100);
  CHECK(all.bytes(profile.plan, all.rows[1]) == 0);
  CHECK(all.pieces_of_stage[1] == 2);
  CHECK(all.bytes(profile.plan, all.rows[3]) == 0);
  CHECK(record_name(profile.plan, all.piece(all.rows[3]).tag.stage) == "between stages");
  CHECK(make_record_rows(profile.plan, profile.tokens, {"between", -1, true}).rows.size() == 1);
  const RecordRows named = make_record_rows(profile.plan, profile.tokens, by(RecordColumn::stage, false));
  CHECK(named.piece(named.rows.back()).tag.stage == profiler::between_stages);
  // What all pieces add is what the work lasts.
  std::int64_t added = 0, end = 0;
  for (const RecordRow& row : all.rows)
    if (row.token == 0) added += row.adds_ns, end = std::max(end, all.piece(row).start_ns + all.piece(row).duration_ns);
  std::vector<std::int64_t> stages(profile.plan.stages.size());
  std::int64_t expected = profiler::added_times(*token, stages);
  for (const std::int64_t ns : stages) expected += ns;
  CHECK(added == expected);
}

TEST_CASE("a million records are arranged piece by piece: progress rises, and they can be given up") {
  const ProfileResult profile = tests::example_profile(40, 8200);
  double last = -1;
  int asked = 0;
  const RecordRows all = make_record_rows(profile.plan, profile.tokens, by(RecordColumn::time), [&](double done) {
    CHECK(done >= last);
    last = done;
    ++asked;
    return true;
  });
  CHECK(all.rows.size() >= 1'000'000);
  CHECK(asked > 100);
  CHECK(last > 0.8);
  CHECK(all.token(all.rows.front()).token == 17);
  for (const int most : {1, 50, asked - 1}) {
    int left = most;
    CHECK(make_record_rows(profile.plan, profile.tokens, by(RecordColumn::time), [&](double) {
            return left-- > 0;
          }).rows.empty());
  }
}
