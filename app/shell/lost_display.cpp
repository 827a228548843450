#include "app/shell/lost_display.h"

#include <dlfcn.h>

#include <cstdio>
#include <cstdlib>

namespace app {
namespace {

struct XDisplay;
using Handler = int (*)(XDisplay*);

// Xlib calls this on the thread that noticed, under its lock, and does not go on afterwards. Other threads may be in the
// middle of a step, so nothing is torn down: the layout was saved while it changed.
int on_lost(XDisplay*) {
  std::fputs("mambascope: The connection to the X server is lost: it ended, or the network to it did.\n", stderr);
  std::_Exit(3);
}

}  // namespace

void report_lost_display() {
  // GLFW brings Xlib into the program; asking for it by name spares a dependency on its headers.
  if (void* set = dlsym(RTLD_DEFAULT, "XSetIOErrorHandler"); set != nullptr)
    reinterpret_cast<Handler (*)(Handler)>(set)(on_lost);
}

}  // namespace app
