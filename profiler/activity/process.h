// The process's CUPTI session: started once, before the first CUDA call, or refused once with a reason. Any thread;
// whoever asks first decides.
#pragma once

#include "profiler/activity/session.h"

namespace profiler {

struct ProcessActivity {
  ActivitySession* session = nullptr;  // null: not available; lives until stop_process_activity
  Unavailable why;
};

// Starts CUPTI, unless `allowed` is false (--no-cupti) or MAMBASCOPE_NO_CUPTI is set to anything but 0. Later calls
// return the first call's answer.
const ProcessActivity& start_process_activity(bool allowed = true);

// Before the process ends, after a synchronise. Without effect when nothing was started.
void stop_process_activity();

}  // namespace profiler
