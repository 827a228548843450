#include "app/shell/app.h"

#include "app/shell/fonts.h"
#include "app/shell/screenshot.h"

#define GL_GLEXT_PROTOTYPES
#include <GL/glcorearb.h>
#include <imgui_impl_opengl3.h>
#include <implot.h>

#include <algorithm>
#include <chrono>

namespace app {

App::App(const GuiOptions& options) : options_(options) {
  IMGUI_CHECKVERSION();
  ImGui::CreateContext();
  ImPlot::CreateContext();
  ImGuiIO& io = ImGui::GetIO();
  io.IniFilename = nullptr;
  io.ConfigFlags |= ImGuiConfigFlags_DockingEnable;
  io.ConfigWindowsMoveFromTitleBarOnly = true;
  workspace_.light_theme = options.light;
}

App::~App() {
  for (Document& document : workspace_.documents) document.session.reset();
  if (surface_) ImGui_ImplOpenGL3_Shutdown();
  surface_.reset();
  ImPlot::DestroyContext();
  ImGui::DestroyContext();
}

engine::Result<std::unique_ptr<App>> App::open(const GuiOptions& options) {
  std::unique_ptr<App> app(new App(options));
  const SurfaceOptions surface_options{options.size, "Mambascope"};
  auto surface = options.offscreen ? open_offscreen(surface_options) : open_window(surface_options);
  if (!surface) return tl::unexpected(surface.error());
  if (!ImGui_ImplOpenGL3_Init("#version 330"))
    return engine::system_error("OpenGL 3.3 cannot be used here: its functions are missing. Install Mesa or a driver.");
  app->surface_ = std::move(*surface);
  app->workspace_.ui_scale = options.ui_scale > 0 ? options.ui_scale : app->surface_->content_scale();
  load_fonts(app->theme_);
  app->apply_theme();
  return app;
}

void App::apply_theme() {
  workspace_.ui_scale = std::clamp(workspace_.ui_scale, 0.75F, 2.0F);
  set_colours(theme_, workspace_.light_theme);
  theme_.scale = workspace_.ui_scale;
  apply_style(theme_);
}

void App::frame() {
  const auto start = std::chrono::steady_clock::now();
  for (Document& document : workspace_.documents)
    if (document.session) document.snapshot = document.session->snapshot();
  if (theme_.scale != workspace_.ui_scale || theme_.light != workspace_.light_theme) apply_theme();

  ImGui_ImplOpenGL3_NewFrame();
  surface_->begin_frame();
  ImGui::NewFrame();
  PanelContext context{workspace_, theme_};
  layout_.draw(context);
  ImGui::Render();

  const SurfaceSize size = surface_->size();
  glViewport(0, 0, size.width, size.height);
  glClearColor(theme_.window.x, theme_.window.y, theme_.window.z, 1.0F);
  glClear(GL_COLOR_BUFFER_BIT);
  ImGui_ImplOpenGL3_RenderDrawData(ImGui::GetDrawData());
  surface_->present();
  const double ms = std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
  workspace_.frame_ms = workspace_.frame_ms == 0 ? ms : 0.9 * workspace_.frame_ms + 0.1 * ms;
}

void App::run() {
  while (!surface_->should_close() && !workspace_.requests.quit) {
    workspace_.requests.redraw = false;
    frame();
    surface_->wait(workspace_.requests.redraw ? 0.0 : 1.0);
  }
}

}  // namespace app
