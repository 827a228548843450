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
  std::vector<double> milliseconds;  // by events around each graph
  std::vector<profiler::TokenTimes> tokens;
};

// Launches the recorded step one by one, each between two events and under a tag of its own.
Timed time_graph(engine::Backend& backend, int steps, std::uint32_t first_token) {
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
  for (int i = 0; i < steps; ++i) {
    double milliseconds = 0;
    session.begin_work({source, first_token + static_cast<std::uint32_t>(i), profiler::between_stages});
    const auto timed = backend.time_steps(ids, {&milliseconds, 1}, engine::CacheState::warm);
    session.end_work();
    REQUIRE(timed.has_value());
    out.milliseconds.push_back(milliseconds);
  }
  session.flush();
  session.forget(source);
  for (auto& [token, times] : listener.tokens) out.tokens.push_back(std::move(times));
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
    const Timed timed = time_graph(**backend, 3, token += 100);
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
    REQUIRE(timed.tokens.size() == 3);
    for (const profiler::TokenTimes& one : timed.tokens) {
      CHECK(one.stages.size() == nodes.size());
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
    const engine::Weights weights = weights_of(8, 1024, 1);
    engine::BackendOptions options;
    options.variant = variant;
    options.graph = true;
    const auto backend = engine::make_cuda_backend(weights, options);
    REQUIRE(backend.has_value());
    const Timed timed = time_graph(**backend, 41, variant == engine::Variant::staged ? 10000 : 20000);
    REQUIRE(timed.tokens.size() == timed.milliseconds.size());
    std::vector<double> differences, spans;
    for (std::size_t i = 0; i < timed.tokens.size(); ++i) {
      const profiler::TokenSpan span = profiler::span_of(timed.tokens[i]);
      CHECK(span.busy_ns > 0);
      CHECK(span.gaps_ns >= 0);
      if (variant == engine::Variant::staged) CHECK(span.overlap_ns == 0);
      const auto device_us = static_cast<double>(span.busy_ns + span.gaps_ns) / 1e3;
      spans.push_back(device_us);
      differences.push_back(1e3 * timed.milliseconds[i] - device_us);
    }
    const double difference = median(differences), span = median(spans);
    MESSAGE("work and gaps " << span << " us; events around them " << difference << " us more");
    // The events also span the launch of the graph's first kernel and the end of its last.
    CHECK(difference > -1.0);
    CHECK(difference < 15.0);
  }
}
