// Many tokens of one sequence through all layers in double, in the chunked parallel form: the twin of CudaPrefill that needs
// no device, for verification. The families of a step take the tokens as a batch where they know no state.
#pragma once

#include "engine/backend/host_buffers.h"
#include "engine/model/weights.h"

#include <cstdint>
#include <span>

namespace engine {

// Leaves the state of `sequence` of the batch as steps would; ids in the vocabulary.
void reference_prefill(const Weights& weights, int batch, int sequence, std::span<const std::int32_t> ids,
                       HostBuffers<double>& buffers);

}  // namespace engine
