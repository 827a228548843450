// Measured times on their way into a recording and out of it. Any thread.
#pragma once

#include "app/wiring/timing_store.h"
#include "engine/recording/recording.h"

#include <memory>

namespace app {

// By stage: when its first piece of work began, and the sum of its pieces.
engine::StepTimes step_times(const profiler::TokenTimes& times, std::size_t stages);

// "CUPTI activity" and the like, as recordings name where times come from; empty: there are none.
const char* timing_source_name(profiler::TimeSource source);

// The times of a recording's newest tokens for whoever takes them from a store, which is empty where it has none.
std::unique_ptr<TimingStore> timings_of(const engine::Recording& recording);

}  // namespace app
