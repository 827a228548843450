// The complex plane of one row of a head's state: a phasor per channel pair, trails, rings of equal magnitude.
#include "app/panels/parts.h"
#include "app/panels/plot.h"
#include "app/panels/rotations.h"
#include "app/viewmodel/in_force.h"
#include "app/viewmodel/numbers.h"
#include "app/viewmodel/shown.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

namespace app {

namespace {

constexpr double sweep_seconds = 0.12;
constexpr int most_segments = 3000;  // of all trails together

struct Sweep {
  std::int64_t index = -1;
  Selection place;
  double changed = -1;  // when the shown token last changed, seconds
  bool moving = false;
};

// How far the newest step is drawn, in [0, 1]: below 1 only for a single step forward that did not follow another one
// at once.
double sweep_position(const RotationsData& data, bool& moving) {
  static Sweep sweep;
  const double now = ImGui::GetTime();
  Selection place = data.selection;
  place.token = -1;
  if (sweep.index != data.index || !(sweep.place == place)) {
    const bool one_forward = data.index == sweep.index + 1 && sweep.place == place && data.index > 0;
    sweep.moving = one_forward && now - sweep.changed > 0.2;
    sweep.index = data.index;
    sweep.place = place;
    sweep.changed = now;
  }
  const double s = sweep.moving ? (now - sweep.changed) / sweep_seconds : 1.0;
  moving = s < 1;
  if (!moving) sweep.moving = false;
  const double t = std::clamp(s, 0.0, 1.0);
  return t * t * (3 - 2 * t);
}

double nice_radius(double radius) {
  if (!(radius > 0) || !std::isfinite(radius)) return 1;
  const double unit = std::pow(10.0, std::floor(std::log10(radius)));
  for (const double step : {1.0, 1.2, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0}) {
    if (radius <= step * unit) return step * unit;
  }
  return 10 * unit;
}

double ring_step(double radius) {
  const double unit = std::pow(10.0, std::floor(std::log10(radius)));
  const double share = radius / unit;
  return unit * (share > 6 ? 2 : share > 3 ? 1 : share > 1.5 ? 0.5 : 0.25);
}

ImVec4 pair_colour(const PhasorTrack& track, Complex z, int turning, bool by_phase) {
  if (by_phase) return phase_colour(static_cast<float>(std::arg(z)));
  return phase_colour(static_cast<float>(2 * pi * track.pair / std::max(turning, 1)));
}

// The plane's radial scale while a frame is drawn: |z|, or its square root.
bool root_radius = false;

double radial(double magnitude) { return root_radius ? std::sqrt(magnitude) : magnitude; }

ImVec2 pixels(Complex z) {
  if (root_radius) {
    const double magnitude = std::abs(z);
    if (magnitude > 0) z *= radial(magnitude) / magnitude;
  }
  return ImPlot::PlotToPixels(z.real(), z.imag());
}

void draw_rings(const Theme& theme, double radius) {
  ImDrawList* list = ImPlot::GetPlotDrawList();
  const ImVec2 origin = pixels({0, 0});
  const ImPlotRect limits = ImPlot::GetPlotLimits();
  const ImU32 line = packed(theme.secondary, 0.16F), strong = packed(theme.secondary, 0.28F);
  const double step = ring_step(radius);
  const float size = small_size(theme) * 0.92F;
  std::vector<double> rings;
  if (root_radius) {
    rings = {0.02 * radius, 0.1 * radius, 0.25 * radius, 0.5 * radius, radius};
  } else {
    for (int i = 1; i * step <= radius * (1 + 1e-6); ++i) rings.push_back(i * step);
  }
  for (const double ring : rings) {
    const bool last = ring == rings.back();
    const float r = pixels({ring, 0}).x - origin.x;
    list->AddCircle(origin, r, last ? strong : line, 72, theme.scale);
    // Labels lie closer than the rings are far apart in a small plane: there only the outer one has its own.
    if (!last && ImPlot::GetPlotSize().y < 130 * theme.scale) continue;
    const std::string text = (last ? "|z| = " : "") + number_text(ring, 2);
    const ImVec2 at = pixels(std::polar(ring, 0.30 * pi));
    list->AddText(theme.numbers, size, {at.x + 3 * theme.scale, std::max(at.y - size, ImPlot::GetPlotPos().y)},
                  packed(theme.faint), text.c_str());
  }
  const ImVec2 left = ImPlot::PlotToPixels(limits.X.Min, 0), right = ImPlot::PlotToPixels(limits.X.Max, 0);
  const ImVec2 top = ImPlot::PlotToPixels(0, limits.Y.Max), bottom = ImPlot::PlotToPixels(0, limits.Y.Min);
  list->AddLine(left, right, strong, theme.scale);
  list->AddLine(top, bottom, strong, theme.scale);
  list->AddText(theme.words, size, {right.x - 20 * theme.scale, right.y + 2 * theme.scale}, packed(theme.faint), "Re");
  list->AddText(theme.words, size, {top.x + 5 * theme.scale, top.y + 2 * theme.scale}, packed(theme.faint), "Im");
}

// Points of a trail between tokens, along the arc that each step took.
void draw_trail(const Theme& theme, const RotationsData& data, const PhasorTrack& track, bool selected, bool by_phase,
                int turning, int per_turn, double s) {
  ImDrawList* list = ImPlot::GetPlotDrawList();
  const std::size_t count = track.trail.size();
  for (std::size_t t = 1; t < count; ++t) {
    const double turn = track.turn[t];
    const int most = selected ? 48 : per_turn;
    const int pieces = std::clamp(static_cast<int>(std::ceil(std::abs(turn) / (2 * pi) * most)), 1, most);
    const double age = static_cast<double>(count - 1 - t) / static_cast<double>(count);
    const auto alpha = static_cast<float>((selected ? 0.95 : 0.42) * (1 - age) * (1 - age));
    if (alpha < 0.035F) continue;
    const double until = t + 1 == count ? s : 1.0;
    ImVec2 from = pixels(track.trail[t - 1]);
    for (int i = 1; i <= pieces; ++i) {
      const Complex z = along_step(track.trail[t - 1], track.trail[t], turn, data.phasors.alpha[t], until * i / pieces);
      const ImVec2 to = pixels(z);
      list->AddLine(from, to, packed(pair_colour(track, z, turning, by_phase), alpha),
                    (selected ? 1.8F : 1.0F) * theme.scale);
      from = to;
    }
  }
}

// The selected pair's newest step taken apart: where it stood, the arc of its turn and decay alone, and what the input
// added from there.
void draw_last_step(const Theme& theme, const RotationsData& data, const PhasorTrack& track, double s) {
  if (track.trail.size() < 2) return;
  ImDrawList* list = ImPlot::GetPlotDrawList();
  const Complex before = track.trail[track.trail.size() - 2];
  const double turn = track.turn.back(), alpha = data.phasors.alpha.back();
  const Complex carried = before * std::polar(alpha, -turn);
  if (!std::isfinite(std::abs(carried))) return;
  const float r = 3.6F * theme.scale;
  const ImU32 line = packed(theme.value, 0.9F);
  list->AddCircle(pixels(before), r, packed(theme.text, 0.6F), 16, 1.2F * theme.scale);
  const int pieces = std::clamp(static_cast<int>(std::ceil(std::abs(turn) * 10)), 1, 64);
  for (int i = 0; i <= pieces; ++i) {
    const double share = s * i / pieces;
    list->PathLineTo(pixels(before * std::polar(std::pow(alpha, share), -turn * share)));
  }
  list->PathStroke(line, 0, 1.6F * theme.scale);
  if (s < 1) return;
  const ImVec2 from = pixels(carried), to = pixels(track.trail.back());
  list->AddCircle(from, r, line, 16, 1.4F * theme.scale);
  // Dashes, straight in z whatever the radial scale.
  const float length = std::hypot(to.x - from.x, to.y - from.y);
  const int dashes = std::clamp(static_cast<int>(length / (10 * theme.scale)), 1, 64);
  const Complex step = (track.trail.back() - carried) / static_cast<double>(dashes);
  for (int i = 0; i < dashes; ++i) {
    const double at = i;
    list->AddLine(pixels(carried + at * step), pixels(carried + (at + 0.5) * step), line, 1.2F * theme.scale);
  }
}

// The last token's biased keys of the selected pair, one for each rank: the directions that the token wrote along. Of a
// scale of their own, the longest next to the outer ring.
void draw_keys(const Theme& theme, const RotationsData& data, double radius) {
  const engine::ModelConfig& config = data.snapshot->model->config();
  const engine::LayerState* layer = layer_at(*data.snapshot, data.index, data.selection.layer);
  if (layer == nullptr) return;
  std::vector<Complex> keys;
  double longest = 0;
  for (int rank = 0; rank < config.rank(); ++rank) {
    const std::vector<Complex> all =
        engine::complex_key(config, *layer, data.selection.head, rank, frame_of(data.selection.frame));
    if (static_cast<std::size_t>(data.selection.pair) >= all.size()) return;
    keys.push_back(all[static_cast<std::size_t>(data.selection.pair)]);
    longest = std::max(longest, std::abs(keys.back()));
  }
  if (!(longest > 0) || !std::isfinite(longest)) return;
  ImDrawList* list = ImPlot::GetPlotDrawList();
  const float r = 4.5F * theme.scale, size = small_size(theme) * 0.92F;
  const ImU32 ink = packed(theme.text, 0.85F), back = packed(theme.panel, 0.8F);
  const ImVec2 origin = pixels({0, 0});
  struct Mark {
    ImVec2 at;
    std::string text;
  };
  std::vector<Mark> marks;
  for (std::size_t rank = 0; rank < keys.size(); ++rank) {
    const double share = std::abs(keys[rank]) / longest;
    const ImVec2 at = pixels(std::polar(0.94 * radius * (root_radius ? share * share : share), std::arg(keys[rank])));
    list->AddLine(origin, at, packed(theme.text, 0.28F), theme.scale);
    list->AddQuadFilled({at.x, at.y - r}, {at.x + r, at.y}, {at.x, at.y + r}, {at.x - r, at.y}, back);
    list->AddQuad({at.x, at.y - r}, {at.x + r, at.y}, {at.x, at.y + r}, {at.x - r, at.y}, ink, 1.4F * theme.scale);
    marks.push_back({at, keys.size() > 1 ? fmt::format("k{}", rank) : "k"});
  }
  // Keys that lie together have their names below each other, from the highest one down.
  std::sort(marks.begin(), marks.end(), [](const Mark& a, const Mark& b) { return a.at.y < b.at.y; });
  ImVec2 before(-1e6F, -1e6F);
  for (const Mark& mark : marks) {
    const float wide = theme.numbers->CalcTextSizeA(size, 1e9F, 0, mark.text.c_str()).x;
    ImVec2 label(mark.at.x + r + 3 * theme.scale, mark.at.y - size / 2);
    if (std::abs(label.x - before.x) < 3 * wide) label.y = std::max(label.y, before.y + size * 1.1F);
    list->AddRectFilled({label.x - 1, label.y}, {label.x + wide + 1, label.y + size}, back, 2 * theme.scale);
    list->AddText(theme.numbers, size, label, ink, mark.text.c_str());
    before = label;
  }
}

// What the marks mean, in the lower left corner.
void draw_key(const Theme& theme, const RotationsData& data, bool keys) {
  const ImVec2 pos = ImPlot::GetPlotPos(), space = ImPlot::GetPlotSize();
  if (space.y < 260 * theme.scale) return;
  ImDrawList* list = ImPlot::GetPlotDrawList();
  const float size = small_size(theme) * 0.92F, line = size * 1.25F;
  const bool turned = data.selection.frame == Frame::unrotated;
  const bool real = data.snapshot->model->config().angles() < data.snapshot->model->config().d_state / 2;
  const char* turned_text = turned ? "turned by −Δθ, then the input added" : "decayed, then the input added";
  float y = pos.y + space.y - line;
  const float x = pos.x + size * 0.5F;
  const float width = theme.words->CalcTextSizeA(size, 1e9F, 0, turned_text).x + size * 1.6F;
  list->AddRectFilled({pos.x, pos.y + space.y - (1.0F + (real ? 1.0F : 0.0F) + (keys ? 1.0F : 0.0F)) * line - 2},
                      {pos.x + width, pos.y + space.y}, packed(theme.panel, 0.8F), 3 * theme.scale);
  if (keys) {
    const float r = size * 0.3F, cy = y + size * 0.55F;
    list->AddQuad({x, cy - r}, {x + r, cy}, {x, cy + r}, {x - r, cy}, packed(theme.text, 0.85F), 1.3F * theme.scale);
    list->AddText(theme.words, size, {x + size * 0.7F, y}, packed(theme.faint), "key of a rank, own scale");
    y -= line;
  }
  if (real) {
    list->AddLine({x, y + size * 0.15F}, {x, y + size * 0.95F}, packed(theme.secondary), 1.3F * theme.scale);
    list->AddText(theme.words, size, {x + size * 0.7F, y}, packed(theme.faint), "real channels, on Re");
    y -= line;
  }
  list->AddCircle({x, y + size * 0.55F}, size * 0.28F, packed(theme.value), 14, 1.3F * theme.scale);
  list->AddText(theme.words, size, {x + size * 0.7F, y}, packed(theme.faint), turned_text);
}

// Real channels lie on the real axis: two ticks for each pair that never turns.
void draw_real_channels(const Theme& theme, const RotationsData& data) {
  ImDrawList* list = ImPlot::GetPlotDrawList();
  const float h = 5 * theme.scale;
  for (const PhasorTrack& track : data.phasors.tracks) {
    if (track.turns) continue;
    const bool selected = track.pair == data.selection.pair;
    const Complex z = track.trail.back();
    for (const double value : {z.real(), z.imag()}) {
      const ImVec2 at = pixels({value, 0});
      list->AddLine({at.x, at.y - h}, {at.x, at.y + h},
                    packed(selected ? theme.text : theme.secondary, selected ? 1.0F : 0.55F),
                    (selected ? 2.0F : 1.2F) * theme.scale);
    }
  }
}

std::string selected_label(const RotationsData& data) {
  const engine::ModelConfig& config = data.snapshot->model->config();
  const int pair = data.selection.pair;
  if (pair >= config.angles()) return fmt::format("pair {} · real, never turns", pair);
  const std::string symbol = token_text(*data.snapshot, data.index);
  const double turn = turn_at(*data.snapshot, data.index, data.selection.layer, data.selection.head, pair);
  if (!std::isfinite(turn)) return fmt::format("pair {}", pair);
  const char* subject = data.selection.frame == Frame::stored ? "its key turned" : "turned";
  if (is_clear_turn(turn)) {
    std::string name = turn_label(turn);
    if (name == "½ turn") name = "½";
    return fmt::format("pair {}: {} {} on “{}”", pair, subject, name, symbol);
  }
  if (std::abs(turn) < 0.02 * 2 * pi) return fmt::format("pair {}: stood still on “{}”", pair, symbol);
  return fmt::format("pair {}: {} {} rad on “{}”", pair, subject, number_text(-turn, 3), symbol);
}

void draw_label(const Theme& theme, ImVec2 dot, const std::string& text) {
  ImDrawList* list = ImPlot::GetPlotDrawList();
  const float size = small_size(theme);
  const ImVec2 extent = theme.words->CalcTextSizeA(size, 1e9F, 0, text.c_str());
  const ImVec2 pos = ImPlot::GetPlotPos(), space = ImPlot::GetPlotSize();
  const float pad = 4 * theme.scale;
  ImVec2 at(dot.x + 12 * theme.scale, dot.y - extent.y - 8 * theme.scale);
  at.x = std::clamp(at.x, pos.x + pad, std::max(pos.x + pad, pos.x + space.x - extent.x - 2 * pad));
  at.y = std::clamp(at.y, pos.y + pad, std::max(pos.y + pad, pos.y + space.y - extent.y - pad));
  list->AddRectFilled({at.x - pad, at.y - pad / 2}, {at.x + extent.x + pad, at.y + extent.y + pad / 2},
                      packed(theme.panel, 0.82F), 3 * theme.scale);
  list->AddText(theme.words, size, at, packed(theme.text), text.c_str());
}

void tooltip_of(const RotationsData& data, const PhasorTrack& track) {
  const engine::ModelConfig& config = data.snapshot->model->config();
  const Complex z = track.trail.back();
  ImGui::BeginTooltip();
  ImGui::Text("pair %d: channels %d and %d", track.pair, config.pair_first(track.pair), config.pair_second(track.pair));
  if (track.turns) {
    ImGui::Text("z = %s %s %si", number_text(z.real()).c_str(), z.imag() < 0 ? "-" : "+",
                number_text(std::abs(z.imag())).c_str());
    ImGui::Text("|z| %s, phase %s rad", number_text(std::abs(z)).c_str(), number_text(std::arg(z)).c_str());
    ImGui::Text("Δθ %s rad at this token", number_text(data.turns[static_cast<std::size_t>(track.pair)].turn).c_str());
  } else {
    ImGui::Text("real values %s and %s, no rotation", number_text(z.real()).c_str(), number_text(z.imag()).c_str());
  }
  ImGui::EndTooltip();
}

const PhasorTrack* nearest(const RotationsData& data, ImVec2 mouse, float reach) {
  const PhasorTrack* best = nullptr;
  float closest = reach * reach;
  const auto consider = [&](const PhasorTrack& track, Complex z) {
    const ImVec2 at = pixels(z);
    const float dx = at.x - mouse.x, dy = at.y - mouse.y;
    if (dx * dx + dy * dy >= closest) return;
    closest = dx * dx + dy * dy;
    best = &track;
  };
  for (const PhasorTrack& track : data.phasors.tracks) {
    const Complex z = track.trail.back();
    if (track.turns) {
      consider(track, z);
    } else {
      consider(track, {z.real(), 0});
      consider(track, {z.imag(), 0});
    }
  }
  return best;
}

Table phasor_table(const RotationsData& data) {
  Table table{"phasors", {{"token", {}}, {"pair", {}}, {"re", {}}, {"im", {}}, {"dtheta (rad)", {}}}};
  for (const PhasorTrack& track : data.phasors.tracks) {
    for (std::size_t t = 0; t < track.trail.size(); ++t) {
      table.columns[0].values.push_back(static_cast<double>(data.phasors.first_token) + static_cast<double>(t));
      table.columns[1].values.push_back(track.pair);
      table.columns[2].values.push_back(track.trail[t].real());
      table.columns[3].values.push_back(track.trail[t].imag());
      table.columns[4].values.push_back(track.turn[t]);
    }
  }
  return table;
}

void draw_tracks(const Theme& theme, const RotationsData& data, const RotationsSettings& settings, double s) {
  ImDrawList* list = ImPlot::GetPlotDrawList();
  const int turning = data.snapshot->model->config().angles();
  const auto steps = static_cast<int>(data.phasors.alpha.size());
  const int per_turn = std::clamp(2 * most_segments / std::max(turning * steps, 1), 2, 32);
  const ImVec2 origin = pixels({0, 0});
  draw_real_channels(theme, data);
  for (const bool selected : {false, true}) {  // the selected one lies on top
    for (const PhasorTrack& track : data.phasors.tracks) {
      if (!track.turns || selected != (track.pair == data.selection.pair)) continue;
      draw_trail(theme, data, track, selected, settings.colour_by_phase, turning, per_turn, s);
      Complex z = track.trail.back();
      if (track.trail.size() > 1 && s < 1) {
        z = along_step(track.trail[track.trail.size() - 2], z, track.turn.back(), data.phasors.alpha.back(), s);
      }
      if (!std::isfinite(z.real()) || !std::isfinite(z.imag())) continue;
      if (selected) draw_last_step(theme, data, track, s);
      const ImVec4 colour = pair_colour(track, z, turning, settings.colour_by_phase);
      const ImVec2 at = pixels(z);
      const float r = (selected ? 5.5F : 3.6F) * theme.scale;
      list->AddLine(origin, at, selected ? packed(theme.text) : packed(theme.secondary, 0.35F),
                    (selected ? 1.8F : 1.0F) * theme.scale);
      list->AddCircleFilled(at, r, packed(colour), selected ? 20 : 12);
      if (selected) {
        list->AddCircle(at, r + 1, packed(theme.text), 24, 1.6F * theme.scale);
        draw_label(theme, at, selected_label(data));
      }
    }
  }
}

}  // namespace

void draw_phasors(PanelContext& context, const RotationsData& data, const RotationsSettings& settings, ImVec2 size) {
  static double shown_radius = 0;
  static Selection shown_place;
  const Theme& theme = context.theme;
  Selection& selection = context.workspace.selection;
  double radius = 0;
  for (const PhasorTrack& track : data.phasors.tracks) {
    if (!track.turns && data.snapshot->model->config().angles() > 0) continue;
    for (const Complex z : track.trail) {
      if (std::isfinite(std::abs(z))) radius = std::max(radius, std::abs(z));
    }
  }
  radius = nice_radius(radius);
  Selection place = data.selection;
  place.token = -1;
  place.pair = 0;
  static bool refit = false;
  // Shrinking at once after one small token would make the picture breathe; growing has to be followed.
  static ImVec2 shown_size;
  const bool resized = shown_size.x != size.x || shown_size.y != size.y;
  shown_size = size;
  static bool shown_root = false;
  root_radius = settings.root_radius;
  const bool rescaled = shown_root != root_radius;
  shown_root = root_radius;
  const bool changed =
      resized || rescaled || refit || radius > shown_radius || radius < 0.4 * shown_radius || !(place == shown_place);
  refit = false;
  if (changed) shown_radius = radius;
  shown_place = place;

  heading(theme, fmt::format("{} state of row p = {}, token {} “{}”",
                             data.selection.frame == Frame::unrotated ? "un-rotated" : "stored", data.selection.row,
                             data.index, token_text(*data.snapshot, data.index)));
  size.y -= ImGui::GetItemRectSize().y + ImGui::GetStyle().ItemSpacing.y;
  ImPlot::PushStyleColor(ImPlotCol_PlotBg, ImVec4(0, 0, 0, 0));
  ImPlot::PushStyleColor(ImPlotCol_PlotBorder, ImVec4(0, 0, 0, 0));
  if (begin_plot(context, "##phasors", size, nullptr, nullptr, ImPlotFlags_Equal | ImPlotFlags_NoLegend,
                 ImPlotAxisFlags_NoDecorations, ImPlotAxisFlags_NoDecorations)) {
    // The whole outer ring fits, whichever side is longer.
    const double reach = radial(shown_radius) * 1.08, wide = std::max(1.0F, size.x / size.y),
                 tall = std::max(1.0F, size.y / size.x);
    ImPlot::SetupAxesLimits(-reach * wide, reach * wide, -reach * tall, reach * tall,
                            changed ? ImPlotCond_Always : ImPlotCond_Once);
    ImPlot::SetupFinish();
    bool moving = false;
    const double s = sweep_position(data, moving);
    ImPlot::PushPlotClipRect();
    draw_rings(theme, shown_radius);
    draw_tracks(theme, data, settings, s);
    if (settings.keys) draw_keys(theme, data, shown_radius);
    draw_key(theme, data, settings.keys);
    ImPlot::PopPlotClipRect();
    if (moving) context.workspace.requests.redraw = true;
    if (ImPlot::IsPlotHovered()) {
      refit = ImGui::IsMouseDoubleClicked(ImGuiMouseButton_Left);
      if (const PhasorTrack* found = nearest(data, ImGui::GetMousePos(), 12 * theme.scale)) {
        tooltip_of(data, *found);
        if (ImGui::IsMouseClicked(ImGuiMouseButton_Left)) selection.pair = found->pair;
      }
    }
    end_plot(context, [&] { return phasor_table(data); });
  }
  ImPlot::PopStyleColor(2);
}

}  // namespace app
