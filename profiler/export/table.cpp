#include "profiler/export/table.h"

#include <fmt/format.h>

#include <algorithm>
#include <ostream>

namespace profiler {

namespace {

// A field in quotes where it needs them, quotes doubled.
std::string field(const std::string& text) {
  if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"') out += '"';
    out += c;
  }
  return out + '"';
}

std::string one_line(std::string text) {
  std::replace(text.begin(), text.end(), '\n', ' ');
  return text;
}

}  // namespace

void write_csv(std::ostream& out, const Export& rows) {
  const ExportHeader& head = rows.header;
  out << fmt::format("# program: {}\n# model: {}\n# device: {}\n# backend: {}\n# variant: {}\n", one_line(head.program),
                     one_line(head.model), one_line(head.device), one_line(head.backend), one_line(head.variant));
  out << fmt::format(
      "# time_source: {}\n# clock_uncertainty_ns: {}\n# records: {}\n# records_dropped: {}\n# records_unattributed: "
      "{}\n",
      head.time_source, head.clock_uncertainty_ns, head.records, head.dropped, head.unattributed);
  for (const std::string& note : head.notes) out << "# note: " << one_line(note) << '\n';
  if (!head.recorded.empty()) out << "# " << one_line(head.recorded) << '\n';
  out << "token,stage,layer,name,kernel,start_ns,duration_ns,bytes\n";
  for (const StageRow& row : rows.stages) {
    out << fmt::format("{},{},{},{},{},{},{},{}\n", row.token, row.stage, row.layer, field(row.name), field(row.piece),
                       row.start_ns, row.duration_ns, row.bytes);
  }
}

}  // namespace profiler
