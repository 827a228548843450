// Brings the matrices of a mapped file into memory before the first step needs them, so that a large model opens with
// progress and can be cancelled, in place of a first step that seems to hang.
#pragma once

#include "engine/base/result.h"
#include "engine/model/open_progress.h"
#include "engine/model/weights.h"

namespace engine {

// Reads every page once. `progress` may be null. Error (input): it was cancelled.
Result<void> read_ahead(const Weights& weights, OpenProgress* progress);

}  // namespace engine
