// The font files inside the program, as the build put them there (cmake/embed_fonts.cmake). Read-only, alive for the
// whole run.
#pragma once

#include <cstddef>

namespace app {

struct EmbeddedFont {
  const unsigned char* data = nullptr;
  std::ptrdiff_t size = 0;
};

EmbeddedFont embedded_roboto();
EmbeddedFont embedded_roboto_bold();
EmbeddedFont embedded_inconsolata();
EmbeddedFont embedded_math();   // Latin Modern Math: what the text faces lack
EmbeddedFont embedded_icons();  // Font Awesome 6

}  // namespace app
