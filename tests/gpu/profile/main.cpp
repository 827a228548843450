// Runs what needs a device and CUPTI together: a process of its own, because CUPTI comes before the first CUDA call and
// only once. Without either, every case counts as skipped, never as passed.
#define DOCTEST_CONFIG_IMPLEMENT
#include "profiler/activity/process.h"
#include "tests/gpu/device.h"

#include <cstdio>

int main(int argc, char** argv) {
  doctest::Context context(argc, argv);
  const profiler::ProcessActivity& activity = profiler::start_process_activity();
  if (!gpu_test::has_device()) {
    context.addFilter("test-case-exclude", "*");
  } else if (activity.session == nullptr) {
    std::printf("GPU tests are skipped: %s %s\n", activity.why.reason.c_str(), activity.why.remedy.c_str());
    context.addFilter("test-case-exclude", "*");
  }
  const int result = context.run();
  profiler::stop_process_activity();
  return result;
}
