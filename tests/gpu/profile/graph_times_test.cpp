// The times of a step that is one CUDA graph: every piece of work has its stage, and the pieces and the gaps between them
// are the time that the device itself takes the graph to last.
#include "engine/backend/cuda_backend.h"
#include "engine/model/random_weights.h"
#include "profiler/activity/process.h"
#include "profiler/report/span.h"
#include "tests/gpu/device.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <vector>

namespace {

constexpr std::uint16_t source = 9;

struct Listener : profiler::TimesListener {
  std::mutex mutex;
  std::map<std::uint32_t, profiler::TokenTimes> tokens;
  void tagged(std::span<const profiler::StageTime> times) override {
    const std::lock_guard lock(mutex);
    for (const profiler::StageTime& time : times) tokens[time.tag.token].stages.push_back(time);
  }
  void untagged(std::span<const profiler::StageTime>) override {}
};

engine::Weights weights_of(int layers, int width, int rank) {
  engine::ModelConfig config;
  config.d_model = width;
  config.d_intermediate = 2 * width;
  config.n_layer = layers;
  config.vocab_size = 4000;
  config.is_mimo = rank > 1;
  config.mimo_rank = rank > 1 ? rank : 4;
  auto weights = engine::plan_random_weights(config, kernels::DType::bf16, 3);
  REQUIRE(weights.has_value());
  return std::move(*weights);
}

struct Timed {
  std::vector<double> milliseconds;  // of each graph, from the event before it to the one after it
  std::vector<profiler::TokenTimes> graphs;
};

// Launches the recorded step so often, queued one behind the other with an event between two, and takes what was measured
// apart again: each node of each graph leaves one piece, and a graph begins when the one before it has ended.
Timed time_graphs(engine::Backend& backend, std::size_t count, std::uint32_t token) {
  profiler::ActivitySession& session = *profiler::start_process_activity().session;
  Listener listener;
  const std::vector<std::int32_t> ids(static_cast<std::size_t>(backend.plan().batch), 17);
  REQUIRE(backend.step(ids, nullptr).has_value());
  std::vector<profiler::NodeStage> nodes;
  for (const engine::GraphNode& node : backend.graph_nodes()) {
    nodes.push_back({node.node, static_cast<std::uint16_t>(node.stage)});
  }
  REQUIRE(session.know_graph(nodes));
  session.flush();
  session.listen(source, &listener);
  Timed out;
  out.milliseconds.resize(count);
  session.begin_work({source, token, profiler::between_stages});
  const auto timed = backend.time_steps(ids, out.milliseconds, engine::CacheState::warm);
  session.end_work();
  REQUIRE(timed.has_value());
  session.flush();
  session.forget(source);
  std::vector<profiler::StageTime> pieces = listener.tokens[token].stages;
  std::sort(pieces.begin(), pieces.end(), [](const auto& a, const auto& b) { return a.start_ns < b.start_ns; });
  REQUIRE(pieces.size() == count * nodes.size());
  for (std::size_t i = 0; i < count; ++i) {
    const auto first = pieces.begin() + static_cast<std::ptrdiff_t>(i * nodes.size());
    out.graphs.emplace_back();
    out.graphs.back().stages.assign(first, first + static_cast<std::ptrdiff_t>(nodes.size()));
  }
  return out;
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

}  // namespace

TEST_CASE("gpu profile: every node of a captured step has a stage, and every piece of work its node's") {
  struct Case {
    engine::Variant variant;
    engine::Products products;
    int rank, batch;
  };
  using engine::Products;
  using engine::Variant;
  const Case cases[] = {{Variant::staged, Products::automatic, 1, 1},
                        {Variant::staged, Products::automatic, 4, 3},
                        {Variant::fused, Products::own, 1, 1},
                        {Variant::fused, Products::own, 4, 12},
                        {Variant::fused, Products::library, 1, 16}};
  std::uint32_t token = 0;
  for (const Case& c : cases) {
    CAPTURE(static_cast<int>(c.variant));
    CAPTURE(static_cast<int>(c.products));
    CAPTURE(c.rank);
    CAPTURE(c.batch);
    const engine::Weights weights = weights_of(2, 128, c.rank);
    engine::BackendOptions options;
    options.variant = c.variant;
    options.products = c.products;
    options.batch = c.batch;
    options.graph = true;
    const auto backend = engine::make_cuda_backend(weights, options);
    REQUIRE(backend.has_value());
    CHECK((*backend)->graph_nodes().empty());
    const Timed timed = time_graphs(**backend, 3, ++token);
    const auto nodes = (*backend)->graph_nodes();
    const auto& stages = (*backend)->plan().stages;
    std::vector<int> nodes_of(stages.size(), 0);
    int last = 0;
    for (const engine::GraphNode& node : nodes) {
      CHECK(node.stage >= last);
      last = node.stage;
      ++nodes_of[static_cast<std::size_t>(node.stage)];
    }
    for (const int count : nodes_of) CHECK(count >= 1);
    for (const profiler::TokenTimes& one : timed.graphs) {
      std::vector<int> pieces_of(stages.size(), 0);
      for (const profiler::StageTime& piece : one.stages) {
        REQUIRE(piece.tag.stage < stages.size());
        ++pieces_of[piece.tag.stage];
      }
      CHECK(pieces_of == nodes_of);
    }
  }
  CHECK(profiler::start_process_activity().session->status().dropped == 0);
}

TEST_CASE("gpu profile: work and gaps are the time between events around the graph") {
  for (const engine::Variant variant : {engine::Variant::staged, engine::Variant::fused}) {
    CAPTURE(static_cast<int>(variant));
    const engine::Weights weights = weights_of(12, 1536, 1);
    engine::BackendOptions options;
    options.variant = variant;
    options.graph = true;
    const auto backend = engine::make_cuda_backend(weights, options);
    REQUIRE(backend.has_value());
    const Timed timed = time_graphs(**backend, 41, variant == engine::Variant::staged ? 100 : 101);
    std::vector<double> differences, spans, events;
    // The first graphs are launched faster than they run: from then on the device never waits for the host.
    for (std::size_t i = 8; i < timed.graphs.size(); ++i) {
      const profiler::TokenSpan span = profiler::span_of(timed.graphs[i]);
      CHECK(span.busy_ns > 0);
      CHECK(span.gaps_ns >= 0);
      if (variant == engine::Variant::staged) CHECK(span.overlap_ns * 100 < span.busy_ns);
      spans.push_back(static_cast<double>(span.busy_ns + span.gaps_ns) / 1e3);
      events.push_back(1e3 * timed.milliseconds[i]);
      differences.push_back(events.back() - spans.back());
    }
    const double difference = median(differences);
    MESSAGE("work and gaps " << median(spans) << " us, by events " << median(events) << " us, difference " << difference
                             << " us");
    // Between two events lie also the way from the event to the first kernel and from the last one's end to the event.
    CHECK(difference > -1.0);
    CHECK(difference < 10.0);
  }
}
