#include "engine/backend/cuda_backend.h"

#include "engine/backend/cuda_changes.h"
#include "engine/backend/cuda_draws.h"
#include "engine/backend/cuda_parts.h"
#include "engine/backend/cuda_prefill.h"
#include "engine/backend/cuda_publisher.h"
#include "engine/backend/cuda_tiles.h"
#include "engine/backend/fused_arguments.h"
#include "engine/backend/residual_access.h"
#include "engine/backend/stage_failures.h"
#include "engine/backend/staged_launch.h"
#include "engine/sampling/sampler.h"
#include "kernels/device/graph.h"
#include "kernels/device/l2_flush.h"
#include "kernels/device/launch.h"
#include "kernels/fused/fused.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <utility>
#include <vector>

namespace engine {

namespace {

// Up to so many ids a kernel reads them from the host sooner than a copy brings them, and a stream writes them one by one.
constexpr int few_ids = 8;
constexpr std::size_t few_tokens = 2;                                 // of a text, which are stepped
constexpr std::uint64_t least_head_beside = std::uint64_t{16} << 20;  // bytes: a shorter head ends before the errors do

class CudaBackend final : public Backend, public ResidualAccess {
 public:
  explicit CudaBackend(CudaParts parts)
      : info_(std::move(parts.info)),
        plan_(std::move(parts.plan)),
        stream_(std::move(parts.stream)),
        pinned_ids_(std::move(parts.ids)),
        weights_(std::move(parts.weights)),
        buffers_(std::move(parts.buffers)),
        arguments_(weights_, buffers_, plan_.batch),
        fused_arguments_(weights_, buffers_, plan_.batch),
        changes_(weights_.config, plan_.batch),
        products_(std::move(parts.products)),
        errors_(std::move(parts.errors)),
        errors_beside_(errors_ && plan_.stages.back().cost.bytes() >= least_head_beside),
        fused_(plan_.variant == "fused"),
        can_overlap_(parts.device.major >= 9 && parts.device.code_architecture >= 90),
        multiprocessors_(parts.device.multiprocessors),
        sync_stages_(sync_stages()) {
    info_.graph = info_.graph && !sync_stages_;
    info_.ahead = plan_.batch <= few_ids && !sync_stages_;
  }

  const BackendInfo& info() const override { return info_; }
  const StepPlan& plan() const override { return plan_; }
  std::int64_t position() const override { return position_; }
  std::span<const GraphNode> graph_nodes() const override { return graph_nodes_; }

  Result<void> reset() override {
    if (failed_) return tl::unexpected(*failed_);
    position_ = 0;
    return checked(settle_keys(true)
                       .and_then([&] { return buffers_.clear(stream_); })
                       .and_then([&] { return errors_ ? errors_->clear(stream_) : kernels::DeviceResult<void>(); })
                       .and_then([&] { return stream_.synchronize(); }),
                   "Resetting the state");
  }

  Result<void> step(std::span<const std::int32_t> ids, Observer* observer) override {
    if (failed_) return tl::unexpected(*failed_);
    if (auto ok = check_ids(ids); !ok) return ok;
    std::copy(ids.begin(), ids.end(), pinned_ids_.as<std::int32_t>());
    if (observer != nullptr) observer->step_begin(position_);
    if (auto queued = queue_step(observer); !queued) return queued;
    if (auto published = publish_step(); !published) return published;
    if (observer != nullptr) observer->step_queued();
    if (auto done = stream_.synchronize(); !done) return fail_in_step(done.error());
    if (observer != nullptr) observer->step_end(position_);
    ++position_;
    return {};
  }

