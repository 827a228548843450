// What the CPU and the reference backend share: buffers, stepping through the plan, reading and restoring state. Which
// arithmetic a stage does is left to them. One thread calls it.
#pragma once

#include "engine/backend/backend.h"
#include "engine/backend/host_buffers.h"
#include "engine/backend/host_changes.h"
#include "engine/backend/residual_access.h"
#include "engine/backend/stage_arguments.h"

namespace engine {

template <class T>
class HostBackend : public Backend, public ResidualAccess {
 public:
  // The weights must outlive the backend and have a supported shape.
  HostBackend(const Weights& weights, int batch, bool errors);

  const BackendInfo& info() const override { return info_; }
  const StepPlan& plan() const override { return plan_; }
  Result<void> reset() override;
  Result<void> step(std::span<const std::int32_t> ids, Observer* observer) override;
  Result<void> time_stages(std::span<const StageKind> kinds, int rounds, std::span<double> milliseconds) override;
  Result<void> generate(const Sampler& sampler, std::span<std::int32_t> ids) override;
  Result<void> prefill(std::span<const std::int32_t> ids, PrefillProgress* progress) override;
  std::int64_t position() const override { return position_; }
  Result<void> read_logits(int sequence, std::span<float> logits) override;
  Result<void> read_coefficients(int sequence, StepCoefficients& out) override;
  Result<void> read_state(int sequence, std::span<const int> layers, bool with_ssm, SequenceState& out) override;
  Result<void> read_state_tiles(int sequence, StateTiles& out) override;
  Result<void> read_errors(int sequence, StepErrors& out) override;
  Result<void> read_residual(int sequence, std::span<float> residual) override;
  Result<void> write_residual(int sequence, std::span<const float> residual) override;
  Result<void> restore(int sequence, const SequenceState& state) override;
  // Hands over before step() returns.
  Result<void> publish(PublishRequest request) override;
  Result<void> intervene(int sequence, const SequenceChanges& changes) override;

 protected:
  // Does the stage's arithmetic on the buffers.
  virtual void run(const Stage& stage) = 0;
  // Tokens of one sequence through all layers: its state as steps would leave it. Called only with
  // BackendInfo::chunked_prefill.
  virtual void run_piece(int /*sequence*/, std::span<const std::int32_t> /*ids*/) {}
  // restore(), of whatever T is.
  Result<void> put_state(int sequence, const SequenceState& state);

  BackendInfo info_;
  StepPlan plan_;
  HostBuffers<T> buffers_;
  StageArguments<T> arguments_;

 private:
  Result<void> check_vocabulary(std::span<const std::int32_t> ids) const;
  Result<void> check_sequence(int sequence) const;
  Result<void> check_layer(int layer) const;

  const ModelConfig& config_;
  HostChanges changes_;
  std::int64_t position_ = 0;
  MappedFiles files_;  // that the weights are read from with each token
  PublishRequest request_;
  Published published_;
};

extern template class HostBackend<float>;
extern template class HostBackend<double>;

}  // namespace engine
