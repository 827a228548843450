// Reads one CUPTI activity record into our plain values. Only there where the program is built with CUPTI's headers.
// CUPTI appends fields to a record's structure from version to version; only fields that have stood at the same place
// since CUDA 12.0 are read, so the oldest of those structures serves all of them.
#pragma once

#include "profiler/cupti/api.h"

namespace profiler {

// `record` points to a CUpti_Activity of any kind.
ActivityRecord decode(const void* record);

}  // namespace profiler
