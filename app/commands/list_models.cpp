#include "app/commands/list_models.h"

#include "app/commands/options.h"
#include "app/commands/text.h"
#include "app/viewmodel/lambda_mark.h"
#include "engine/base/quote.h"
#include "engine/model/model.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <string>
#include <vector>

namespace app {

namespace {

using nlohmann::ordered_json;
using Opened = engine::Result<std::shared_ptr<const engine::Model>>;

std::string measured(const engine::TaskCard& card) {
  std::string text;
  for (const auto& [length, accuracy] : card.accuracy) {
    text += fmt::format("{}{:.2f} % at {}", text.empty() ? "" : ", ", 100 * accuracy, grouped(length));
  }
  if (card.bits_per_byte >= 0) text += fmt::format("{:.3f} bits per byte", card.bits_per_byte);
  return text;
}

std::string does(const engine::TaskCard& card) {
  return !card.task.empty() ? card.task : card.bytes ? "next byte" : card.kind == "next-token" ? "next token" : "";
}

// What the rows of one model say: the columns, and its description below them.
constexpr std::array columns = {"name", "task", "variant", "parameters", "file", "measured after training", "origin"};
struct Row {
  std::array<std::string, columns.size()> cells;
  std::string below;
};

Row row_of(const std::string& name, const Opened& opened) {
  if (!opened) return {{engine::printable(name)}, "cannot be opened: " + opened.error().message};
  const engine::Model& model = **opened;
  const engine::TaskCard& card = model.card;
  std::string variant = card.variant;
  if (const std::string mark = lambda_mark(model.config()); !mark.empty()) {
    variant += (variant.empty() ? "" : ", ") + mark;
  }
  Row row{{name, does(card), variant, grouped(model.weights.parameters), short_bytes(model.file_bytes), measured(card),
           card.origin},
          card.description};
  for (std::string& cell : row.cells) cell = engine::printable(cell);
  row.below = engine::printable(row.below);
  return row;
}

// Characters that a text takes, where every one is a column wide.
std::size_t width_of(const std::string& text) {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; }));
}

void print_table(const std::vector<Row>& rows) {
  std::array<std::size_t, columns.size()> widths{};
  for (std::size_t c = 0; c < columns.size(); ++c) {
    widths[c] = width_of(columns[c]);
    for (const Row& row : rows) widths[c] = std::max(widths[c], width_of(row.cells[c]));
  }
  const auto print_cells = [&](const auto& cells) {
    std::string line;
    for (std::size_t c = 0; c < columns.size(); ++c) {
      const std::string& cell = cells[c];
      line += cell + std::string(widths[c] - width_of(cell) + 2, ' ');
    }
    fmt::print("{}\n", line.substr(0, line.find_last_not_of(' ') + 1));
  };
  print_cells(columns);
  for (const Row& row : rows) {
    print_cells(row.cells);
    if (!row.below.empty()) fmt::print("    {}\n", row.below);
  }
}

ordered_json json_of(const std::string& name, const Opened& opened) {
  if (!opened) return {{"model", name}, {"error", opened.error().message}};
  const engine::Model& model = **opened;
  return {{"model", name},
          {"mixer", model.config().is_mimo ? "MIMO" : "SISO"},
          {"parameters", model.weights.parameters},
          {"file_bytes", model.file_bytes},
          {"lambda_override", lambda_override_json(model)},
          {"task", card_json(model.card)}};
}

}  // namespace

ordered_json card_json(const engine::TaskCard& card) {
  if (card.kind.empty()) return nullptr;
  ordered_json accuracy = ordered_json::object();
  for (const auto& [length, value] : card.accuracy) accuracy[std::to_string(length)] = value;
  return {{"name", card.name},
          {"task", card.task},
          {"kind", card.kind},
          {"family", card.family},
          {"variant", card.variant},
          {"vocabulary", card.bytes ? ordered_json("bytes") : ordered_json()},
          {"symbols", card.symbols},
          {"labels", card.labels},
          {"prompts", card.prompts},
          {"accuracy", accuracy},
          {"bits_per_byte", card.bits_per_byte < 0 ? ordered_json() : ordered_json(card.bits_per_byte)},
          {"description", card.description},
          {"origin", card.origin},
          {"license", card.license}};
}

int list_models(bool json) {
  const std::vector<std::string> names = engine::builtin_models();
  std::vector<Row> rows;
  ordered_json list = ordered_json::array();
  int code = 0;
  for (const std::string& name : names) {
    const Opened opened = engine::load_model(name);
    if (!opened) code = engine::exit_code(opened.error());
    if (json) {
      list.push_back(json_of(name, opened));
    } else {
      rows.push_back(row_of(name, opened));
    }
  }
  if (json) {
    print_json({{"models", list}});
  } else if (names.empty()) {
    fmt::print(stderr, "mambascope: no models in {}/models.\n", engine::assets_folder());
  } else {
    print_table(rows);
  }
  return code;
}

}  // namespace app