  Result<void> step_all(std::span<const std::int32_t> ids, Observer* observer) override {
    if (!info_.ahead) return Backend::step_all(ids, observer);
    if (failed_) return tl::unexpected(*failed_);
    if (auto ok = check_generated(ids.size()); !ok) return ok;
    if (auto ok = check_vocabulary(ids); !ok) return ok;
    std::array<kernels::Event, 2> ends;
    for (kernels::Event& end : ends) {
      auto event = kernels::Event::create_without_time();
      if (!event) return checked(tl::unexpected(event.error()), "Stepping ahead");
      end = std::move(*event);
    }
    // position_ is that of the step which is waited for next.
    const auto wait_for_step = [&](std::size_t step) -> Result<void> {
      if (auto done = ends[step % ends.size()].wait(); !done) return fail_in_step(done.error());
      if (observer != nullptr) observer->step_end(position_);
      ++position_;
      return {};
    };
    const std::size_t batch = buffers_.ids.size();
    const std::size_t steps = ids.size() / batch;
    for (std::size_t i = 0; i < steps; ++i) {
      if (observer != nullptr) observer->step_begin(position_ + (i > 0 ? 1 : 0));
      auto queued = queue_ids(ids.subspan(i * batch, batch));
      if (queued) queued = queue_step(observer);
      if (queued) queued = publish_step(i > 0 ? 2 : 1);
      if (!queued) return queued;
      if (auto marked = ends[i % ends.size()].record(stream_); !marked) return fail(marked.error(), "Stepping ahead");
      if (observer != nullptr) observer->step_queued();
      if (i == 0) continue;
      if (auto waited = wait_for_step(i - 1); !waited) return waited;
    }
    return steps > 0 ? wait_for_step(steps - 1) : Result<void>();
  }

  Result<void> time_steps(std::span<const std::int32_t> ids, std::span<double> milliseconds,
                          CacheState cache) override {
    if (failed_) return tl::unexpected(*failed_);
    if (auto ok = check_ids(ids); !ok) return ok;
    std::copy(ids.begin(), ids.end(), pinned_ids_.as<std::int32_t>());
    const bool cold = cache == CacheState::cold;
    if (cold && !flush_) {
      auto made = kernels::L2Flush::create(info_.l2_bytes, stream_);
      if (!made) return checked(tl::unexpected(made.error()), "Timing steps with a cold L2");
      flush_ = std::move(*made);
    }
    return time_runs(milliseconds, cold,
                     [this]() -> Result<void> {
                       auto queued = queue_step(nullptr);
                       if (queued) queued = publish_step();
                       if (queued) ++position_;
                       return queued;
                     })
        .and_then([this] { return finish_publishing(); });
  }

  Result<void> time_stages(std::span<const StageKind> kinds, int rounds, std::span<double> milliseconds) override {
    if (failed_) return tl::unexpected(*failed_);
    const auto recorded = kernels::Graph::record(stream_, [&] {
      kernels::DeviceResult<void> done;
      for (int round = 0; round < rounds; ++round) {
        bool overlap = false;  // the first of a round waits for the round before, which worked on the same states
        for (const Stage& stage : plan_.stages) {
          if (!done || std::find(kinds.begin(), kinds.end(), stage.kind) == kinds.end()) continue;
          done = launch(stage, overlap);
          overlap = can_overlap_;
        }
      }
      return done;
    });
    if (!recorded) return fail(recorded.error(), "Recording stages as a CUDA graph");
    return time_runs(milliseconds, false,
                     [&] { return checked(recorded->launch(stream_), "Launching recorded stages"); });
  }

  Result<void> generate(const Sampler& sampler, std::span<std::int32_t> ids) override {
    if (failed_) return tl::unexpected(*failed_);
    if (auto ok = check_generated(ids.size()); !ok) return ok;
    if (draws_.capacity() == 0) {
      auto made = CudaDraws::create(plan_.batch);
      if (!made) return checked(tl::unexpected(made.error()), "Drawing ids");
      draws_ = std::move(*made);
    }
    const kernels::DrawRule rule = draw_rule(sampler);
    if (rule != draw_.rule) drawing_graph_ = kernels::Graph();  // was recorded with another
    draw_ = draws_.arguments(buffers_, weights_.config.vocab_size, rule);
    draws_ids_ = true;
    Result<void> done;
    if (info_.graph && !drawing_graph_) done = record_drawing_step();
    if (done) done = generate_pieces(ids, static_cast<std::size_t>(plan_.batch));
    draws_ids_ = false;
    if (done) done = finish_publishing();
    return done;
  }

