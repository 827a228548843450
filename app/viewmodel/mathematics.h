// A formula as a tree of boxes (symbols, rows, fractions, powers and indices), each symbol with its meaning and its live
// number, for the view that sets it. Pure values; no ImGui.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace app {

// What a symbol's colour says; the theme knows the colours.
enum class MathTone : std::uint8_t { plain, sign, euler, trapezoid, model };

struct Math {
  enum class Kind : std::uint8_t { symbol, row, fraction, scripts };

  Kind kind = Kind::row;
  MathTone tone = MathTone::plain;
  std::string text;     // of a symbol
  std::string number;   // its value, written under it; empty: nothing
  std::string meaning;  // for whoever points at it; empty: it explains itself
  std::vector<Math>
      parts{};  // row: from left to right; fraction: above, below; scripts: base, index, power (may be empty)
};

namespace math {

inline Math symbol(std::string text, std::string meaning = {}, std::string number = {}) {
  return {Math::Kind::symbol, MathTone::plain, std::move(text), std::move(number), std::move(meaning), {}};
}
inline Math sign(std::string text) { return {Math::Kind::symbol, MathTone::sign, std::move(text), {}, {}, {}}; }
inline Math toned(Math what, MathTone tone) {
  what.tone = tone;
  return what;
}
inline Math row(std::vector<Math> parts) { return {Math::Kind::row, MathTone::plain, {}, {}, {}, std::move(parts)}; }
inline Math fraction(Math above, Math below) {
  return {Math::Kind::fraction, MathTone::plain, {}, {}, {}, {std::move(above), std::move(below)}};
}
inline Math scripts(Math base, Math index, Math power) {
  return {Math::Kind::scripts, MathTone::plain, {}, {}, {}, {std::move(base), std::move(index), std::move(power)}};
}
inline Math index(Math base, std::string text) { return scripts(std::move(base), symbol(std::move(text)), row({})); }
inline Math power(Math base, Math exponent) { return scripts(std::move(base), row({}), std::move(exponent)); }

}  // namespace math

}  // namespace app
