// What happens when the X server goes away under the window: Xlib ends the program by itself, with exit code 1, which
// here means that a check failed. It is a failure of the system, said in a sentence.
#pragma once

namespace app {

// Makes a lost X server end the program with exit code 3 and a message. Call before the display is opened. Without Xlib in
// the program (GLFW built for Wayland alone) it does nothing.
void report_lost_display();

}  // namespace app
