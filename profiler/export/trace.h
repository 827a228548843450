// Chrome trace JSON, as chrome://tracing and Perfetto read it: complete events ("X"), ts and dur in microseconds from the
// first step's start. Steps and stages are separate tracks, named after the clock that measured them.
#pragma once

#include "profiler/export/rows.h"

#include <iosfwd>

namespace profiler {

void write_chrome_trace(std::ostream& out, const Export& rows);

}  // namespace profiler
