// What is left of one token's contribution to a layer's state, measured by taking it away: two sequences of one batch
// step the same tokens, and after token t the second one forgets what t wrote into one layer (its part of the matrix
// state, and the key and value by which the next token would write it once more). The layers below never see a
// difference, and so the layer's own inputs and coefficients stay those of the first sequence: the difference of its two
// states must be w_t(s) u_t exactly, up to rounding (engine/analysis/retention.h), in every layer. Layers above do see
// it; they are not looked at. Steps a backend; one thread, the caller's.
#pragma once

#include "engine/backend/backend.h"
#include "engine/intervention/intervention.h"
#include "engine/model/model.h"

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

namespace engine {

// Frobenius norms of what is left, by tokens from the probed one on.
struct HeadRetention {
  double written = 0;            // |u_t|, of the input itself
  std::vector<double> analytic;  // |w_t(s)| |u_t|
  std::vector<double> measured;  // |h - h without it|
  std::vector<double> state;     // |h|: what the difference is a difference of
};

struct RetentionProbe {
  int layer = 0;
  std::int64_t token = 0;
  std::vector<HeadRetention> heads;
  // Size of a difference that is rounding alone, relative to |h|: below it `measured` says nothing.
  static constexpr double rounding = 1e-6;
};

// Steps `ids` from reset through a backend of batch 2 that can restore a saved state; the first has not to be the probed
// token. `progress` is told how much is done, in [0, 1]; returning false ends the run with what there is. Errors: input
// where the batch, layer, token or an id does not fit or the backend cannot restore; else as the backend's. Both sequences
// are stepped under the interventions, which fit the model.
Result<RetentionProbe> probe_retention(Backend& backend, const Model& model, std::span<const std::int32_t> ids,
                                       int layer, std::int64_t token, const std::function<bool(double)>& progress = {},
                                       const std::vector<Intervention>& interventions = {});

}  // namespace engine
