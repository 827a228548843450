// The model in double precision, one thread, scalar loops: what the other backends are verified against.
#pragma once

#include "engine/backend/host_backend.h"

namespace engine {

class ReferenceBackend : public HostBackend<double> {
 public:
  ReferenceBackend(const Weights& weights, int batch, bool errors = false);

  // Goes on from the fp32 state of another backend, every layer and with ssm, whatever this one has done: for one step
  // side by side. No restore(), which would give back less than was saved.
  Result<void> take_over(int sequence, const SequenceState& state) { return put_state(sequence, state); }

 private:
  void run(const Stage& stage) override;
  void run_piece(int sequence, std::span<const std::int32_t> ids) override;

  const Weights& weights_;
};

}  // namespace engine
