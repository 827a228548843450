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

const SampleStrip& samples_of(Document& document) {
  TimingCache::Samples& cache = document.timing_cache.samples;
  if (cache.of == document.timing_cache.shown && cache.of) return cache.strip;
  cache.of = document.timing_cache.shown;
  cache.strip = document.recording && document.recording->samples
                    ? make_sample_strip(*document.recording->samples, cache.of ? cache.of->token : -1)
                    : SampleStrip();
  return cache.strip;
}

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
  ImGui::TextDisabled("Hardware samples of token %lld in another run of the same steps.",
                      static_cast<long long>(strip.token));
  ImGui::EndTooltip();
}

void draw_samples_legend(const Theme& theme, const SampleStrip& strip, Flow& flow) {
  const SampleColours colours = sample_colours(theme);
  const std::pair<const char*, ImVec4> entries[] = {{"DRAM read", colours.read},
                                                    {"DRAM write", colours.write},
                                                    {"SM active", colours.active},
                                                    {"tensor active", colours.tensor}};
  const std::string tip = fmt::format(
      "Hardware counters every {} µs, below the kernels and on their axis, 0 to 100 % of the device's peak. Token {} "
      "in "
      "another run of the same steps{}; its first kernel began within the first sample.",
      number_text(strip.interval_us, 2), strip.token, strip.own ? "" : " (this one was not sampled)");
  if (!strip.own) {
    const std::string other = fmt::format("samples of token {}", strip.token);
    flow.place(chip_width(other.c_str()));
    fact_chip(theme, other.c_str(), tip.c_str(), theme.warning);
  }
  for (const auto& [name, colour] : entries) {
    if (readings(strip, name) == nullptr) continue;
    flow.place(chip_width(name));
    fact_chip(theme, name, tip.c_str(), colour);
  }
}

}  // namespace app
