// The same rows as comma-separated values, one piece of work a line, for spreadsheets and scripts. What must be known to
// trust them stands above the header line in lines that begin with '#'.
#pragma once

#include "profiler/export/rows.h"

#include <iosfwd>

namespace profiler {

void write_csv(std::ostream& out, const Export& rows);

}  // namespace profiler
