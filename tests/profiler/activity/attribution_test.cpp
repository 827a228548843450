#include "profiler/activity/attribution.h"

#include <doctest/doctest.h>

#include <string>

using profiler::ActivityRecord;
using profiler::Attribution;
using profiler::Tag;
using Type = profiler::ActivityRecord::Type;

namespace {

ActivityRecord work(std::uint32_t correlation, std::uint64_t start, std::uint64_t end, Type type = Type::kernel) {
  ActivityRecord record;
  record.type = type;
  record.correlation = correlation;
  record.start = start;
  record.end = end;
  record.name = type == Type::kernel ? "_ZN7kernels6rotateEi" : nullptr;
  return record;
}

ActivityRecord link(std::uint32_t correlation, const Tag& tag) {
  ActivityRecord record;
  record.type = Type::correlation;
  record.correlation = correlation;
  record.external = tag.pack();
  return record;
}

struct Bench {
  profiler::Names names;
  profiler::ClockMap clock;
  profiler::GraphStages graphs{8};
  Attribution attribution{names, clock, graphs, 8};
};

}  // namespace

TEST_CASE("a tag survives packing") {
  const Tag tag{65535, 4000000000U, 65534};
  const Tag back = Tag::unpack(tag.pack());
  CHECK(back.source == tag.source);
  CHECK(back.token == tag.token);
  CHECK(back.stage == tag.stage);
}

TEST_CASE("work finds its tag whichever record comes first") {
  Bench b;
  b.attribution.add(link(1, {2, 30, 4}));
  b.attribution.add(work(1, 100, 150));
  b.attribution.add(work(2, 160, 170, Type::memcpy));
  b.attribution.add(work(2, 170, 175, Type::memset));
  CHECK(b.attribution.waiting() == 2);
  b.attribution.add(link(2, {2, 30, 5}));
  CHECK(b.attribution.waiting() == 0);
  b.attribution.add(work(1, 200, 260));  // a graph launch: more work under the same correlation

  const auto tagged = b.attribution.take_tagged();
  REQUIRE(tagged.size() == 4);
  CHECK(tagged[0].tag.stage == 4);
  CHECK(tagged[0].tag.token == 30);
  CHECK(tagged[0].start_ns == 100);
  CHECK(tagged[0].duration_ns == 50);
  CHECK(b.names.text(tagged[0].name) == "kernels::rotate(int)");
  int copies = 0, sets = 0;
  for (const auto& piece : tagged) {
    copies += piece.kind == profiler::WorkKind::memcpy ? 1 : 0;
    sets += piece.kind == profiler::WorkKind::memset ? 1 : 0;
    if (piece.kind != profiler::WorkKind::kernel) CHECK(piece.tag.stage == 5);
  }
  CHECK(copies == 1);
  CHECK(sets == 1);
  CHECK(tagged[3].duration_ns == 60);
  CHECK(b.attribution.take_tagged().empty());
  CHECK(b.attribution.counts().records == 4);
}

TEST_CASE("work of a graph has the tag of its launch and the stage of its node") {
  Bench b;
  b.graphs.know(100, 3);
  b.graphs.know(101, 4);
  b.graphs.cloned(100, 200);
  b.graphs.cloned(101, 201);
  b.graphs.cloned(201, 301);  // a copy of the copy
  b.graphs.cloned(99, 299);   // of a node that nobody told of
  const auto node = [](std::uint64_t id, std::uint64_t start) {
    ActivityRecord record = work(7, start, start + 10);
    record.graph_node = id;
    return record;
  };
  b.attribution.add(node(200, 10));
  b.attribution.add(node(301, 20));
  b.attribution.add(link(7, {1, 50, profiler::between_stages}));
  b.attribution.add(node(201, 30));
  b.attribution.add(node(299, 40));
  b.attribution.add(node(100, 50));    // a driver that gives the recorded node's own id
  b.attribution.add(work(7, 60, 61));  // beside the graph
  const auto tagged = b.attribution.take_tagged();
  REQUIRE(tagged.size() == 6);
  for (const auto& piece : tagged) {
    CHECK(piece.tag.source == 1);
    CHECK(piece.tag.token == 50);
    const std::uint16_t stages[] = {3, 4, 4, profiler::unknown_stage, 3, profiler::between_stages};
    CHECK(piece.tag.stage == stages[piece.start_ns / 10 - 1]);
  }
}

