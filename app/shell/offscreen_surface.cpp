#include "app/shell/surface.h"

#define GL_GLEXT_PROTOTYPES
#include <EGL/egl.h>
#include <EGL/eglext.h>
#include <GL/glcorearb.h>
#include <fmt/format.h>
#include <imgui.h>

#include <array>
#include <chrono>
#include <condition_variable>
#include <cstring>
#include <mutex>
#include <vector>

namespace app {
namespace {

using Clock = std::chrono::steady_clock;

bool has(const char* extensions, const char* name) {
  return extensions != nullptr && std::strstr(extensions, name) != nullptr;
}

// The displays to try, best first: a GPU's device, Mesa without a surface, any other device.
std::vector<EGLDisplay> displays() {
  std::vector<EGLDisplay> first, last;
  const char* client = eglQueryString(EGL_NO_DISPLAY, EGL_EXTENSIONS);
  const auto query_devices = reinterpret_cast<PFNEGLQUERYDEVICESEXTPROC>(eglGetProcAddress("eglQueryDevicesEXT"));
  const auto query_string =
      reinterpret_cast<PFNEGLQUERYDEVICESTRINGEXTPROC>(eglGetProcAddress("eglQueryDeviceStringEXT"));
  if (has(client, "EGL_EXT_platform_device") && query_devices != nullptr && query_string != nullptr) {
    std::array<EGLDeviceEXT, 32> devices{};
    EGLint count = 0;
    query_devices(static_cast<EGLint>(devices.size()), devices.data(), &count);
    for (int i = 0; i < count; ++i) {
      EGLDeviceEXT device = devices[static_cast<std::size_t>(i)];
      EGLDisplay display = eglGetPlatformDisplay(EGL_PLATFORM_DEVICE_EXT, device, nullptr);
      if (display == EGL_NO_DISPLAY) continue;
      const bool nvidia = has(query_string(device, EGL_EXTENSIONS), "EGL_NV_device_cuda");
      (nvidia ? first : last).push_back(display);
    }
  }
  if (has(client, "EGL_MESA_platform_surfaceless")) {
    EGLDisplay display = eglGetPlatformDisplay(EGL_PLATFORM_SURFACELESS_MESA, EGL_DEFAULT_DISPLAY, nullptr);
    if (display != EGL_NO_DISPLAY) first.push_back(display);
  }
  first.insert(first.end(), last.begin(), last.end());
  return first;
}

EGLContext make_context(EGLDisplay display) {
  if (eglInitialize(display, nullptr, nullptr) == EGL_FALSE || eglBindAPI(EGL_OPENGL_API) == EGL_FALSE)
    return EGL_NO_CONTEXT;
  EGLConfig config = EGL_NO_CONFIG_KHR;
  if (!has(eglQueryString(display, EGL_EXTENSIONS), "EGL_KHR_no_config_context")) {
    const std::array<EGLint, 5> wanted = {EGL_RENDERABLE_TYPE, EGL_OPENGL_BIT, EGL_SURFACE_TYPE, 0, EGL_NONE};
    EGLint count = 0;
    if (eglChooseConfig(display, wanted.data(), &config, 1, &count) == EGL_FALSE || count == 0) return EGL_NO_CONTEXT;
  }
  const std::array<EGLint, 7> attributes = {
      EGL_CONTEXT_MAJOR_VERSION,           3,       EGL_CONTEXT_MINOR_VERSION, 3, EGL_CONTEXT_OPENGL_PROFILE_MASK,
      EGL_CONTEXT_OPENGL_CORE_PROFILE_BIT, EGL_NONE};
  EGLContext context = eglCreateContext(display, config, EGL_NO_CONTEXT, attributes.data());
  if (context == EGL_NO_CONTEXT) return EGL_NO_CONTEXT;
  if (eglMakeCurrent(display, EGL_NO_SURFACE, EGL_NO_SURFACE, context) == EGL_FALSE) {
    eglDestroyContext(display, context);
    return EGL_NO_CONTEXT;
  }
  return context;
}

class OffscreenSurface final : public Surface {
 public:
  OffscreenSurface(EGLDisplay display, EGLContext context, SurfaceSize size)
      : display_(display), context_(context), last_frame_(Clock::now()) {
    glGenFramebuffers(1, &framebuffer_);
    glGenRenderbuffers(1, &colour_);
    resize(size);
    const auto* renderer = reinterpret_cast<const char*>(glGetString(GL_RENDERER));
    const auto* version = reinterpret_cast<const char*>(glGetString(GL_VERSION));
    description_ = fmt::format("offscreen, {}, OpenGL {}", renderer != nullptr ? renderer : "unknown renderer",
                               version != nullptr ? version : "?");
  }
  ~OffscreenSurface() override {
    glDeleteRenderbuffers(1, &colour_);
    glDeleteFramebuffers(1, &framebuffer_);
    eglMakeCurrent(display_, EGL_NO_SURFACE, EGL_NO_SURFACE, EGL_NO_CONTEXT);
    eglDestroyContext(display_, context_);
    eglTerminate(display_);
  }
  OffscreenSurface(const OffscreenSurface&) = delete;
  OffscreenSurface& operator=(const OffscreenSurface&) = delete;

