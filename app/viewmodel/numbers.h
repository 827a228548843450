// Numbers as text, with the digits that the value deserves. Pure.
#pragma once

#include <string>

namespace app {

// About `digits` significant digits: "0.99959", "1,690", "3.1e-05", "nan", "inf".
std::string number_text(double value, int digits = 4);
// A share as percent: "99.8 %", "0.2 %", "< 0.1 %".
std::string percent_text(double share);
// Thousands separated: "1,690".
std::string count_text(long long value);

}  // namespace app
