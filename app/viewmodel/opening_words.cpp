#include "app/viewmodel/opening_words.h"

#include <fmt/format.h>

#include <cmath>

namespace app {

std::string opening_words(std::uint64_t bytes, std::uint64_t total, double seconds) {
  const double done = static_cast<double>(bytes), all = static_cast<double>(total);
  const bool giga = all >= 1e9;
  const double unit = giga ? 1e9 : 1e6;
  std::string words = fmt::format("{:.1f} of {:.1f} {}", done / unit, all / unit, giga ? "GB" : "MB");
  if (bytes == 0 || seconds < 0.1) return words;
  const double rate = done / seconds;
  words += rate >= 1e9 ? fmt::format(", {:.1f} GB/s", rate / 1e9) : fmt::format(", {:.0f} MB/s", rate / 1e6);
  if (bytes < total) words += fmt::format(", {:.0f} s left", std::ceil((all - done) / rate));
  return words;
}

}  // namespace app
