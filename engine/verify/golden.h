// Compares a backend with a golden file: known outputs of a model for known tokens, in double precision. Every tensor of
// the file that begins with "reference." is compared, all padded columns included; "official.logits", where there are
// any, come from kernels that round, and are only reported.
#pragma once

#include "engine/backend/backend.h"
#include "engine/formats/tensor_file.h"
#include "engine/verify/difference.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace engine {

struct StateDifference {
  int layer = 0;
  std::string name;  // "angle" (compared modulo 2 pi), "ssm", "k", "v"
  Difference difference;
};

struct GoldenReport {
  std::int64_t tokens = 0;           // of the text
  std::int64_t compared_tokens = 0;  // whose logits were compared
  Difference logits;
  bool has_official = false;
  Difference official;
  std::vector<StateDifference> states;
  double argmax_agreement = 0;  // share of tokens whose argmax over vocab_size equals the reference's

  // No difference exceeds rtol, all are finite, and states were compared.
  bool pass(double rtol) const;
};

// Resets the backend, runs the file's input_ids through every sequence of its batch, and compares `sequence` with the
// file. Errors (input): a tensor is missing or has another shape or type than the model's, an id is outside the
// vocabulary; or an error of the backend.
// With `piece` > 0 the text is prefilled (Backend::prefill), so many tokens at a time, and logits are compared where pieces
// end.
Result<GoldenReport> compare_with_golden(Backend& backend, const ModelConfig& config, const TensorFile& golden,
                                         int sequence = 0, std::size_t piece = 0);

}  // namespace engine