  Result<void> prefill(std::span<const std::int32_t> ids, PrefillProgress* progress) override {
    if (failed_) return tl::unexpected(*failed_);
    const auto batch = static_cast<std::size_t>(plan_.batch);
    if (auto ok = check_generated(ids.size()); !ok) return ok;
    if (auto ok = check_vocabulary(ids); !ok) return ok;
    if (!info_.chunked_prefill || changes_.any() || ids.size() <= few_tokens * batch)
      return Backend::prefill(ids, progress);
    if (auto settled = settle_keys(true); !settled) return fail(settled.error(), "Prefilling");
    if (!prefill_) {
      auto made = CudaPrefill::create(weights_, stream_);
      if (!made) return checked(tl::unexpected(made.error()), "Prefilling");
      prefill_ = std::move(*made);
    }
    auto done = prefill_pieces(ids, PrefillArrays::most_tokens, progress, position_,
                               [&](int sequence, std::span<const std::int32_t> own) -> Result<void> {
                                 auto ran = prefill_->run(own, sequence, weights_, buffers_, stream_);
                                 return ran ? Result<void>()
                                            : fail(ran.error(), fmt::format("Prefilling from token {}", position_));
                               });
    if (done && errors_) done = checked(errors_->take_last(buffers_, stream_), "Prefilling");
    if (done) done = step(ids.last(batch), nullptr);
    if (done && progress != nullptr) ++progress->tokens;
    return done;
  }

  Result<void> publish(PublishRequest request) override {
    if (failed_) return tl::unexpected(*failed_);
    if (request.receive) {
      if (auto ok = check_sequence(request.sequence); !ok) return ok;
      if (auto ok = check_layer(request.layer); !ok) return ok;
    }
    if (auto done = finish_publishing(); !done) return done;
    publisher_.reset();
    if (request.receive) {
      auto made = CudaPublisher::create(buffers_, std::move(request), multiprocessors_);
      if (!made) return checked(tl::unexpected(made.error()), "Publishing");
      publisher_ = std::move(*made);
    }
    return choose_keys();
  }

  Result<void> read_logits(int sequence, std::span<float> logits) override {
    if (auto ok = check_sequence(sequence); !ok) return ok;
    const std::size_t width = buffers_.logits.size() / static_cast<std::size_t>(plan_.batch);
    if (logits.size() != width) {
      return input_error(fmt::format("Logits need room for {} values, and have {}.", width, logits.size()));
    }
    return checked(buffers_.read_logits(stream_, sequence, logits), "Reading the logits");
  }

  Result<void> read_coefficients(int sequence, StepCoefficients& out) override {
    if (auto ok = check_sequence(sequence); !ok) return ok;
    return checked(buffers_.read_coefficients(stream_, sequence, out), "Reading the coefficients");
  }

  Result<void> read_state(int sequence, std::span<const int> layers, bool with_ssm, SequenceState& out) override {
    if (auto ok = check_sequence(sequence); !ok) return ok;
    for (const int l : layers) {
      if (auto ok = check_layer(l); !ok) return ok;
    }
    out.position = position_;
    out.layers.resize(buffers_.layers.size());
    return checked(settle_keys(false).and_then(
                       [&] { return buffers_.read_state(stream_, sequence, layers, with_ssm, out.layers); }),
                   "Reading the state");
  }

  Result<void> read_state_tiles(int sequence, StateTiles& out) override {
    return wait_for_tiles(queue_state_tiles(sequence, {out.rows, out.columns}), out);
  }

