// The data behind a plot as named columns, and as CSV text. Pure; writing the file is the panel's business.
#pragma once

#include <string>
#include <vector>

namespace app {

struct Column {
  std::string name;  // with its unit: "dtheta (rad)"
  std::vector<double> values;
};

struct Table {
  std::string name;  // file name without its ending, e.g. "phase-raster"
  std::vector<Column> columns;
};

// RFC 4180 with a header line; shorter columns leave cells empty, as do values that are not a number.
std::string to_csv(const Table& table);

}  // namespace app
