// Which numbers a recording holds of each token, in which order, type and shape: one list that the writer, both readers
// and the documentation of the file's tensors follow.
#pragma once

#include "engine/formats/tensor_file.h"
#include "engine/recording/recording_info.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace engine {

enum class FieldKind : std::uint8_t {
  start_ns,
  duration_ns,
  wall_ns,
  holds,
  id,
  origin,
  truth,
  predicted,
  probability,
  entropy,
  kl,
  top_id,
  top_logit,
  top_probability,
  dt,
  a,
  lambda,
  alpha,
  beta,
  gamma,
  state_norm,
  state_change,
  turn,
  errors_stored,
  errors_unrotated,
  angle,
  turns,
  k,
  v,
  ssm
};

// One tensor of the file: a row for each token, or for every `every`-th.
struct Field {
  FieldKind kind = FieldKind::id;
  const char* name = "";
  TensorType type = TensorType::f32;
  std::vector<std::int64_t> row;  // shape of one token's part; empty: a number
  const char* axes = "token";     // the first is the token's
  const char* unit = "";          // "1" for a pure number
  const char* about = "";
  std::int64_t every = 1;
  std::size_t row_bytes = 0;
  std::size_t offset = 0;  // of the row in a token's block

  // Rows of so many tokens; which token a row belongs to is every * row.
  std::int64_t rows(std::int64_t tokens) const { return (tokens + every - 1) / every; }
  bool has(std::int64_t token) const { return token % every == 0; }
};

// Wide types first and the matrix states last, as they lie in the file.
std::vector<Field> fields_of(const RecordingInfo& info);
// mimo_x of all layers, (layer, head, rank, row), which views of a MIMO model need; no values for SISO.
std::vector<std::int64_t> mimo_shape(const RecordingInfo& info);
inline constexpr const char* mimo_name = "model.mimo_x";
inline constexpr const char* mimo_axes = "layer,head,rank,row";

// Bytes that a token takes; the matrix states come last in its block and only every so often.
std::size_t block_bytes(const std::vector<Field>& fields, std::int64_t token);
// Bytes of the blocks of the first `tokens` tokens.
std::uint64_t blocks_bytes(const std::vector<Field>& fields, std::int64_t tokens);

// Which parts of a token were kept when it was recorded; rows of what was not are zeros.
inline constexpr std::int32_t holds_details = 1;  // coefficients, errors, likeliest ids
inline constexpr std::int32_t holds_caches_bit = 2;
inline constexpr std::int32_t holds_ssm_bit = 4;

}  // namespace engine