  Result<std::unique_ptr<ComingTiles>> queue_state_tiles(int sequence, const TilesRequest& request) override {
    if (auto ok = check_sequence(sequence); !ok) return tl::unexpected(ok.error());
    if (auto ok = check_tiles(request.rows, request.columns, weights_.config); !ok) return tl::unexpected(ok.error());
    auto queued = tiles_.queue(buffers_, weights_.config, stream_, {sequence, position_, request});
    if (queued) return std::move(*queued);
    auto failed = checked(tl::unexpected(queued.error()), "Reading the whole state");
    return tl::unexpected(failed.error());
  }

  Result<void> read_errors(int sequence, StepErrors& out) override {
    if (!errors_) return Backend::read_errors(sequence, out);
    if (auto ok = check_sequence(sequence); !ok) return ok;
    return checked(errors_->read(stream_, sequence, out), "Reading the errors");
  }

  Result<void> read_residual(int sequence, std::span<float> residual) override {
    if (auto ok = check_residual(sequence, residual.size()); !ok) return ok;
    return checked(buffers_.read_residual(stream_, sequence, residual), "Reading the residual");
  }

  Result<void> write_residual(int sequence, std::span<const float> residual) override {
    if (auto ok = check_residual(sequence, residual.size()); !ok) return ok;
    return checked(buffers_.write_residual(stream_, sequence, residual), "Writing the residual");
  }

  Result<void> restore(int sequence, const SequenceState& state) override {
    if (auto ok = check_sequence(sequence); !ok) return ok;
    if (state.layers.size() != buffers_.layers.size()) {
      return input_error("The saved state does not fit this model: its number of layers differs.");
    }
    for (const LayerState& layer : state.layers) {
      if (!buffers_.holds(layer)) {
        return input_error(
            "The saved state does not fit this model: a cache of a layer is missing or has another size.");
      }
    }
    auto done = checked(
        settle_keys(true).and_then([&] { return buffers_.write_state(stream_, sequence, state.layers); }).and_then([&] {
          return errors_ ? errors_->restore(stream_, sequence, state.layers) : kernels::DeviceResult<void>();
        }),
        "Restoring the state");
    if (done) position_ = state.position;
    return done;
  }

  Result<void> intervene(int sequence, const SequenceChanges& changes) override {
    if (auto ok = check_sequence(sequence); !ok) return ok;
    if (auto ok = check_sizes(changes, weights_.config); !ok) return ok;
    const auto renewed = changes_.set(stream_, sequence, changes, buffers_);
    if (!renewed) return checked(tl::unexpected(renewed.error()), "Changing the step");
    if (*renewed) forget_recordings();  // they read other tables
    return choose_keys();
  }

 private:
  void forget_recordings() {
    graph_ = kernels::Graph();
    drawing_graph_ = kernels::Graph();
    graph_nodes_.clear();
  }

  // The last keys are made again in each step, not kept, unless a step hands them over or they may be changed.
  Result<void> choose_keys() {
    if (!products_) return {};
    const auto other = products_->make_keys(!publisher_ && !changes_.any(), weights_, buffers_, stream_);
    if (!other) return checked(tl::unexpected(other.error()), "Settling the keys");
    if (*other) forget_recordings();
    return {};
  }
  // Before the state is read; `changing`: before it is written.
  kernels::DeviceResult<void> settle_keys(bool changing) const {
    return products_ ? products_->settle_keys(changing, weights_, buffers_, stream_) : kernels::DeviceResult<void>();
  }

