#include "app/wiring/timing_store.h"

#include "app/wiring/timed_tokens.h"
#include "profiler/activity/session.h"
#include "profiler/clock/steady.h"
#include "tests/profiler/fake_cupti.h"

#include <doctest/doctest.h>

#include <atomic>
#include <thread>

using app::TimingStore;
using profiler::TimeSource;

namespace {

engine::Stage stage(int id) {
  engine::Stage out;
  out.id = id;
  return out;
}

void step(TimingStore& store, std::int64_t token, int stages, fake::Script* script = nullptr) {
  store.step_begin(token);
  for (int id = 0; id < stages; ++id) {
    store.before(stage(id));
    if (script != nullptr) {
      const auto now = static_cast<std::uint64_t>(profiler::steady_now_ns());
      script->launch(now, now + 10);
    }
    store.after(stage(id));
  }
  store.step_queued();
  store.step_end(token);
}

}  // namespace

TEST_CASE("on the CPU every stage has a clock time inside the step's wall time") {
  const auto store = TimingStore::make(3, false, 4);
  CHECK(store->newest(10).empty());
  for (std::int64_t token = 0; token < 6; ++token) step(*store, token, 5);
  const auto tokens = store->newest(10);
  REQUIRE(tokens.size() == 4);  // bounded
  CHECK(tokens.front()->token == 2);
  CHECK(tokens.back()->token == 5);
  CHECK(store->newest(2).front()->token == 4);
  for (const auto& token : tokens) {
    CHECK(token->source == TimeSource::cpu_clock);
    REQUIRE(token->stages.size() == 5);
    std::int64_t sum = 0;
    for (const auto& piece : token->stages) {
      CHECK(piece.kind == profiler::WorkKind::cpu);
      CHECK(piece.tag.source == 3);
      CHECK(piece.tag.token == token->token);
      CHECK(piece.start_ns >= token->wall_start_ns);
      CHECK(piece.start_ns + piece.duration_ns <= token->wall_start_ns + token->wall_ns);
      sum += piece.duration_ns;
    }
    CHECK(sum <= token->wall_ns);
  }
  const auto status = store->status();
  CHECK(status.source == TimeSource::cpu_clock);
  CHECK_FALSE(status.available);
  CHECK_FALSE(status.reason.empty());
  CHECK(status.clock_uncertainty_ns > 0);
  CHECK(status.records == 30);
}

TEST_CASE("a token that is stepped again is there once, with its newest times") {
  const auto store = TimingStore::make(1, false);
  for (std::int64_t token = 0; token < 3; ++token) step(*store, token, 2);
  step(*store, 1, 1);
  const auto tokens = store->newest(10);
  REQUIRE(tokens.size() == 3);
  CHECK(tokens[0]->token == 0);
  CHECK(tokens[1]->token == 2);
  CHECK(tokens[2]->token == 1);
  CHECK(tokens[2]->stages.size() == 1);
}

TEST_CASE("a GPU without CUPTI has wall times and a reason") {
  const auto store = TimingStore::make(1, nullptr, {"no library", "install it"});
  step(*store, 0, 3);
  store->flush();
  const auto tokens = store->newest(10);
  REQUIRE(tokens.size() == 1);
  CHECK(tokens[0]->source == TimeSource::none);
  CHECK(tokens[0]->stages.empty());
  CHECK(tokens[0]->wall_ns > 0);
  CHECK(store->status().reason == "no library");
  CHECK(store->status().remedy == "install it");
  CHECK(store->kernel_name(1).empty());
}

