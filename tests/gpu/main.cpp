// Runs the GPU tests where there is a device; without one every case counts as skipped, never as passed.
#define DOCTEST_CONFIG_IMPLEMENT
#include "tests/gpu/device.h"

int main(int argc, char** argv) {
  doctest::Context context(argc, argv);
  if (!gpu_test::has_device()) context.addFilter("test-case-exclude", "*");
  return context.run();
}
