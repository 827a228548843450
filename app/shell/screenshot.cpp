#include "app/shell/screenshot.h"

#include "app/commands/output_file.h"

#define GL_GLEXT_PROTOTYPES
#include <GL/glcorearb.h>
#include <fmt/format.h>
#include <png.h>

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <ostream>
#include <vector>

namespace app {

Image read_pixels(SurfaceSize size) {
  Image image{size.width, size.height, {}};
  const std::size_t row = static_cast<std::size_t>(size.width) * 3;
  std::vector<std::uint8_t> upside_down(row * static_cast<std::size_t>(size.height));
  glPixelStorei(GL_PACK_ALIGNMENT, 1);
  glReadPixels(0, 0, size.width, size.height, GL_RGB, GL_UNSIGNED_BYTE, upside_down.data());
  image.rgb.resize(upside_down.size());
  for (std::size_t y = 0; y < static_cast<std::size_t>(size.height); ++y)
    std::memcpy(image.rgb.data() + y * row, upside_down.data() + (static_cast<std::size_t>(size.height) - 1 - y) * row,
                row);
  return image;
}

Image part_of(const Image& image, const PixelArea& area) {
  const int left = std::clamp(area.left, 0, image.width), top = std::clamp(area.top, 0, image.height);
  Image part{std::clamp(area.width, 0, image.width - left), std::clamp(area.height, 0, image.height - top), {}};
  for (int y = top; y < top + part.height; ++y) {
    const auto from = image.rgb.begin() + 3 * (static_cast<std::ptrdiff_t>(y) * image.width + left);
    part.rgb.insert(part.rgb.end(), from, from + 3 * static_cast<std::ptrdiff_t>(part.width));
  }
  return part;
}

engine::Result<void> write_png(const std::string& path, const Image& image) {
  png_image png{};
  png.version = PNG_IMAGE_VERSION;
  png.width = static_cast<png_uint_32>(image.width);
  png.height = static_cast<png_uint_32>(image.height);
  png.format = PNG_FORMAT_RGB;
  const auto refused = [&path](const std::string& why) {
    return engine::system_error(fmt::format(
        "{}: cannot write the screenshot: {}. Check that the folder exists and can be written.", path, why));
  };
  // Encoded in memory: the library's own writing to a file would delete what stands there when it fails.
  png_alloc_size_t bytes = 0;
  if (png_image_write_to_memory(&png, nullptr, &bytes, 0, image.rgb.data(), 0, nullptr) == 0)
    return refused(png.message);
  std::vector<char> encoded(bytes);
  if (png_image_write_to_memory(&png, encoded.data(), &bytes, 0, image.rgb.data(), 0, nullptr) == 0) {
    return refused(png.message);
  }
  return write_output(path, [&](std::ostream& out) { out.write(encoded.data(), static_cast<std::streamsize>(bytes)); });
}

}  // namespace app
