#include "app/viewmodel/table.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>

namespace app {

namespace {

std::string quoted(const std::string& text) {
  if (text.find_first_of(",\"\n\r") == std::string::npos) return text;
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"') out += '"';
    out += c;
  }
  return out + '"';
}

}  // namespace

std::string to_csv(const Table& table) {
  std::string out;
  std::size_t rows = 0;
  for (std::size_t c = 0; c < table.columns.size(); ++c) {
    out += (c == 0 ? "" : ",") + quoted(table.columns[c].name);
    rows = std::max(rows, table.columns[c].values.size());
  }
  out += "\n";
  for (std::size_t r = 0; r < rows; ++r) {
    for (std::size_t c = 0; c < table.columns.size(); ++c) {
      if (c > 0) out += ',';
      const std::vector<double>& values = table.columns[c].values;
      if (r < values.size() && !std::isnan(values[r])) out += fmt::format("{:.9g}", values[r]);
    }
    out += "\n";
  }
  return out;
}

}  // namespace app
