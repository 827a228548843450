// Backends that let the residual stream be seen and exchanged between two stages of a step, by an observer: the parity bench
// (engine/verify) hands each layer exact inputs with it. Beside the seam, not in it: nothing else needs it.
#pragma once

#include "engine/base/result.h"
#include "engine/model/config.h"

#include <cstddef>
#include <span>

namespace engine {

class ResidualAccess {
 public:
  virtual ~ResidualAccess() = default;
  // The residual of one sequence, (d_model) in fp32, as the stages that have run left it. Errors (input): a sequence outside
  // the batch, another number of values; a step whose residual is not whole between stages.
  virtual Result<void> read_residual(int sequence, std::span<float> residual) = 0;
  // What the stages to come find in its place.
  virtual Result<void> write_residual(int sequence, std::span<const float> residual) = 0;

 protected:
  static Result<void> check_residual_size(const ModelConfig& config, std::size_t given, bool whole = true);
};

}  // namespace engine