  // How long each run of what `queue` queues takes on the device. A run starts where the one before it ended, or, cold,
  // after the L2 was emptied.
  template <class Queue>
  Result<void> time_runs(std::span<double> milliseconds, bool cold, const Queue& queue) {
    std::vector<kernels::Event> starts, ends;
    const auto mark = [&](std::vector<kernels::Event>& events) -> kernels::DeviceResult<void> {
      auto event = kernels::Event::create();
      if (!event) return tl::unexpected(event.error());
      events.push_back(std::move(*event));
      return events.back().record(stream_);
    };
    for (std::size_t i = 0; i < milliseconds.size(); ++i) {
      kernels::DeviceResult<void> marked;
      if (cold) marked = flush_.queue(stream_);
      if (marked && (cold || i == 0)) marked = mark(starts);
      if (!marked) return fail(marked.error(), "Timing");
      if (auto queued = queue(); !queued) return queued;
      if (marked = mark(ends); !marked) return fail(marked.error(), "Timing");
    }
    if (auto done = stream_.synchronize(); !done) return fail(done.error(), "Timing");
    for (std::size_t i = 0; i < milliseconds.size(); ++i) {
      const auto taken = ends[i].milliseconds_since(cold || i == 0 ? starts[i] : ends[i - 1]);
      if (!taken) return fail(taken.error(), "Timing");
      milliseconds[i] = static_cast<double>(*taken);
    }
    return {};
  }

  // The ids of the step that is queued next, while earlier ones may not have read theirs.
  Result<void> queue_ids(std::span<const std::int32_t> ids) {
    for (std::size_t b = 0; b < ids.size(); ++b) {
      auto written = stream_.write_pinned(pinned_ids_.as<std::int32_t>() + b, ids[b]);
      if (!written) return fail(written.error(), fmt::format("The ids behind token {}", position_));
    }
    return {};
  }

  // Queues the step of the ids in pinned_ids_: as a graph, recorded at the first step, or kernel by kernel.
  Result<void> queue_step(Observer* observer) {
    if (info_.graph) {
      if (!graph_) {
        if (auto recorded = record_step(); !recorded) return recorded;
      }
      if (observer != nullptr) observer->recorded(graph_nodes_, recording_);
      if (auto done = graph_.launch(stream_); !done) return fail(done.error(), fmt::format("Token {}", position_));
      return {};
    }
    for (const Stage& stage : plan_.stages) {
      if (observer != nullptr) observer->before(stage);
      kernels::DeviceResult<void> done =
          launch(stage, can_overlap_ && observer == nullptr, observer == nullptr && !sync_stages_);
      if (observer != nullptr) observer->after(stage);
      if (done && sync_stages_) done = stream_.synchronize();
      if (!done) return fail(done.error(), fmt::format("Token {}, {}", position_, place_of(stage)));
    }
    return {};
  }

  // The step as one graph, and which of its nodes each stage added.
  Result<void> record_step() {
    std::vector<GraphNode> nodes;
    kernels::NodeWatch watch;
    auto recorded = kernels::Graph::record(stream_, [&] {
      kernels::DeviceResult<void> done;
      for (const Stage& stage : plan_.stages) {
        if (done = launch(stage, can_overlap_, true); !done) break;
        const auto added = watch.added(stream_);
        if (!added) return kernels::DeviceResult<void>(tl::unexpected(added.error()));
        for (const CUgraphNode_st* node : *added) nodes.push_back({stage.id, node});
      }
      return done;
    });
    if (!recorded) return fail(recorded.error(), "Recording the step as a CUDA graph");
    graph_ = std::move(*recorded);
    graph_nodes_ = std::move(nodes);
    ++recording_;
    return {};
  }

  // Queues a stage's kernel; the first stage also brings the ids. `overlap`: a fused stage may begin before the one
  // before it ends. `beside`: the errors are measured while the head works; for whole steps only.
  kernels::DeviceResult<void> launch(const Stage& stage, bool overlap, bool beside = false) {
    if (stage.kind == StageKind::errors) {
      return beside && errors_beside_ ? errors_->launch_beside(buffers_, stream_)
                                      : errors_->launch(buffers_, stream_, overlap);
    }
    auto done = launch_on_stream(stage, overlap);
    if (done && beside && errors_beside_ && stage.kind == StageKind::head) done = errors_->join(stream_);
    return done;
  }

