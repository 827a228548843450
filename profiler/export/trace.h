// Chrome trace JSON, as chrome://tracing and Perfetto read it: complete events ("X"), ts and dur in microseconds from the
// first step's start. Steps and stages are separate tracks, named after the clock that measured them. Work that overlaps
// gets further tracks: a track's events must nest, and kernels that overlap do not. Hardware samples are counter tracks.
#pragma once

#include "profiler/export/rows.h"

#include <cstddef>
#include <iosfwd>

namespace profiler {

// What did not fit into a trace: whole tokens, and of those that did their hardware samples.
struct LeftOut {
  std::size_t tokens = 0, samples = 0;
};

// Writes whole tokens from the first on, as many as fit into `most_bytes`, with their samples where these fit too, and says
// in "otherData" what was left out, which is what it returns. What must be known to trust the times is written whatever the
// size: some kilobytes.
LeftOut write_chrome_trace(std::ostream& out, const Export& rows, std::size_t most_bytes = SIZE_MAX);

}  // namespace profiler
