// The rows of a comparison as the user asks for them: filtered by name and finding, sorted by a column. Pure.
#pragma once

#include "app/wiring/profile_comparison.h"

#include <string_view>
#include <vector>

namespace app {

enum class ComparedColumn { name, median_a, median_b, ratio, interval, p, verdict };

// Indices of the rows whose name holds every word of `filter` (whatever the case) and, where asked, whose difference is
// significant, in order of a column (-1: as they are). Rows that are not in both come last; equal ones keep their order.
std::vector<int> arranged(const std::vector<ComparedRow>& rows, std::string_view filter, bool significant_only,
                          int column, bool descending);

}  // namespace app
