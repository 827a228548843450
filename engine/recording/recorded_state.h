// The complete state that a recording holds after one of its tokens, to go on from it with the model that was recorded:
// for patching. Any thread.
#pragma once

#include "engine/backend/state.h"
#include "engine/base/result.h"
#include "engine/model/model.h"
#include "engine/recording/recording.h"

#include <cstdint>

namespace engine {

// Whether it has one for this model, without reading it. Errors (input): of another model (its shape or its weights); no
// such token; states of some layers or of some tokens only, and what to record with.
Result<void> check_recorded_state(const Recording& recording, const Model& model, std::int64_t token);
// After `token`, counted from 0. Errors: as above; a token that had lost its state when it was recorded (input).
Result<SequenceState> recorded_state(const Recording& recording, const Model& model, std::int64_t token);

}  // namespace engine
