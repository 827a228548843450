#include "profiler/activity/process.h"

#include "profiler/cupti/live.h"

#include <cstdlib>
#include <string_view>

namespace profiler {

namespace {

std::mutex the_mutex;
// Never freed: CUPTI's callbacks may come as late as the end of the process.
ProcessActivity* the_activity = nullptr;

bool forbidden_by_environment() {
  const char* value = std::getenv("MAMBASCOPE_NO_CUPTI");  // NOLINT(concurrency-mt-unsafe): nobody sets the environment
  return value != nullptr && *value != '\0' && std::string_view(value) != "0";
}

ProcessActivity start(bool allowed) {
  const char* again = "Start the program without it to see kernel times.";
  if (!allowed) return {nullptr, {"CUPTI is switched off (--no-cupti).", again}};
  if (forbidden_by_environment()) return {nullptr, {"CUPTI is switched off (MAMBASCOPE_NO_CUPTI is set).", again}};
  auto api = open_cupti();
  if (!api) return {nullptr, api.error()};
  auto session = ActivitySession::start(std::move(*api));
  if (!session) return {nullptr, session.error()};
  return {session->release(), {}};
}

}  // namespace

const ProcessActivity& start_process_activity(bool allowed) {
  const std::lock_guard lock(the_mutex);
  if (the_activity == nullptr) the_activity = new ProcessActivity(start(allowed));
  return *the_activity;
}

void stop_process_activity() {
  const std::lock_guard lock(the_mutex);
  if (the_activity != nullptr && the_activity->session != nullptr) the_activity->session->stop();
}

}  // namespace profiler