TEST_CASE("device times join their token, by stage, when they arrive") {
  fake::Script script;
  script.now_is_steady = true;
  profiler::ActivityOptions options;
  options.flush_every = options.flush_when_quiet = std::chrono::hours(1);  // only when asked
  auto session = profiler::ActivitySession::start(std::make_unique<fake::Cupti>(script), options);
  REQUIRE(session);
  const auto store = TimingStore::make(1, session->get(), {}, 8);
  const auto other = TimingStore::make(2, session->get(), {}, 8);
  step(*store, 10, 3, &script);  // the first flushes by itself
  store->flush();
  step(*store, 11, 3, &script);
  step(*other, 11, 2, &script);
  REQUIRE(store->newest(10).size() == 1);  // token 11's times are still on their way
  const auto before = store->newest(10);
  store->flush();
  const auto tokens = store->newest(10);
  REQUIRE(tokens.size() == 2);
  CHECK(before[0]->token == 10);
  for (const auto& token : tokens) {
    CHECK(token->source == TimeSource::cupti);
    REQUIRE(token->stages.size() == 3);
    for (std::size_t i = 0; i < 3; ++i) {
      CHECK(token->stages[i].tag.stage == i);
      CHECK(token->stages[i].tag.token == token->token);
      CHECK(store->kernel_name(token->stages[i].name) == "kernel");
    }
  }
  REQUIRE(other->newest(10).size() == 1);
  CHECK(other->newest(10)[0]->stages.size() == 2);
  CHECK(store->status().unattributed == 0);

  // Work in the middle of a step under no tag is counted against it; work between steps is not.
  script.stack.clear();
  store->step_begin(12);
  script.faults["push"] = profiler::CuptiFault::other;
  store->before(stage(0));
  script.stack.clear();
  const auto inside = static_cast<std::uint64_t>(profiler::steady_now_ns());
  script.launch(inside, inside + 5);
  store->after(stage(0));
  store->step_queued();
  store->step_end(12);
  script.launch(inside + 3'600'000'000'000U, inside + 3'600'000'000'005U);
  store->flush();
  CHECK(store->status().untagged == 2);
  CHECK(store->status().unattributed == 1);
}

namespace {

void step_graph(TimingStore& store, std::int64_t token, std::span<const engine::GraphNode> nodes,
                std::uint64_t recording, fake::Script& script, const std::vector<std::uint64_t>& ids) {
  store.step_begin(token);
  store.recorded(nodes, recording);
  fake::launch_graph(script, ids, static_cast<std::uint64_t>(profiler::steady_now_ns()));
  store.step_queued();
  store.step_end(token);
}

}  // namespace

TEST_CASE("a step that is one graph has its stages by node, also after it was recorded anew") {
  fake::Script script;
  script.now_is_steady = true;
  auto session = profiler::ActivitySession::start(std::make_unique<fake::Cupti>(script));
  REQUIRE(session);
  const auto store = TimingStore::make(1, session->get(), {}, 8);
  const std::uint64_t handles[] = {10, 11, 12, 13};
  const std::vector<engine::GraphNode> nodes = {{0, &handles[0]}, {1, &handles[1]}, {1, &handles[2]}, {2, &handles[3]}};
  REQUIRE(script.clones != nullptr);
  for (const std::uint64_t id : handles) script.clones->cloned(id, id + 100);
  for (std::int64_t token = 0; token < 3; ++token) step_graph(*store, token, nodes, 1, script, {110, 111, 112, 113});
  store->flush();
  CHECK(script.count("graph_node_id") == 4);  // asked once a recording
  auto tokens = store->newest(10);
  REQUIRE(tokens.size() == 3);
  for (const auto& token : tokens) {
    REQUIRE(token->stages.size() == 4);
    const std::uint16_t stages[] = {0, 1, 1, 2};
    for (std::size_t i = 0; i < 4; ++i) CHECK(token->stages[i].tag.stage == stages[i]);
  }
  CHECK(store->status().unattributed == 0);

  const std::uint64_t anew[] = {20, 21, 22, 23};
  const std::vector<engine::GraphNode> other = {{0, &anew[0]}, {1, &anew[1]}, {1, &anew[2]}, {2, &anew[3]}};
  for (const std::uint64_t id : anew) script.clones->cloned(id, id + 100);
  step_graph(*store, 3, other, 2, script, {120, 121, 122, 123, 999});  // one node that nobody told of
  store->flush();
  tokens = store->newest(1);
  REQUIRE(tokens.size() == 1);
  CHECK(tokens[0]->token == 3);
  REQUIRE(tokens[0]->stages.size() == 5);
  CHECK(tokens[0]->stages[3].tag.stage == 2);
  CHECK(tokens[0]->stages[4].tag.stage == profiler::unknown_stage);
  CHECK(store->status().unattributed == 1);
}

