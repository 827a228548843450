#include "app/panels/mathematics.h"

#include "app/panels/parts.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <string>

namespace app {

namespace {

constexpr float script_share = 0.7F, number_share = 0.72F, least_size = 9.0F;

ImVec2 extent(ImFont* face, float size, const std::string& text) {
  return face->CalcTextSizeA(size, 1e9F, 0, text.c_str());
}

float script_size(float size) { return std::max(script_share * size, std::min(size, least_size)); }
float number_size(float size) { return std::max(number_share * size, std::min(size, least_size)); }

ImVec4 colour_of(const Theme& theme, MathTone tone) {
  switch (tone) {
    case MathTone::plain:
      return theme.text;
    case MathTone::sign:
      return theme.secondary;
    case MathTone::euler:
      return theme.euler;
    case MathTone::trapezoid:
      return theme.trapezoid;
    case MathTone::model:
      return theme.model_lambda;
  }
  return theme.text;
}

// Sets boxes: without a place it only measures.
class Setter {
 public:
  Setter(const Theme& theme, const char* id, bool draws) : theme_(theme), id_(id), draws_(draws) {}

  // `at`: left end of the baseline.
  MathSize set(const Math& box, ImVec2 at, float size) {
    switch (box.kind) {
      case Math::Kind::symbol:
        return symbol(box, at, size);
      case Math::Kind::row:
        return row(box, at, size);
      case Math::Kind::fraction:
        return fraction(box, at, size);
      case Math::Kind::scripts:
        return scripts(box, at, size);
    }
    return {};
  }

 private:
  MathSize measured(const Math& box, float size) const { return Setter(theme_, id_, false).set(box, {0, 0}, size); }

  MathSize symbol(const Math& box, ImVec2 at, float size) {
    const float space = box.tone == MathTone::sign ? 0.26F * size : 0.06F * size;
    const ImVec2 word = extent(theme_.words, size, box.text);
    const float small = number_size(size);
    const float number = box.number.empty() ? 0 : extent(theme_.numbers, small, box.number).x;
    const float width = std::max(word.x + 2 * space, number > 0 ? number + 0.4F * size : 0);
    const MathSize all{width, 0.8F * size, 0.3F * size + (number > 0 ? 1.05F * small : 0)};
    if (!draws_) return all;
    ImDrawList* list = ImGui::GetWindowDrawList();
    list->AddText(theme_.words, size, {at.x + (width - word.x) / 2, at.y - 0.8F * size},
                  packed(colour_of(theme_, box.tone)), box.text.c_str());
    if (number > 0)
      list->AddText(theme_.numbers, small, {at.x + (width - number) / 2, at.y + 0.3F * size}, packed(theme_.value),
                    box.number.c_str());
    if (!box.meaning.empty()) tell(box, {at.x, at.y - all.above}, {at.x + all.width, at.y + all.below});
    return all;
  }

  MathSize row(const Math& box, ImVec2 at, float size) {
    MathSize all{0, 0, 0};
    for (const Math& part : box.parts) {
      const MathSize one = set(part, {at.x + all.width, at.y}, size);
      all.width += one.width;
      all.above = std::max(all.above, one.above);
      all.below = std::max(all.below, one.below);
    }
    return all;
  }

  MathSize fraction(const Math& box, ImVec2 at, float size) {
    const float axis = 0.28F * size, gap = 0.12F * size, side = 0.15F * size;  // the bar lies on the axis
    const MathSize over = measured(box.parts[0], size), under = measured(box.parts[1], size);
    const float width = std::max(over.width, under.width) + 2 * side;
    if (draws_) {
      set(box.parts[0], {at.x + (width - over.width) / 2, at.y - axis - gap - over.below}, size);
      set(box.parts[1], {at.x + (width - under.width) / 2, at.y - axis + gap + under.above}, size);
      ImGui::GetWindowDrawList()->AddLine({at.x + side / 2, at.y - axis}, {at.x + width - side / 2, at.y - axis},
                                          packed(theme_.text), std::max(1.0F, 0.07F * size));
    }
    return {width, axis + gap + over.height(), under.height() + gap - axis};
  }

  MathSize scripts(const Math& box, ImVec2 at, float size) {
    const float small = script_size(size);
    const MathSize base = set(box.parts[0], at, size);
    const MathSize low = measured(box.parts[1], small), high = measured(box.parts[2], small);
    if (draws_) {
      set(box.parts[1], {at.x + base.width, at.y + 0.25F * size}, small);
      set(box.parts[2], {at.x + base.width, at.y - 0.42F * size}, small);
    }
    return {base.width + std::max(low.width, high.width) + 0.06F * size,
            std::max(base.above, high.width > 0 ? high.above + 0.42F * size : 0),
            std::max(base.below, low.width > 0 ? low.below + 0.25F * size : 0)};
  }

  void tell(const Math& box, ImVec2 low, ImVec2 high) {
    const int nth = ++seen_[box.text];
    const std::string name = fmt::format("{}:{}{}", id_, box.text, nth == 1 ? "" : fmt::format("#{}", nth));
    ImGui::SetCursorScreenPos(low);
    ImGui::InvisibleButton(name.c_str(), {std::max(high.x - low.x, 1.0F), std::max(high.y - low.y, 1.0F)});
    if (!ImGui::IsItemHovered()) return;
    ImGui::GetWindowDrawList()->AddRectFilled(low, high, packed(theme_.accent, 0.16F), 3 * theme_.scale);
    ImGui::BeginTooltip();  // at once: whoever points at a symbol asks what it is
    ImGui::PushTextWrapPos(ImGui::GetFontSize() * 30);
    ImGui::TextUnformatted(box.meaning.c_str());
    if (!box.number.empty()) ImGui::TextColored(theme_.value, "%s = %s", box.text.c_str(), box.number.c_str());
    ImGui::PopTextWrapPos();
    ImGui::EndTooltip();
  }

  const Theme& theme_;
  const char* id_;
  bool draws_;
  std::map<std::string, int> seen_;
};

}  // namespace

MathSize measure_math(const Theme& theme, const Math& formula, float size) {
  return Setter(theme, "", false).set(formula, {0, 0}, size);
}

MathSize draw_math(const Theme& theme, const char* id, const Math& formula, ImVec2 at, float size) {
  const float above = measure_math(theme, formula, size).above;
  return Setter(theme, id, true).set(formula, {at.x, at.y + above}, size);
}

}  // namespace app
