#include "app/shell/lost_display.h"
#include "app/shell/surface.h"

#define GLFW_INCLUDE_NONE
#define GL_GLEXT_PROTOTYPES
#include <GL/glcorearb.h>
#include <GLFW/glfw3.h>
#include <fmt/format.h>
#include <imgui_impl_glfw.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <utility>

namespace app {
namespace {

class WindowSurface final : public Surface {
 public:
  explicit WindowSurface(GLFWwindow* window) : window_(window) {
    glfwSetWindowUserPointer(window, this);
    glfwSetDropCallback(window, [](GLFWwindow* to, int count, const char** paths) {
      auto& dropped = static_cast<WindowSurface*>(glfwGetWindowUserPointer(to))->dropped_;
      dropped.insert(dropped.end(), paths, paths + count);
    });
    ImGui_ImplGlfw_InitForOpenGL(window, true);
    const auto* renderer = reinterpret_cast<const char*>(glGetString(GL_RENDERER));
    description_ = fmt::format("window, {}", renderer != nullptr ? renderer : "unknown renderer");
  }
  ~WindowSurface() override {
    ImGui_ImplGlfw_Shutdown();
    glfwDestroyWindow(window_);
    glfwTerminate();
  }
  WindowSurface(const WindowSurface&) = delete;
  WindowSurface& operator=(const WindowSurface&) = delete;

  std::string description() const override { return description_; }
  bool offscreen() const override { return false; }
  SurfaceSize size() const override {
    SurfaceSize size;
    glfwGetFramebufferSize(window_, &size.width, &size.height);
    return size;
  }
  void resize(SurfaceSize size) override { glfwSetWindowSize(window_, size.width, size.height); }
  float content_scale() const override {
    float x = 1, y = 1;
    glfwGetWindowContentScale(window_, &x, &y);
    return x > 0 ? x : 1.0F;
  }
  void begin_frame() override {
    glfwPollEvents();
    ImGui_ImplGlfw_NewFrame();
  }
  void present() override { glfwSwapBuffers(window_); }
  bool wait(double seconds) override {
    // GLFW doesn't say why it returned; returning early means that something happened.
    const auto start = std::chrono::steady_clock::now();
    glfwWaitEventsTimeout(seconds);
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count() < 0.98 * seconds;
  }
  void wake() override { glfwPostEmptyEvent(); }
  bool should_close() const override { return glfwWindowShouldClose(window_) != 0; }
  std::vector<std::string> dropped() override { return std::exchange(dropped_, {}); }

 private:
  std::vector<std::string> dropped_;
  GLFWwindow* window_;
  std::string description_;
};

engine::Error glfw_error(const std::string& what) {
  const char* reason = nullptr;
  glfwGetError(&reason);
  return {engine::ErrorKind::system, fmt::format("{}: {}. Use --offscreen with --screenshot FILE.png to draw without a "
                                                 "display.",
                                                 what, reason != nullptr ? reason : "no reason given")};
}

}  // namespace

bool have_display() {
  const auto set = [](const char* name) {
    const char* value = std::getenv(name);
    return value != nullptr && *value != '\0';
  };
  return set("DISPLAY") || set("WAYLAND_DISPLAY");
}

engine::Result<std::unique_ptr<Surface>> open_window(const SurfaceOptions& options) {
  report_lost_display();
  if (glfwInit() == GLFW_FALSE) return tl::unexpected(glfw_error("The display cannot be opened"));
  glfwWindowHint(GLFW_CONTEXT_VERSION_MAJOR, 3);
  glfwWindowHint(GLFW_CONTEXT_VERSION_MINOR, 3);
  glfwWindowHint(GLFW_OPENGL_PROFILE, GLFW_OPENGL_CORE_PROFILE);
  glfwWindowHint(GLFW_SCALE_TO_MONITOR, GLFW_TRUE);
  // No larger than the screen leaves room for.
  int width = options.size.width, height = options.size.height;
  if (GLFWmonitor* monitor = glfwGetPrimaryMonitor(); monitor != nullptr) {
    int left = 0, top = 0, room_across = 0, room_down = 0;
    glfwGetMonitorWorkarea(monitor, &left, &top, &room_across, &room_down);
    if (room_across > 0 && room_down > 0) {
      width = std::min(width, room_across);
      height = std::min(height, room_down);
    }
  }
  GLFWwindow* window = glfwCreateWindow(width, height, options.title.c_str(), nullptr, nullptr);
  if (window == nullptr) {
    const engine::Error error = glfw_error("No window with OpenGL 3.3 can be made on this display");
    glfwTerminate();
    return tl::unexpected(error);
  }
  glfwMakeContextCurrent(window);
  glfwSwapInterval(1);
  return std::make_unique<WindowSurface>(window);
}

}  // namespace app
