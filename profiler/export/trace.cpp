#include "profiler/export/trace.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <ostream>

namespace profiler {

namespace {

constexpr int steps_track = 1, stages_track = 2;

std::string quoted(const std::string& text) {
  return nlohmann::json(text).dump(-1, ' ', true, nlohmann::json::error_handler_t::replace);
}

// Microseconds with the nanoseconds kept: 1234567 ns -> "1234.567".
std::string microseconds(std::int64_t ns) {
  return fmt::format("{}{}.{:03}", ns < 0 ? "-" : "", (ns < 0 ? -ns : ns) / 1000, (ns < 0 ? -ns : ns) % 1000);
}

std::string named(const char* what, int track, const std::string& name) {
  return fmt::format(R"({{"ph":"M","pid":1,"tid":{},"name":"{}","args":{{"name":{}}}}})", track, what, quoted(name));
}

}  // namespace

void write_chrome_trace(std::ostream& out, const Export& rows) {
  const ExportHeader& head = rows.header;
  const bool cupti = head.time_source == "cupti";
  std::int64_t origin = INT64_MAX;
  for (const StepRow& step : rows.steps) origin = std::min(origin, step.start_ns);
  for (const StageRow& stage : rows.stages) origin = std::min(origin, stage.start_ns);

  out << R"({"displayTimeUnit":"ns","otherData":)"
      << nlohmann::json{{"program", head.program},
                        {"model", head.model},
                        {"device", head.device},
                        {"backend", head.backend},
                        {"variant", head.variant},
                        {"time_source", head.time_source},
                        {"clock_uncertainty_ns", head.clock_uncertainty_ns},
                        {"records", head.records},
                        {"records_dropped", head.dropped},
                        {"records_unattributed", head.unattributed}}
             .dump(-1, ' ', true, nlohmann::json::error_handler_t::replace)
      << R"(,"traceEvents":[)" << '\n';
  out << named("process_name", 0, head.program + ": " + head.model + " on " + head.device) << ",\n"
      << named("thread_name", steps_track, "steps (host, steady clock)") << ",\n"
      << named("thread_name", stages_track, cupti ? "stages (device, CUPTI)" : "stages (host, steady clock)");
  for (const StepRow& step : rows.steps) {
    out << fmt::format(
        ",\n"
        R"({{"ph":"X","pid":1,"tid":{},"cat":"step","name":"token {}","ts":{},"dur":{},"args":{{"token":{}}}}})",
        steps_track, step.token, microseconds(step.start_ns - origin), microseconds(step.duration_ns), step.token);
  }
  for (const StageRow& stage : rows.stages) {
    out << fmt::format(
        ",\n"
        R"({{"ph":"X","pid":1,"tid":{},"cat":"stage","name":{},"ts":{},"dur":{},"args":{{"layer":{},"stage":{},"token":{},"bytes":{},"kernel":{}}}}})",
        stages_track, quoted(stage.name), microseconds(stage.start_ns - origin), microseconds(stage.duration_ns),
        stage.layer, stage.stage, stage.token, stage.bytes, quoted(stage.piece));
  }
  out << "\n]}\n";
}

}  // namespace profiler
