// Hardware samples below kernels, on the kernels' axis of time: memory read and written as areas one above the other, the
// multiprocessors at work as a line, the tensor cores as another. All are shares of the device's peaks.
#include "app/panels/timing_parts.h"
#include "app/panels/widgets.h"
#include "app/viewmodel/numbers.h"

#include <fmt/format.h>
#include <implot.h>

#include <algorithm>
#include <cmath>

namespace app {
namespace {

// Readings by name, as sample_name() has them; null: not sampled.
const std::vector<double>* readings(const SampleStrip& strip, const char* name) {
  const auto at = std::find(strip.names.begin(), strip.names.end(), name);
  return at == strip.names.end() ? nullptr : &strip.percents[static_cast<std::size_t>(at - strip.names.begin())];
}

float share_of(const std::vector<double>* percents, std::size_t i) {
  if (percents == nullptr || !std::isfinite((*percents)[i])) return 0;
  return static_cast<float>(std::clamp((*percents)[i] / 100, 0.0, 1.0));
}

}  // namespace

SampleColours sample_colours(const Theme& theme) { return {theme.accent, theme.value, theme.text, theme.success}; }

namespace {

const TokenSamples* token_samples(const Document& document) {
  if (!document.recording) return document.samples.get();
  return document.recording->samples ? &*document.recording->samples : nullptr;
}

TimingCache::Samples& kept_samples(Document& document) {
  TimingCache::Samples& cache = document.timing_cache.samples;
  const TokenSamples* from = has_samples(document) ? token_samples(document) : nullptr;
  const auto& shown = document.timing_cache.shown;
  const bool same_source = cache.from == from;
  if (same_source && cache.of == shown && cache.of) return cache;
  cache.of = shown;
  cache.from = from;
  cache.strip = from != nullptr ? make_sample_strip(*from, shown ? shown->token : -1) : SampleStrip();
  if (from == nullptr) {
    cache.all.clear();
  } else if (!document.recording) {
    // Their tokens were others, of the same shape: they stand below the one that is shown.
    cache.strip.apart = true;
    cache.strip.own = false;
    cache.all.clear();
    if (shown && !shown->stages.empty())
      cache.all.push_back(
          {cache.strip, static_cast<double>(shown->stages.front().start_ns - shown->wall_start_ns) / 1e3});
  } else if (!same_source) {
    cache.all = place_sample_strips(*from, document.recording->tokens);
  }
  return cache;
}

}  // namespace

bool has_samples(const Document& document) {
  const TokenSamples* samples = token_samples(document);
  return samples != nullptr && samples->why.reason.empty() && !samples->tokens.empty();
}

const SampleStrip& samples_of(Document& document) { return kept_samples(document).strip; }

const std::vector<PlacedStrip>& all_samples_of(Document& document) { return kept_samples(document).all; }

void draw_samples(const Theme& theme, ImDrawList* list, const SampleStrip& strip, const SampleArea& area) {
  const float height = area.high.y - area.low.y;
  const SampleColours colours = sample_colours(theme);
  list->AddRectFilled(area.low, area.high, packed(theme.secondary, 0.08F));
  const auto *read = readings(strip, "DRAM read"), *write = readings(strip, "DRAM write"),
             *active = readings(strip, "SM active"), *tensor = readings(strip, "tensor active");
  const double span = std::max(1e-9, area.to_us - area.from_us);
  const auto x_of = [&](double us) {
    return area.low.x + (area.high.x - area.low.x) * static_cast<float>((us - area.from_us) / span);
  };
  ImVec2 before_active, before_tensor;
  bool first = true;
  float drawn_to = -INFINITY;
  for (std::size_t i = 0; i < strip.start_us.size(); ++i) {
    const double end = strip.start_us[i] + strip.interval_us;
    if (end <= area.from_us || strip.start_us[i] >= area.to_us) continue;
    const float left = std::max(area.low.x, x_of(strip.start_us[i])), right = std::min(area.high.x, x_of(end));
    // No more columns than pixels.
    if (right - drawn_to < 1) continue;
    drawn_to = right;
    const float of_read = share_of(read, i) * height, of_write = share_of(write, i) * height;
    const float y_read = area.high.y - of_read, y_write = std::max(area.low.y, y_read - of_write);
    if (of_read > 0) list->AddRectFilled({left, y_read}, {right, area.high.y}, packed(colours.read, 0.75F));
    if (of_write > 0) list->AddRectFilled({left, y_write}, {right, y_read}, packed(colours.write, 0.8F));
    const float middle = (left + right) / 2;
    const ImVec2 at_active(middle, area.high.y - share_of(active, i) * height);
    const ImVec2 at_tensor(middle, area.high.y - share_of(tensor, i) * height);
    if (!first && active != nullptr) list->AddLine(before_active, at_active, packed(colours.active, 0.8F), theme.scale);
    if (!first && tensor != nullptr && (at_tensor.y < area.high.y - 0.5F || before_tensor.y < area.high.y - 0.5F))
      list->AddLine(before_tensor, at_tensor, packed(colours.tensor), theme.scale);
    before_active = at_active;
    before_tensor = at_tensor;
    first = false;
  }
}

void draw_samples_tooltip(const SampleStrip& strip, double us) {
  const int at = strip.at(us);
  if (at < 0 || !ImGui::BeginTooltip()) return;
  const auto i = static_cast<std::size_t>(at);
  ImGui::Text("%s µs after the first kernel, for %s µs", number_text(strip.start_us[i], 4).c_str(),
              number_text(strip.interval_us, 2).c_str());
  for (std::size_t m = 0; m < strip.names.size(); ++m)
    if (std::isfinite(strip.percents[m][i]))
      ImGui::Text("%s %.1f %% of the peak", strip.names[m].c_str(), strip.percents[m][i]);
  if (strip.apart)
    ImGui::TextDisabled("Hardware samples of a step of its own, of the same shape.");
  else
    ImGui::TextDisabled("Hardware samples of token %lld in another run of the same steps.",
                        static_cast<long long>(strip.token));
  ImGui::EndTooltip();
}

namespace {

const char* const apart_words = "sampled in a step of its own";

}  // namespace

const SampleStrip& samples_below(Document& document) {
  static const SampleStrip none;
  const SampleStrip& strip = samples_of(document);
  return strip.own || strip.apart ? strip : none;
}

void name_samples(const Theme& theme, ImDrawList* list, const SampleStrip& strip, ImVec2 low, ImVec2 high) {
  if (!strip.apart) return;
  push_small(theme);
  const ImVec2 words = ImGui::CalcTextSize(apart_words);
  const float pad = 4 * theme.scale;
  const ImVec2 at(std::max(low.x, list->GetClipRectMin().x) + pad, low.y);
  if (at.x + words.x + pad <= std::min(high.x, list->GetClipRectMax().x) && high.y - low.y >= words.y) {
    list->AddRectFilled({at.x - pad / 2, at.y}, {at.x + words.x + pad / 2, at.y + words.y}, packed(theme.well, 0.85F),
                        3 * theme.scale);
    list->AddText(at, packed(theme.warning), apart_words);
  }
  ImGui::PopFont();
}

void draw_samples_legend(PanelContext& context, Document& document, bool all, Flow& flow) {
  const Theme& theme = context.theme;
  const SampleStrip& strip = samples_of(document);
  const std::vector<PlacedStrip>& placed = all_samples_of(document);
  const SampleColours colours = sample_colours(theme);
  const std::pair<const char*, ImVec4> entries[] = {{"DRAM read", colours.read},
                                                    {"DRAM write", colours.write},
                                                    {"SM active", colours.active},
                                                    {"tensor active", colours.tensor}};
  const std::string tip = fmt::format(
      "Hardware counters every {} µs, below the kernels and on their axis, 0 to 100 % of the device's peak. {}; a "
      "token's first kernel began within its first sample.",
      number_text(strip.interval_us, 2),
      strip.apart ? "Sampled while steps of this shape ran in a second process"
                  : "Sampled in another run of the same steps");
  const std::string sampled =
      placed.size() > 1 ? fmt::format("tokens {} to {}", placed.front().strip.token, placed.back().strip.token)
                        : fmt::format("token {}", strip.token);
  if (!all && samples_below(document).empty()) {
    const std::string words = fmt::format("samples: {}", sampled);
    flow.place(chip_width(words.c_str()));
    if (chip(theme, words.c_str(), false, "The shown token was not sampled. Click for the first one that was."))
      context.workspace.select_token(strip.token);
    return;
  }
  const std::string whose = strip.apart ? apart_words : all ? "samples of " + sampled : std::string();
  if (!whose.empty()) {
    flow.place(chip_width(whose.c_str()));
    fact_chip(theme, whose.c_str(), tip.c_str(), strip.apart ? theme.warning : theme.secondary);
  }
  for (const auto& [name, colour] : entries) {
    if (readings(strip, name) == nullptr) continue;
    flow.place(chip_width(name));
    fact_chip(theme, name, tip.c_str(), colour);
  }
}

}  // namespace app