  kernels::DeviceResult<void> launch_on_stream(const Stage& stage, bool overlap) {
    namespace device = kernels::device;
    const kernels::StreamHandle stream = stream_.handle();
    const auto accepted = [](int code) { return kernels::check_cuda(code, "launch"); };
    if (fused_ && stage.kind != StageKind::embed) {
      const device::Placement placement{stream, overlap, can_overlap_, multiprocessors_};
      if (products_) return products_->launch(stage, weights_, buffers_, fused_arguments_, stream_, placement);
      if (stage.kind == StageKind::mixer) return accepted(device::mixer(fused_arguments_.mixer(stage), placement));
      return accepted(device::fused_projection(fused_arguments_.projection(stage), placement));
    }
    if (stage.kind == StageKind::embed && changes_.has_cells()) {
      auto cells = accepted(device::change_cells(changes_.cells(buffers_), stream));
      if (!cells) return cells;
    }
    if (stage.kind != StageKind::embed) return launch_staged(stage, arguments_, stream);
    if (draws_ids_) return accepted(device::embedding(arguments_.embedding(), stream));
    if (fused_ && plan_.batch <= few_ids) {
      kernels::EmbeddingArgs<float> args = arguments_.embedding();
      args.ids = pinned_ids_.as<std::int32_t>();
      return accepted(device::embedding(args, stream));
    }
    return stream_.copy_to_device(buffers_.ids.data(), pinned_ids_.as<std::int32_t>(), buffers_.ids.size_bytes())
        .and_then([&] { return accepted(device::embedding(arguments_.embedding(), stream)); });
  }

  Result<void> check_ids(std::span<const std::int32_t> ids) const {
    if (ids.size() != buffers_.ids.size()) {
      return input_error(fmt::format("A step takes one token for each of the {} sequences, and was given {}.",
                                     buffers_.ids.size(), ids.size()));
    }
    return check_vocabulary(ids);
  }

  Result<void> check_vocabulary(std::span<const std::int32_t> ids) const {
    for (const std::int32_t id : ids) {
      if (id >= 0 && id < weights_.config.vocab_size) continue;
      return input_error(
          fmt::format("Token id {} is outside [0, {}), the model's vocabulary.", id, weights_.config.vocab_size));
    }
    return {};
  }

  Result<void> generate_pieces(std::span<std::int32_t> ids, std::size_t batch) {
    while (!ids.empty()) {
      const std::size_t steps = std::min(draws_.capacity(), ids.size() / batch);
      if (auto begun = draws_.begin(stream_, position_); !begun) return fail(begun.error(), "Drawing ids");
      for (std::size_t i = 0; i < steps; ++i) {
        auto queued = queue_drawing_step();
        if (queued) queued = publish_step();
        if (!queued) return queued;
        ++position_;
      }
      if (auto done = draws_.fetch(stream_, ids.first(steps * batch)); !done) {
        return fail(done.error(), fmt::format("A step up to token {}, which drew its own ids", position_));
      }
      ids = ids.subspan(steps * batch);
    }
    return {};
  }

  // Queues a step of ids that it draws first, from the logits of the step before.
  Result<void> queue_drawing_step() {
    if (!info_.graph) {
      auto drawn = draw();
      if (drawn && sync_stages_) drawn = stream_.synchronize();
      if (!drawn) return fail(drawn.error(), fmt::format("Token {}, stage sample", position_));
      return queue_step(nullptr);
    }
    auto done = drawing_graph_.launch(stream_);
    return done ? Result<void>() : fail(done.error(), fmt::format("Token {}", position_));
  }

  Result<void> record_drawing_step() {
    auto recorded = kernels::Graph::record(stream_, [&] {
      auto done = draw();
      for (const Stage& stage : plan_.stages) {
        if (done) done = launch(stage, can_overlap_, true);
      }
      return done;
    });
    if (!recorded) return fail(recorded.error(), "Recording the step as a CUDA graph");
    drawing_graph_ = std::move(*recorded);
    return {};
  }

