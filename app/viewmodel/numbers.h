// Numbers as text, with the digits that the value deserves. Pure.
#pragma once

#include <cstdint>
#include <string>

namespace app {

// About `digits` significant digits: "0.99959", "1,690", "3.1e-05", "nan", "inf".
std::string number_text(double value, int digits = 4);
// A share as percent: "99.8 %", "0.2 %", "< 0.1 %".
std::string percent_text(double share);
// Thousands separated: "1,690".
std::string count_text(long long value);
// "264 B", "37.6 KB", "525 MB", "3.00 GB": powers of ten, as in GB/s.
std::string bytes_text(std::uint64_t bytes);
// With its sign and two decimals, as logits are listed: "+6.58", "−3.88", "+1.2e+30".
std::string signed_text(double value);

}  // namespace app
