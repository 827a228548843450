#include "app/commands/text.h"

#include "engine/base/quote.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace app {

std::string grouped(std::int64_t number) {
  const std::string digits = std::to_string(number);
  std::string text;
  for (std::size_t i = 0; i < digits.size(); ++i) {
    const bool boundary = i > 0 && digits[i - 1] != '-' && (digits.size() - i) % 3 == 0;
    if (boundary) text += ',';
    text += digits[i];
  }
  return text;
}

std::string short_bytes(std::uint64_t bytes) {
  constexpr std::array units = {"KiB", "MiB", "GiB", "TiB"};
  if (bytes < 1024) return grouped(static_cast<std::int64_t>(bytes)) + " bytes";
  double value = static_cast<double>(bytes) / 1024;
  std::size_t unit = 0;
  while (value >= 1024 && unit + 1 < units.size()) {
    value /= 1024;
    ++unit;
  }
  return fmt::format("{:.{}f} {}", value, value < 10 ? 2 : value < 100 ? 1 : 0, units[unit]);
}

std::string readable_bytes(std::uint64_t bytes) {
  const std::string exact = grouped(static_cast<std::int64_t>(bytes)) + " bytes";
  return bytes < 1024 ? exact : fmt::format("{} ({})", short_bytes(bytes), exact);
}

std::string printable_lines(std::string_view text) {
  std::string out;
  for (;;) {
    const std::size_t line = std::min(text.find('\n'), text.size());
    out += engine::printable(text.substr(0, line));
    if (line == text.size()) return out;
    out += '\n';
    text.remove_prefix(line + 1);
  }
}

}  // namespace app
