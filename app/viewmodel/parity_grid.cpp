#include "app/viewmodel/parity_grid.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace app {

using engine::ParityCell;
using engine::ParityRow;
using engine::ParityTensor;

int chosen_row(const engine::ParityReport& report, int asked) {
  const int rows = static_cast<int>(report.rows.size());
  if (asked >= 0 && asked < rows) return asked;
  int first = -1;
  for (int i = 0; i < rows; ++i) {
    const ParityRow& row = report.rows[static_cast<std::size_t>(i)];
    if (row.outcome != ParityRow::Outcome::measured) continue;
    if (!row.pass()) return i;
    if (first < 0) first = i;
  }
  return first;
}

float heat(const ParityCell& cell) {
  if (!(cell.of_limit > 0)) return std::isnan(cell.of_limit) ? 1.0F : 0.0F;
  const double t = 1 + std::log10(cell.of_limit) / decades_below_limit;
  return static_cast<float>(std::clamp(t, 0.0, 1.0));
}

std::string cell_text(const ParityCell& cell) {
  if (cell.not_finite > 0) return "NaN";
  if (cell.difference == 0) return "0";
  if (std::isinf(cell.difference)) return "∞";
  if (cell.tensor == ParityTensor::turns) return fmt::format("{:.0f}", cell.difference);
  return fmt::format("{:.0e}", cell.difference);
}

std::string cell_words(const engine::ModelConfig& config, const ParityCell& cell) {
  const std::string name = engine::describe(cell);
  if (cell.values == 0)
    return fmt::format("{} was not compared: {}.", name,
                       cell.tensor == ParityTensor::mlp && !config.has_mlp()
                           ? "the model has no MLP"
                           : "what is added to the residual is seen step by step alone");
  const std::string where = fmt::format("{} with {:.7g}, in the reference {:.7g}",
                                        engine::place_in(config, cell.tensor, cell.index), cell.found, cell.expected);
  if (cell.not_finite > 0)
    return fmt::format("{}: {} of {} values are not finite, first {}.", name, cell.not_finite, cell.values, where);
  if (cell.difference == 0) return fmt::format("{}: all {} values are the reference's.", name, cell.values);
  if (cell.tensor == ParityTensor::turns)
    return fmt::format("{}: {:.0f} whole turns off, {}.", name, cell.difference, where);
  return fmt::format("{}: {:.2e} of the tensor's largest value, {:.3g} times the limit; worst of {} values: {}.", name,
                     cell.difference, cell.of_limit, cell.values, where);
}

std::string verdict_words(const engine::ModelConfig& config, const ParityRow& row) {
  if (row.outcome == ParityRow::Outcome::absent) return fmt::format("{} was not run. {}", row.name, row.message);
  if (row.outcome == ParityRow::Outcome::failed) return fmt::format("{} failed. {}", row.name, row.message);
  std::string again = row.repeatable ? " The second run gave the same bits."
                                     : fmt::format(" A second run gave other bits, first in {}.", row.first_unequal);
  if (row.text_rtol > engine::ParityOptions().rtol)
    again += fmt::format(" Held to {:g}: a prefill's products round otherwise.", row.text_rtol);
  if (const ParityCell* begins = row.begins()) {
    const std::string cell = engine::describe(*begins);
    const std::string place = engine::place_in(config, begins->tensor, begins->index);
    if (row.begins_in_step()) return fmt::format("{} is wrong from {} on, {}.{}", row.name, cell, place, again);
    return fmt::format(
        "{} is wrong; first seen in {}, {}, after the text, where what mixers and MLPs add is not compared.{}",
        row.name, cell, place, again);
  }
  // Over both views, as pass() judges them.
  const ParityCell* worst = ParityRow::worst(row.step);
  if (const ParityCell* text = ParityRow::worst(row.text);
      row.judged_text && text != nullptr && (worst == nullptr || text->of_limit > worst->of_limit))
    worst = text;
  if (worst == nullptr || worst->of_limit == 0)
    return fmt::format("{} agrees with the reference in every value, rounded to fp32.{}", row.name, again);
  return fmt::format("{} agrees with the reference: at most {:.2g} times the limit, in {}.{}", row.name,
                     worst->of_limit, engine::describe(*worst), again);
}

}  // namespace app
