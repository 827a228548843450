// Joins a file's tensors with the places that a config says they belong to.
#pragma once

#include "engine/formats/tensor_file.h"
#include "engine/model/weights.h"

#include <memory>
#include <string>

namespace engine {

// Matrices stay where the file is mapped, unless they are misaligned for their type there; small tensors are widened to
// fp32. With tied embeddings either of the embedding and the head may be absent; both must have the same bytes.
// NaN and infinite values are taken as they are. Error (input): every missing, extra or misshapen tensor and every type
// but F32, F16 and BF16, all in one message, at most 20 of them listed;
// more than 2 GiB of small tensors and misaligned matrices. `where` names the file in errors.
Result<Weights> bind_weights(std::shared_ptr<const TensorFile> file, const ModelConfig& config,
                             const std::string& where);

}  // namespace engine
