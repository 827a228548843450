// The pixels of the current framebuffer, and PNG files of them. UI thread only.
#pragma once

#include "app/shell/surface.h"
#include "app/shell/workspace.h"

#include <cstdint>
#include <string>
#include <vector>

namespace app {

struct Image {
  int width = 0, height = 0;
  std::vector<std::uint8_t> rgb;  // (height, width, 3), top row first
};

// Reads the framebuffer that was drawn last.
Image read_pixels(SurfaceSize size);
// The area's pixels, as far as they lie inside the image.
Image part_of(const Image& image, const PixelArea& area);
// Error: the file cannot be written (system).
engine::Result<void> write_png(const std::string& path, const Image& image);

}  // namespace app
