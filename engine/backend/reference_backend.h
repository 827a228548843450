// The model in double precision, one thread, scalar loops: what the other backends are verified against.
#pragma once

#include "engine/backend/host_backend.h"

namespace engine {

class ReferenceBackend : public HostBackend<double> {
 public:
  ReferenceBackend(const Weights& weights, int batch, bool errors = false);

 private:
  void run(const Stage& stage) override;
  void run_piece(int sequence, std::span<const std::int32_t> ids) override;

  const Weights& weights_;
};

}  // namespace engine