  bool complete() const { return glCheckFramebufferStatus(GL_FRAMEBUFFER) == GL_FRAMEBUFFER_COMPLETE; }
  std::string description() const override { return description_; }
  bool offscreen() const override { return true; }
  SurfaceSize size() const override { return size_; }
  void resize(SurfaceSize size) override {
    size_ = size;
    glBindRenderbuffer(GL_RENDERBUFFER, colour_);
    glRenderbufferStorage(GL_RENDERBUFFER, GL_RGBA8, size.width, size.height);
    glBindFramebuffer(GL_FRAMEBUFFER, framebuffer_);
    glFramebufferRenderbuffer(GL_FRAMEBUFFER, GL_COLOR_ATTACHMENT0, GL_RENDERBUFFER, colour_);
  }
  float content_scale() const override { return 1.0F; }
  void begin_frame() override {
    ImGuiIO& io = ImGui::GetIO();
    io.DisplaySize = ImVec2(static_cast<float>(size_.width), static_cast<float>(size_.height));
    const auto now = Clock::now();
    io.DeltaTime = std::max(1e-4F, std::chrono::duration<float>(now - last_frame_).count());
    last_frame_ = now;
    glBindFramebuffer(GL_FRAMEBUFFER, framebuffer_);
  }
  // Software rasterisers work behind our back; a frame is done when its pixels are.
  void present() override { glFinish(); }
  bool wait(double seconds) override {
    std::unique_lock lock(mutex_);
    const bool woken =
        condition_.wait_for(lock, std::chrono::duration<double>(seconds), [this] { return wake_requested_; });
    wake_requested_ = false;
    return woken;
  }
  void wake() override {
    {
      const std::lock_guard lock(mutex_);
      wake_requested_ = true;
    }
    condition_.notify_one();
  }
  bool should_close() const override { return false; }

 private:
  EGLDisplay display_;
  EGLContext context_;
  GLuint framebuffer_ = 0, colour_ = 0;
  SurfaceSize size_;
  std::string description_;
  Clock::time_point last_frame_;
  std::mutex mutex_;
  std::condition_variable condition_;
  bool wake_requested_ = false;
};

}  // namespace

engine::Result<std::unique_ptr<Surface>> open_offscreen(const SurfaceOptions& options) {
  const std::vector<EGLDisplay> candidates = displays();
  for (EGLDisplay display : candidates) {
    EGLContext context = make_context(display);
    if (context == EGL_NO_CONTEXT) continue;
    auto surface = std::make_unique<OffscreenSurface>(display, context, options.size);
    if (surface->complete()) return surface;
  }
  return engine::system_error(
      fmt::format("No OpenGL 3.3 context without a window: EGL offers {} display(s) and none of them works. Install "
                  "Mesa's software renderer (Debian: libegl1 libgl1-mesa-dri), or run on a display.",
                  candidates.size()));
}

}  // namespace app
