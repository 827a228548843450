// Whether two runs had the same model, from numbers small enough to keep with a recording. Any thread.
#pragma once

#include "engine/base/result.h"
#include "engine/model/model.h"

#include <cstdint>

namespace engine {

struct RecordingInfo;

// Of everything in a config that changes what the model computes.
std::uint64_t config_digest(const ModelConfig& config);
// Of all small tensors and of 4 KB at the begin, the middle and the end of each matrix; of planned weights their seed.
std::uint64_t weights_digest(const Weights& weights);

// Error (input): the recording is of another model, and whether its shape or its weights differ.
Result<void> check_same_model(const RecordingInfo& recorded, const Model& model);

}  // namespace engine
