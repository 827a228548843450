#include "app/commands/parity_report.h"

#include "app/commands/options.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

namespace app {

namespace {

using engine::ParityCell;
using engine::ParityRow;
using engine::ParityTensor;
using nlohmann::ordered_json;

const char* name_of(const ParityRow& row) {
  if (row.outcome == ParityRow::Outcome::absent) return "not run";
  if (row.outcome == ParityRow::Outcome::failed) return "failed";
  return row.pass() ? "pass" : "FAIL";
}

// "3.1e-07 layer 0 ssm".
std::string worst_words(const std::vector<ParityCell>& cells) {
  const ParityCell* worst = ParityRow::worst(cells);
  if (worst == nullptr) return "-";
  if (worst->of_limit == 0) return "0";
  return fmt::format("{:.1e} {}", worst->difference, engine::describe(*worst));
}

std::string value_words(const engine::ModelConfig& config, const ParityCell& cell) {
  return fmt::format("{}: {:.6g} for {:.6g}", engine::place_in(config, cell.tensor, cell.index), cell.found,
                     cell.expected);
}

std::string row_text(const engine::ModelConfig& config, const ParityRow& row, double rtol,
                     const std::string& said_before) {
  std::string out = fmt::format("  {:<24} {:<8}", row.name, name_of(row));
  if (row.outcome != ParityRow::Outcome::measured)
    return out + (row.message == said_before ? "for the same reason" : row.message) + "\n";
  const std::size_t not_finite = ParityRow::not_finite(row.step) + ParityRow::not_finite(row.text);
  out += fmt::format("{:<27} {:<27} {:>10} {}\n", worst_words(row.step),
                     worst_words(row.text) + (row.judged_text ? "" : " *"), not_finite,
                     row.repeatable ? "same bits" : "other bits, first in " + row.first_unequal);
  if (row.text_rtol > rtol)
    out += fmt::format("  {:<24} held to {:g}: its products round otherwise\n", "", row.text_rtol);
  if (row.prefill && !row.chunked) out += fmt::format("  {:<24} this backend's prefill steps\n", "");
  if (const ParityCell* begins = row.begins()) {
    const bool in_step = row.begins_in_step();
    out += fmt::format("  {:<24} {} in {}, {}, {:.1e} relative, {}", "", in_step ? "begins" : "first seen",
                       engine::describe(*begins), value_words(config, *begins), begins->difference,
                       in_step ? "step by step" : "after the text, where what mixers and MLPs add is not compared");
    if (begins->not_finite > 0) out += fmt::format("; {} of {} not finite", begins->not_finite, begins->values);
    out += "\n";
  }
  return out;
}

std::string short_number(const ParityCell& cell) {
  if (cell.values == 0) return ".";
  if (cell.not_finite > 0) return "NaN";
  return cell.tensor == ParityTensor::turns ? fmt::format("{:.0f}", cell.difference)
                                            : fmt::format("{:.0e}", cell.difference);
}

// Layers by tensors; what is over its limit is marked.
std::string grid_text(const engine::ModelConfig& config, const ParityRow& row) {
  const std::vector<ParityCell>& cells = row.begins_in_step() ? row.step : row.text;
  std::string out = fmt::format("\n  {}, {}; ! is over the limit\n  {:>5}", row.name,
                                row.begins_in_step() ? "step by step" : "after the text", "layer");
  for (const ParityTensor tensor : engine::layer_tensors) out += fmt::format(" {:>6}", engine::name_of(tensor));
  out += "\n";
  const auto show = [&](int layer, ParityTensor tensor) {
    const ParityCell& cell = cells[engine::parity_cell_index(config, layer, tensor)];
    return short_number(cell) + (cell.over() ? "!" : "");
  };
  for (int layer = 0; layer < config.n_layer; ++layer) {
    out += fmt::format("  {:>5}", layer);
    for (const ParityTensor tensor : engine::layer_tensors) out += fmt::format(" {:>6}", show(layer, tensor));
    out += "\n";
  }
  return out +
         fmt::format("  embedding {}, logits {}\n", show(-1, ParityTensor::embedding), show(-1, ParityTensor::logits));
}

ordered_json number(double value) { return std::isfinite(value) ? ordered_json(value) : ordered_json(); }

ordered_json json_of(const engine::ModelConfig& config, const ParityCell& cell) {
  return {{"layer", cell.layer < 0 ? ordered_json() : ordered_json(cell.layer)},
          {"tensor", engine::name_of(cell.tensor)},
          {"values", cell.values},
          {"not_finite", cell.not_finite},
          {"difference", number(cell.difference)},
          {"times_the_limit", number(cell.of_limit)},
          {"over", cell.over()},
          {"where", engine::place_in(config, cell.tensor, cell.index)},
          {"index", cell.index},
          {"found", number(static_cast<double>(cell.found))},
          {"expected", number(static_cast<double>(cell.expected))}};
}

ordered_json json_of(const engine::ModelConfig& config, const std::vector<ParityCell>& cells) {
  ordered_json out = ordered_json::array();
  for (const ParityCell& cell : cells) {
    if (cell.values > 0) out.push_back(json_of(config, cell));
  }
  return out;
}

}  // namespace

std::string parity_text(const engine::Model& model, const engine::ParityReport& report) {
  std::string out = fmt::format(
      "parity of {}: token {} of {}, against the reference in double precision; limit {:g} of a tensor's largest "
      "value{}\n  {:<24} {:<8}{:<27} {:<27} {:>10} {}\n",
      model.name, report.tokens - 1, report.tokens, report.rtol, lambda_override_words(model), "candidate", "",
      "step by step: worst", "after the text: worst", "not finite", "run again");
  std::string said_before;
  for (const ParityRow& row : report.rows) {
    out += row_text(model.config(), row, report.rtol, said_before);
    said_before = row.message;
  }
  if (std::any_of(report.rows.begin(), report.rows.end(), [](const ParityRow& row) { return !row.judged_text; }))
    out += "  * what a bf16 state costs; not judged\n";
  for (const ParityRow& row : report.rows) {
    if (row.begins() != nullptr) out += grid_text(model.config(), row);
  }
  return out + (report.pass() ? "pass\n" : "FAIL\n");
}

ordered_json parity_json(const engine::Model& model, const engine::ParityReport& report) {
  const engine::ModelConfig& config = model.config();
  ordered_json candidates = ordered_json::array();
  for (const ParityRow& row : report.rows) {
    constexpr std::array outcomes = {"absent", "failed", "measured"};
    const ParityCell* begins = row.begins();
    const bool measured = row.outcome == ParityRow::Outcome::measured;
    ordered_json one = {{"name", row.name},
                        {"outcome", outcomes[static_cast<std::size_t>(row.outcome)]},
                        {"message", row.message},
                        {"device", row.device},
                        {"prefill", row.prefill},
                        {"chunked", row.chunked},
                        {"pass", measured ? ordered_json(row.pass()) : ordered_json()},
                        {"repeatable", measured ? ordered_json(row.repeatable) : ordered_json()},
                        {"first_unequal", row.first_unequal},
                        {"text_rtol", measured ? ordered_json(row.text_rtol) : ordered_json()},
                        {"text_is_judged", row.judged_text},
                        {"begins", begins == nullptr ? ordered_json() : json_of(config, *begins)},
                        {"begins_in", begins == nullptr      ? ""
                                      : row.begins_in_step() ? "step"
                                                             : "text"},
                        {"step", json_of(config, row.step)},
                        {"text", json_of(config, row.text)}};
    candidates.push_back(std::move(one));
  }
  return {{"model", model.name},     {"lambda_override", lambda_override_json(model)},
          {"tokens", report.tokens}, {"rtol", report.rtol},
          {"pass", report.pass()},   {"candidates", candidates}};
}

}  // namespace app
