#include "app/panels/picture.h"

#include "app/panels/gl_context.h"

#define GL_GLEXT_PROTOTYPES
#include <GL/glcorearb.h>

namespace app {

bool Picture::current() const { return texture_ != 0 && context_ == gl_context_number(); }

bool Picture::stale(const ViewKey& key, const Theme& theme) {
  const bool same = key_ == key && light_ == theme.light && current();
  key_ = key;
  light_ = theme.light;
  return !same;
}

void Picture::set(int width, int height, const std::vector<ImU32>& pixels) {
  if (width <= 0 || height <= 0 ||
      pixels.size() != static_cast<std::size_t>(width) * static_cast<std::size_t>(height)) {
    width_ = height_ = 0;
    return;
  }
  int bound = 0;
  glGetIntegerv(GL_TEXTURE_BINDING_2D, &bound);
  // The texture lives as long as its context, which outlives every panel; a lost context took its textures along.
  const bool fresh = !current();
  if (fresh) glGenTextures(1, &texture_);
  glBindTexture(GL_TEXTURE_2D, texture_);
  if (fresh) {
    glTexParameteri(GL_TEXTURE_2D, GL_TEXTURE_MIN_FILTER, GL_NEAREST);
    glTexParameteri(GL_TEXTURE_2D, GL_TEXTURE_MAG_FILTER, GL_NEAREST);
    glTexParameteri(GL_TEXTURE_2D, GL_TEXTURE_WRAP_S, GL_CLAMP_TO_EDGE);
    glTexParameteri(GL_TEXTURE_2D, GL_TEXTURE_WRAP_T, GL_CLAMP_TO_EDGE);
  }
  glPixelStorei(GL_UNPACK_ALIGNMENT, 4);
  if (fresh || width != width_ || height != height_) {
    glTexImage2D(GL_TEXTURE_2D, 0, GL_RGBA8, width, height, 0, GL_RGBA, GL_UNSIGNED_BYTE, pixels.data());
  } else {
    glTexSubImage2D(GL_TEXTURE_2D, 0, 0, 0, width, height, GL_RGBA, GL_UNSIGNED_BYTE, pixels.data());
  }
  glBindTexture(GL_TEXTURE_2D, static_cast<GLuint>(bound));
  width_ = width;
  height_ = height;
  context_ = gl_context_number();
}

void plot_texture(const char* label, unsigned int texture, ImPlotPoint low, ImPlotPoint high) {
  const ImGuiPlatformIO& io = ImGui::GetPlatformIO();
  ImDrawList* list = ImPlot::GetPlotDrawList();
  if (io.DrawCallback_SetSamplerNearest != nullptr) list->AddCallback(io.DrawCallback_SetSamplerNearest, nullptr);
  ImPlot::PlotImage(label, ImTextureRef(static_cast<ImTextureID>(texture)), low, high, ImVec2(0, 1), ImVec2(1, 0));
  if (io.DrawCallback_SetSamplerLinear != nullptr) list->AddCallback(io.DrawCallback_SetSamplerLinear, nullptr);
}

void Picture::plot(const char* label, ImPlotPoint low, ImPlotPoint high) const {
  if (!empty() && current()) plot_texture(label, texture_, low, high);
}

}  // namespace app
