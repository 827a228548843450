#include "app/viewmodel/numbers.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>

namespace app {

std::string count_text(long long value) {
  const bool negative = value < 0;
  std::string digits = fmt::format("{}", value);
  if (negative) digits.erase(0, 1);
  for (std::ptrdiff_t at = static_cast<std::ptrdiff_t>(digits.size()) - 3; at > 0; at -= 3) {
    digits.insert(static_cast<std::size_t>(at), ",");
  }
  return negative ? "-" + digits : digits;
}

std::string number_text(double value, int digits) {
  if (std::isnan(value)) return "nan";
  if (std::isinf(value)) return value > 0 ? "inf" : "-inf";
  if (value == 0) return "0";
  const double magnitude = std::abs(value);
  if (magnitude < 1e-4 || magnitude >= 1e7) return fmt::format("{:.{}e}", value, std::max(digits - 2, 1));
  const int before = static_cast<int>(std::floor(std::log10(magnitude))) + 1;
  const int after = std::max(digits - std::max(before, 0), 0);
  if (after == 0 && magnitude >= 1000) return count_text(std::llround(value));
  return fmt::format("{:.{}f}", value, before <= 0 ? std::min(digits - before, 8) : after);
}

std::string percent_text(double share) {
  if (!std::isfinite(share)) return number_text(share);
  const double percent = 100 * share;
  if (percent != 0 && std::abs(percent) < 0.1) return "< 0.1 %";
  if (std::abs(percent) >= 1e6) return number_text(percent, 3) + " %";
  return fmt::format("{:.{}f} %", percent, std::abs(percent) >= 1000 ? 0 : 1);
}

std::string bytes_text(std::uint64_t bytes) {
  if (bytes < 1000) return fmt::format("{} B", bytes);
  auto value = static_cast<double>(bytes) * 1e-3;
  const char* unit = "KB";
  for (const char* larger : {"MB", "GB", "TB", "PB", "EB"}) {
    if (value < 999.5) break;
    value *= 1e-3;
    unit = larger;
  }
  return fmt::format("{:.{}f} {}", value, value >= 99.95 ? 0 : value >= 9.995 ? 1 : 2, unit);
}

std::string signed_text(double value) {
  if (!std::isfinite(value)) return number_text(value);
  const double size = std::abs(value);
  const char* sign = value < 0 ? "−" : "+";
  return size >= 1e4 ? fmt::format("{}{:.1e}", sign, size) : fmt::format("{}{:.2f}", sign, size);
}

}  // namespace app