  kernels::DeviceResult<void> draw() const {
    const kernels::device::Placement placement{stream_.handle(), false, can_overlap_, multiprocessors_};
    return kernels::check_cuda(kernels::device::sample(draw_, placement), "launch");
  }

  // Behind queue_step(). `tokens`: how many steps beyond position_ are queued with it.
  Result<void> publish_step(int tokens = 1) {
    return publisher_ ? checked(publisher_->follow(stream_, position_ + tokens), "Publishing a step") : Result<void>();
  }

  Result<void> finish_publishing() {
    return publisher_ ? checked(publisher_->finish(), "Publishing a step") : Result<void>();
  }

  Result<void> check_layer(int layer) const {
    if (layer >= 0 && layer < weights_.config.n_layer) return {};
    return input_error(fmt::format("Layer {} is outside the model's {} layers.", layer, weights_.config.n_layer));
  }

  Result<void> check_sequence(int sequence) const {
    if (failed_) return tl::unexpected(*failed_);
    if (sequence >= 0 && sequence < plan_.batch) return {};
    return input_error(fmt::format("Sequence {} is outside the batch of {}.", sequence, plan_.batch));
  }

  Result<void> check_residual(int sequence, std::size_t given) const {
    auto ok = check_sequence(sequence);
    return ok ? check_residual_size(weights_.config, given, !products_) : ok;
  }

  // Whatever fails on the device after a launch ends the context: the failure is kept and is the answer from now on.
  Result<void> fail(const kernels::DeviceError& error, const std::string& where) {
    failed_ = Error{ErrorKind::system, fmt::format("{}: {}. The GPU is lost to this model; open it anew, or use "
                                                   "--backend cpu.",
                                                   where, error.message)};
    return tl::unexpected(*failed_);
  }

  Result<void> fail_in_step(const kernels::DeviceError& error) {
    return fail(error,
                fmt::format("Token {}, in a stage of the step (MAMBASCOPE_SYNC_STAGES=1 tells which)", position_));
  }

  Result<void> checked(const kernels::DeviceResult<void>& done, const char* what) {
    if (done) return {};
    if (kernels::out_of_memory(done.error())) return system_error(fmt::format("{}: {}.", what, done.error().message));
    return fail(done.error(), what);
  }

  BackendInfo info_;
  StepPlan plan_;
  kernels::Stream stream_;
  kernels::PinnedBuffer pinned_ids_;
  CudaWeights weights_;
  CudaBuffers buffers_;
  CudaArguments arguments_;
  FusedArguments fused_arguments_;
  CudaChanges changes_;
  std::optional<ProductStep> products_;
  std::optional<CudaErrors> errors_;
  bool errors_beside_;  // may run while the head does
  bool fused_;
  bool can_overlap_;
  int multiprocessors_;
  bool sync_stages_;
  kernels::Graph graph_;
  std::vector<GraphNode> graph_nodes_;
  std::uint64_t recording_ = 0;
  kernels::L2Flush flush_;
  std::unique_ptr<CudaPublisher> publisher_;
  CudaTiles tiles_;
  std::optional<CudaPrefill> prefill_;
  // Of steps that draw their ids.
  CudaDraws draws_;
  kernels::SampleArgs draw_;
  kernels::Graph drawing_graph_;
  bool draws_ids_ = false;  // the step that is being queued is one
  std::int64_t position_ = 0;
  std::optional<Error> failed_;
};

}  // namespace

Result<std::unique_ptr<Backend>> make_cuda_backend(const Weights& weights, const BackendOptions& options) {
  auto parts = open_cuda_parts(weights, options);
  if (!parts) return tl::unexpected(parts.error());
  auto backend = std::make_unique<CudaBackend>(std::move(*parts));
  if (auto ready = backend->reset(); !ready) return tl::unexpected(ready.error());
  return backend;
}

}  // namespace engine
