// Says "skipped", not "passed", where no window can be drawn.
#include "tests/gui/driver.h"

#define DOCTEST_CONFIG_IMPLEMENT
#include <doctest/doctest.h>

#include <cstdio>

int main(int argc, char** argv) {
  doctest::Context context(argc, argv);
  if (!gui_test::why_no_surface().empty()) {
    std::printf("GUI tests are skipped: %s\n", gui_test::why_no_surface().c_str());
    context.setOption("no-run", true);
  }
  return context.run();
}