TEST_CASE("nodes of graphs are bounded, and the oldest give way") {
  profiler::GraphStages graphs(4);
  for (std::uint64_t id = 1; id <= 6; ++id) graphs.know(id, static_cast<std::uint16_t>(id));
  CHECK_FALSE(graphs.stage_of(2));
  CHECK(graphs.stage_of(3) == 3);
  for (std::uint64_t id = 1; id <= 9; ++id) graphs.cloned(6, 100 + id);
  CHECK(graphs.stage_of(109) == 6);  // the newest four copies; they take the place of the four nodes
  CHECK(graphs.stage_of(106) == 6);
  CHECK_FALSE(graphs.stage_of(105));
  CHECK_FALSE(graphs.stage_of(3));
}

TEST_CASE("zero and reversed times are skipped and counted; other kinds do no harm") {
  Bench b;
  b.attribution.add(link(1, {1, 1, 1}));
  b.attribution.add(work(1, 0, 0));
  b.attribution.add(work(1, 50, 40));
  b.attribution.add(work(1, 50, 50));  // short, not wrong
  b.attribution.add(ActivityRecord{});
  ActivityRecord overhead;
  overhead.type = Type::overhead;
  overhead.start = 10;
  overhead.end = 35;
  b.attribution.add(overhead);
  CHECK(b.attribution.take_tagged().size() == 1);
  CHECK(b.attribution.counts().records == 3);
  CHECK(b.attribution.counts().invalid == 2);
  CHECK(b.attribution.counts().unknown == 1);
  CHECK(b.attribution.counts().overhead_ns == 25);
}

TEST_CASE("work is called untagged only after it waited across a whole flush") {
  Bench b;
  b.attribution.add(work(1, 10, 20));
  b.attribution.settle(false);
  CHECK(b.attribution.take_untagged().empty());
  b.attribution.add(work(2, 30, 40));
  b.attribution.settle(false);
  CHECK(b.attribution.take_untagged().size() == 1);
  b.attribution.add(link(2, {1, 1, 1}));
  CHECK(b.attribution.take_tagged().size() == 1);
  b.attribution.add(work(3, 50, 60));
  b.attribution.settle(true);
  CHECK(b.attribution.take_untagged().size() == 1);
  CHECK(b.attribution.waiting() == 0);
}

TEST_CASE("what waits is bounded, and the oldest gives way") {
  Bench b;
  for (std::uint32_t i = 1; i <= 20; ++i) b.attribution.add(work(i, std::uint64_t{i} * 10, std::uint64_t{i} * 10 + 5));
  CHECK(b.attribution.waiting() == 8);
  const auto untagged = b.attribution.take_untagged();
  REQUIRE(untagged.size() == 12);
  CHECK(untagged.front().start_ns == 10);
  for (std::uint32_t i = 1; i <= 20; ++i) b.attribution.add(link(i, {1, i, 0}));
  CHECK(b.attribution.take_tagged().size() == 8);
  // Of the tags, too, only the newest eight are known.
  b.attribution.add(work(12, 1000, 1001));
  b.attribution.add(work(13, 1000, 1001));
  CHECK(b.attribution.take_tagged().size() == 1);
}

TEST_CASE("names are kept once") {
  profiler::Names names;
  CHECK(names.intern(nullptr) == 0);
  CHECK(names.intern("") == 0);
  std::string text = "plain_c_name";
  const std::uint32_t first = names.intern(text.c_str());
  text = "other";
  CHECK(names.intern("plain_c_name") == first);
  CHECK(names.intern(text.c_str()) != first);
  CHECK(names.text(first) == "plain_c_name");
  CHECK(names.text(0).empty());
  CHECK(names.text(99).empty());
}
