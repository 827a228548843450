// Where a frame is drawn: a window on a display, or a framebuffer without one. Owns the OpenGL context and Dear ImGui's
// platform side; the one seam between the frame loop and the system. UI thread only, but for wake().
#pragma once

#include "engine/base/result.h"

#include <memory>
#include <string>
#include <vector>

namespace app {

struct SurfaceSize {
  int width = 0, height = 0;
};

class Surface {
 public:
  virtual ~Surface() = default;
  // "window, NVIDIA H100 (OpenGL 4.6)", for the trust strip and the summary.
  virtual std::string description() const = 0;
  virtual bool offscreen() const = 0;
  virtual SurfaceSize size() const = 0;
  virtual void resize(SurfaceSize size) = 0;
  // The monitor's scale, 1 where unknown.
  virtual float content_scale() const = 0;
  // Handles waiting events and tells Dear ImGui size, time and input.
  virtual void begin_frame() = 0;
  // Shows what was drawn; returns when the frame is handed over (window) or finished (offscreen).
  virtual void present() = 0;
  // Sleeps until an event, a wake or the timeout; true when something happened.
  virtual bool wait(double seconds) = 0;
  virtual void wake() = 0;  // any thread
  virtual bool should_close() const = 0;
  // Paths of files that were dropped on the window since the last call.
  virtual std::vector<std::string> dropped() { return {}; }
};

struct SurfaceOptions {
  SurfaceSize size{1600, 1000};
  std::string title = "Mambascope";
};

// A GLFW window with OpenGL 3.3. Needs a current Dear ImGui context. Error: no display, or no OpenGL.
engine::Result<std::unique_ptr<Surface>> open_window(const SurfaceOptions& options);
// An EGL context without a window: an NVIDIA device where there is one, else Mesa's surfaceless platform, else any
// device. Error: none of them answers.
engine::Result<std::unique_ptr<Surface>> open_offscreen(const SurfaceOptions& options);

// Whether a display is there to open a window on.
bool have_display();

}  // namespace app
