// What one head did, token after token, out of the records: the curves and rasters that views draw. Pure functions; one
// value per token of the range, NaN where a record does not hold what is needed (old records of long runs, layers whose
// matrix state was not recorded).
#pragma once

#include "engine/analysis/rotation.h"
#include "engine/session/snapshot.h"

#include <cstddef>
#include <vector>

namespace engine {

// Tokens [first, last) of a list; parts beyond its end are cut off.
struct TokenRange {
  std::size_t first = 0;
  std::size_t last = static_cast<std::size_t>(-1);
};
// The newest `count` tokens.
TokenRange newest_tokens(const TokenList& tokens, std::size_t count);

// Of one layer's head, one value per token.
struct HeadSeries {
  std::vector<double> position;
  std::vector<double> dt, a, lambda, alpha, beta, gamma;
  std::vector<double> half_life;                                     // tokens, from alpha
  std::vector<double> state_norm, state_change;                      // Frobenius norms
  std::vector<double> euler_stored, trapezoid_stored, model_stored;  // relative local errors, not in per cent
  std::vector<double> euler_unrotated, trapezoid_unrotated, model_unrotated;

  std::size_t size() const { return position.size(); }
};
HeadSeries head_series(const TokenList& tokens, const ModelConfig& config, int layer, int head, TokenRange range = {});

// Entropy, divergence, probability of the token itself: the same for all heads. NaN where a value is not defined.
struct PredictionSeries {
  std::vector<double> position, entropy_bits, kl_bits, probability;
};
PredictionSeries prediction_series(const TokenList& tokens, TokenRange range = {});

// One pair: dtheta of each token, radians; 0 for a pair that never turns.
std::vector<double> increment_series(const TokenList& tokens, const ModelConfig& config, int layer, int head, int pair,
                                     TokenRange range = {});
// One pair: accumulated phase theta after each token, radians, whole turns included.
std::vector<double> phase_series(const TokenList& tokens, const ModelConfig& config, int layer, int head, int pair,
                                 TokenRange range = {});
// One pair, one row p of the state: z after each token, for trails.
std::vector<Complex> trail(const TokenList& tokens, const ModelConfig& config, int layer, int head, int row, int pair,
                           StateFrame frame, TokenRange range = {});

// One value per token and pair, (tokens, N / 2) row-major, for rasters.
struct Raster {
  std::size_t tokens = 0, pairs = 0;
  std::vector<float> values;
};
// Accumulated phase wrapped into [0, 2 pi), radians.
Raster phase_raster(const TokenList& tokens, const ModelConfig& config, int layer, int head, TokenRange range = {});
// dtheta of each token, radians.
Raster increment_raster(const TokenList& tokens, const ModelConfig& config, int layer, int head, TokenRange range = {});
// |z| of row p, the same in both frames; row -1: the root of the sum of squares over all rows.
Raster magnitude_raster(const TokenList& tokens, const ModelConfig& config, int layer, int head, int row,
                        TokenRange range = {});

}  // namespace engine
