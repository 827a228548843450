// A small deterministic backend for tests of session logic: its state after a token is a function of all tokens before,
// its logits a function of the state. Can be slow, fail at a step, and counts what was asked of it.
#pragma once

#include "engine/backend/backend.h"
#include "engine/model/model.h"
#include "tests/support/elements.h"

#include <atomic>
#include <chrono>
#include <cmath>
#include <memory>
#include <thread>
#include <utility>

namespace engine {

// Shared with the test, which reads while the session's thread writes.
struct FakeCounters {
  std::atomic<int> steps{0}, resets{0}, restores{0}, changes{0}, prefills{0};
  std::atomic<int> fail_at_step{-1};  // the step with this number fails, counted from 0 over the backend's life
  std::atomic<ErrorKind> failure{ErrorKind::system};  // of that step
  std::atomic<bool> fail_reset{false}, throw_in_step{false}, refuse_prefill{false};
  std::atomic<int> step_us{0};
};

inline std::shared_ptr<const Model> fake_model() {
  auto model = std::make_shared<Model>();
  ModelConfig& config = model->weights.config;
  config.d_model = 8;
  config.n_layer = 3;
  config.vocab_size = 6;
  config.d_state = 8;
  config.headdim = 8;
  config.expand = 2;
  model->weights.layers.resize(3);
  model->name = "fake";
  return model;
}

class FakeBackend : public Backend {
 public:
  FakeBackend(const ModelConfig& config, std::shared_ptr<FakeCounters> counters)
      : config_(config), counters_(std::move(counters)) {
    info_.name = "fake";
    info_.chunked_prefill = true;
    info_.state_bytes = zero_state().bytes();
    state_ = zero_state();
  }

  const BackendInfo& info() const override { return info_; }
  const StepPlan& plan() const override { return plan_; }

  Result<void> reset() override {
    ++counters_->resets;
    if (counters_->fail_reset) return system_error("The fake device is lost; restart the test.");
    state_ = zero_state();
    return {};
  }

  Result<void> step(std::span<const std::int32_t> ids, Observer* observer) override {
    if (counters_->step_us > 0) std::this_thread::sleep_for(std::chrono::microseconds(counters_->step_us));
    if (counters_->throw_in_step) throw std::bad_alloc();
    if (counters_->steps++ == counters_->fail_at_step)
      return tl::unexpected(Error{counters_->failure, "The fake step failed; that was asked for."});
    if (observer != nullptr) observer->step_begin(state_.position);
    const auto id = static_cast<float>(ids[0] + 1);
    for (std::size_t l = 0; l < state_.layers.size(); ++l) {
      LayerState& layer = state_.layers[l];
      for (std::size_t i = 0; i < layer.ssm.size(); ++i) {
        layer.ssm[i] = 0.9F * layer.ssm[i] + write_ * std::sin(id + 0.1F * static_cast<float>(i + l));
      }
      for (std::size_t i = 0; i < layer.angle.size(); ++i) {
        layer.angle[i] += 0.3F * id;
        if (layer.angle[i] >= 6.2831853F) {
          layer.angle[i] -= 6.2831853F;
          ++layer.turns[i];
        }
      }
      for (std::size_t i = 0; i < layer.k.size(); ++i) layer.k[i] = std::cos(id + static_cast<float>(i));
      for (std::size_t i = 0; i < layer.v.size(); ++i) layer.v[i] = std::sin(id - static_cast<float>(i));
    }
    ++state_.position;
    if (observer != nullptr) observer->step_queued();
    if (observer != nullptr) observer->step_end(state_.position - 1);
    return {};
  }

  Result<void> prefill(std::span<const std::int32_t> ids, PrefillProgress* progress) override {
    if (counters_->refuse_prefill) return system_error("The fake device has no memory for a prefill.");
    ++counters_->prefills;
    const int before = counters_->steps;
    auto done = Backend::prefill(ids, progress);
    counters_->steps = before;  // at once
    return done;
  }

  // What the first rank writes is scaled; nothing else is changed.
  Result<void> intervene(int, const SequenceChanges& changes) override {
    ++counters_->changes;
    write_ = changes.ranks.empty() ? 1.0F : changes.ranks.front().write.scale;
    return {};
  }

  std::int64_t position() const override { return state_.position; }

  Result<void> read_logits(int, std::span<float> logits) override {
    for (std::size_t i = 0; i < logits.size(); ++i) {
      logits[i] = state_.layers.back().ssm[i] + 0.5F * state_.layers.front().ssm[2 * i];
    }
    return {};
  }

  Result<void> read_coefficients(int, StepCoefficients& out) override {
    const auto heads = tests::elements(config_.n_layer, config_.heads());
    const auto scalars = {&out.dt,   &out.a,     &out.lambda,     &out.alpha,
                          &out.beta, &out.gamma, &out.state_norm, &out.state_change};
    for (std::vector<float>* values : scalars) values->assign(heads, 0.5F);
    out.a.assign(heads, -0.5F);
    out.turn.assign(tests::elements(config_.n_layer, config_.angles()), 0.6F);
    return {};
  }

  Result<void> read_state(int, std::span<const int> layers, bool with_ssm, SequenceState& out) override {
    out.position = state_.position;
    out.layers.resize(state_.layers.size());
    for (const int l : layers) {
      const auto at = static_cast<std::size_t>(l);
      out.layers[at] = state_.layers[at];
      if (!with_ssm) out.layers[at].ssm.clear();
    }
    return {};
  }

  Result<void> restore(int, const SequenceState& state) override {
    ++counters_->restores;
    for (const LayerState& layer : state.layers) {
      if (layer.ssm.empty()) return input_error("The saved state is incomplete.");
    }
    state_ = state;
    return {};
  }

 private:
  SequenceState zero_state() const {
    SequenceState state;
    state.layers.resize(static_cast<std::size_t>(config_.n_layer));
    const auto heads = static_cast<std::size_t>(config_.heads());
    for (LayerState& layer : state.layers) {
      layer.angle.assign(heads * config_.angles(), 0);
      layer.turns.assign(heads * config_.angles(), 0);
      layer.ssm.assign(heads * config_.headdim * config_.d_state, 0);
      layer.k.assign(heads * config_.rank() * config_.d_state, 0);
      layer.v.assign(heads * config_.headdim, 0);
    }
    return state;
  }

  ModelConfig config_;
  std::shared_ptr<FakeCounters> counters_;
  BackendInfo info_;
  StepPlan plan_;
  SequenceState state_;
  float write_ = 1;
};

}  // namespace engine