TEST_CASE("a step that begins before the one before it ends: each has its work, and wall times do not overlap") {
  fake::Script script;
  script.now_is_steady = true;
  auto session = profiler::ActivitySession::start(std::make_unique<fake::Cupti>(script));
  REQUIRE(session);
  const auto store = TimingStore::make(1, session->get(), {}, 8);
  const auto queue = [&](std::int64_t token) {
    store->step_begin(token);
    store->before(stage(0));
    const auto now = static_cast<std::uint64_t>(profiler::steady_now_ns());
    script.launch(now, now + 10);
    store->after(stage(0));
    store->step_queued();
  };
  queue(0);
  for (std::int64_t token = 1; token < 4; ++token) {
    queue(token);
    store->step_end(token - 1);
  }
  store->step_end(3);
  store->flush();
  const auto tokens = store->newest(10);
  REQUIRE(tokens.size() == 4);
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    CHECK(tokens[i]->token == i);
    REQUIRE(tokens[i]->stages.size() == 1);
    CHECK(tokens[i]->stages[0].tag.stage == 0);
    if (i > 0) CHECK(tokens[i]->wall_start_ns == tokens[i - 1]->wall_start_ns + tokens[i - 1]->wall_ns);
  }
  CHECK(store->status().unattributed == 0);
}

TEST_CASE("a library that cannot tell nodes apart: the graph's work is shown without stages, and why") {
  for (const char* call : {"watch_graphs", "graph_node_id"}) {
    CAPTURE(call);
    fake::Script script;
    script.now_is_steady = true;
    script.faults[call] = profiler::CuptiFault::missing_symbol;
    auto session = profiler::ActivitySession::start(std::make_unique<fake::Cupti>(script));
    REQUIRE(session);
    const auto store = TimingStore::make(1, session->get(), {}, 8);
    const std::uint64_t handle = 10;
    const std::vector<engine::GraphNode> nodes = {{0, &handle}};
    step_graph(*store, 0, nodes, 1, script, {110});
    store->flush();
    REQUIRE(store->newest(1).size() == 1);
    CHECK(store->newest(1)[0]->stages[0].tag.stage == profiler::unknown_stage);
    CHECK(store->status().unattributed == 1);
    CHECK(store->status().reason.find("nodes of a CUDA graph") != std::string::npos);
    CHECK_FALSE(store->status().remedy.empty());
  }
}

TEST_CASE("a reader on another thread sees whole tokens only") {
  fake::Script script;
  script.now_is_steady = true;
  profiler::ActivityOptions options;
  options.flush_every = std::chrono::milliseconds(1);
  auto session = profiler::ActivitySession::start(std::make_unique<fake::Cupti>(script), options);
  REQUIRE(session);
  const auto device = TimingStore::make(1, session->get(), {}, 16);
  const auto host = TimingStore::make(2, false, 16);
  std::atomic<bool> done{false};
  std::atomic<int> torn{0};
  std::thread reader([&] {
    while (!done) {
      for (TimingStore* store : {device.get(), host.get()}) {
        for (const auto& token : store->newest(16)) {
          for (const auto& piece : token->stages) torn += piece.tag.token == token->token ? 0 : 1;
          torn += token->wall_ns >= 0 ? 0 : 1;
        }
        store->status();
      }
    }
  });
  for (std::int64_t token = 0; token < 300; ++token) {
    step(*device, token, 4, &script);
    step(*host, token, 4);
  }
  device->flush();
  done = true;
  reader.join();
  CHECK(torn == 0);
  CHECK(device->newest(16).size() == 16);
  CHECK(device->newest(1)[0]->stages.size() == 4);
  CHECK(device->newest(1)[0]->token == 299);
}
