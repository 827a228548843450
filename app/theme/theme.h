// Colours, spacing and type: the only numbers about looks. Roles, not places; the same role means the same thing in
// every view.
#pragma once

#include <imgui.h>

#include <cstdint>

struct ImFont;

namespace app {

struct Theme {
  bool light = false;
  ImVec4 window, panel, well, border;
  ImVec4 text, secondary, faint;
  ImVec4 accent, accent_filled;
  ImVec4 value, warning, error, success;
  ImVec4 euler, trapezoid, model_lambda;  // the three rules: the same colours everywhere
  ImVec4 this_input, last_input;          // gamma and beta: weights, and no rule
  ImFont* words = nullptr;                // Roboto
  ImFont* bold = nullptr;
  ImFont* numbers = nullptr;  // Inconsolata: columns align
  ImFont* icons = nullptr;    // Font Awesome
  float scale = 1.0F;
};

// The roles' values, dark or light; faces and scale are left alone.
void set_colours(Theme& theme, bool light);
// Gives Dear ImGui and ImPlot the theme's colours and its sizes at the theme's scale. Both contexts must be current.
void apply_style(const Theme& theme);

// Colour of a stage's kind, by engine::StageKind as an int, so that the theme knows no engine header.
ImVec4 stage_colour(int stage_kind);
// Colours that tell models apart in one plot; they repeat after six. None of them is a rule's.
ImVec4 series_colour(const Theme& theme, int index);
// Cyclic, perceptually even map of an angle in radians.
ImVec4 phase_colour(float radians);
// Sequential (viridis) for t in [0, 1]; diverging blue, well, orange for t in [-1, 1].
ImVec4 sequential_colour(float t);
ImVec4 diverging_colour(const Theme& theme, float t);

}  // namespace app
