#include "profiler/export/trace.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <ostream>
#include <unordered_map>
#include <vector>

namespace profiler {

namespace {

constexpr int steps_track = 1, stages_track = 2;

std::string dumped(const nlohmann::ordered_json& value) {
  return value.dump(-1, ' ', true, nlohmann::ordered_json::error_handler_t::replace);
}
std::string quoted(const std::string& text) { return dumped(text); }

// Microseconds with the nanoseconds kept: 1234567 ns -> "1234.567".
std::string microseconds(std::int64_t ns) {
  return fmt::format("{}{}.{:03}", ns < 0 ? "-" : "", (ns < 0 ? -ns : ns) / 1000, (ns < 0 ? -ns : ns) % 1000);
}

std::string named(const char* what, int track, const std::string& name) {
  return fmt::format(R"({{"ph":"M","pid":1,"tid":{},"name":"{}","args":{{"name":{}}}}})", track, what, quoted(name));
}

std::string stages_name(bool cupti, int lane) {
  const char* clock = cupti ? "stages (device, CUPTI)" : "stages (host, steady clock)";
  return lane == 0 ? clock : fmt::format("{}, overlapping {}", clock, lane);
}

// Chooses for each piece the first track that is free when it begins. Pieces come by start time.
class Lanes {
 public:
  int place(std::int64_t start_ns, std::int64_t end_ns) {
    auto free = std::find_if(ends_.begin(), ends_.end(), [&](std::int64_t end) { return end <= start_ns; });
    if (free == ends_.end())
      free = ends_.size() < most ? ends_.insert(ends_.end(), end_ns) : std::min_element(ends_.begin(), ends_.end());
    *free = std::max(*free, end_ns);
    return static_cast<int>(free - ends_.begin());
  }
  int count() const { return static_cast<int>(ends_.size()); }

 private:
  static constexpr std::size_t most = 8;
  std::vector<std::int64_t> ends_;
};

using Rows = std::vector<StageRow>::const_iterator;

std::string events_of(const StepRow& step, Rows first, Rows last, std::int64_t origin, Lanes& lanes) {
  std::string out = fmt::format(
      ",\n"
      R"({{"ph":"X","pid":1,"tid":{},"cat":"step","name":"token {}","ts":{},"dur":{},"args":{{"token":{}}}}})",
      steps_track, step.token, microseconds(step.start_ns - origin), microseconds(step.duration_ns), step.token);
  for (auto row = first; row != last; ++row) {
    out += fmt::format(
        ",\n"
        R"({{"ph":"X","pid":1,"tid":{},"cat":"stage","name":{},"ts":{},"dur":{},"args":{{"layer":{},"stage":{},"token":{},"bytes":{},"kernel":{}}}}})",
        stages_track + lanes.place(row->start_ns, row->start_ns + row->duration_ns), quoted(row->name),
        microseconds(row->start_ns - origin), microseconds(row->duration_ns), row->layer, row->stage, row->token,
        row->bytes, quoted(row->piece));
  }
  return out;
}

using TokenSamples = std::unordered_map<std::uint32_t, std::vector<const SampleRow*>>;

// The counters of a token as counter events, and 0 behind the last.
std::string samples_of(const Export& rows, const TokenSamples& samples, std::uint32_t token, std::int64_t origin) {
  const auto found = samples.find(token);
  if (found == samples.end()) return {};
  std::string out;
  const auto counter = [&](const std::string& name, std::int64_t at_ns, double value) {
    out += fmt::format(
        ",\n"
        R"({{"ph":"C","pid":1,"name":{},"ts":{},"args":{{"value":{:.6g}}}}})",
        quoted(name), microseconds(at_ns - origin), std::isfinite(value) ? value : 0.0);
  };
  const SampleRow* last = nullptr;
  std::int64_t step = 0;
  for (const SampleRow* row : found->second) {
    for (std::size_t m = 0; m < rows.sampled.size() && m < row->values.size(); ++m)
      counter(rows.sampled[m], row->start_ns, row->values[m]);
    if (last != nullptr) step = row->start_ns - last->start_ns;
    last = row;
  }
  if (last != nullptr)
    for (const std::string& name : rows.sampled) counter(name, last->start_ns + std::max<std::int64_t>(1, step), 0);
  return out;
}

}  // namespace

LeftOut write_chrome_trace(std::ostream& out, const Export& rows, std::size_t most_bytes) {
  const ExportHeader& head = rows.header;
  const bool cupti = head.time_source == "cupti";
  TokenSamples samples;
  for (const SampleRow& row : rows.samples) samples[row.token].push_back(&row);
  std::int64_t origin = INT64_MAX;
  for (const StepRow& step : rows.steps) origin = std::min(origin, step.start_ns);
  for (const StageRow& stage : rows.stages) origin = std::min(origin, stage.start_ns);

  nlohmann::ordered_json other = {{"program", head.program},
                                  {"model", head.model},
                                  {"device", head.device},
                                  {"backend", head.backend},
                                  {"variant", head.variant},
                                  {"time_source", head.time_source},
                                  {"clock_uncertainty_ns", head.clock_uncertainty_ns},
                                  {"records", head.records},
                                  {"records_dropped", head.dropped},
                                  {"records_unattributed", head.unattributed},
                                  {"tokens", rows.steps.size()},
                                  {"tokens_left_out", rows.steps.size()},
                                  {"tokens_without_their_samples", rows.steps.size()}};
  if (!head.notes.empty()) other["notes"] = head.notes;
  if (!head.recorded.empty()) other["recorded"] = head.recorded;

  const std::string begin = R"({"displayTimeUnit":"ns","traceEvents":[)" + std::string("\n") +
                            named("process_name", 0, head.program + ": " + head.model + " on " + head.device) + ",\n" +
                            named("thread_name", steps_track, "steps (host, steady clock)");
  out << begin;
  // Room for the end: what is said of the whole, and the names of a few tracks.
  std::size_t written = begin.size() + dumped(other).size() + 1024;
  std::size_t done = 0;
  LeftOut left_out;
  Lanes lanes;
  // A token's rows are neighbours, in the order of the steps.
  for (Rows first = rows.stages.begin(); done < rows.steps.size(); ++done) {
    const StepRow& step = rows.steps[done];
    const Rows last =
        std::find_if(first, rows.stages.end(), [&](const StageRow& row) { return row.token != step.token; });
    const std::string events = events_of(step, first, last, origin, lanes);
    const std::string sampled = samples_of(rows, samples, step.token, origin);
    const std::size_t room = most_bytes - std::min(most_bytes, written);
    if (events.size() > room) break;
    out << events;
    written += events.size();
    if (events.size() + sampled.size() <= room) {
      out << sampled;
      written += sampled.size();
    } else {
      ++left_out.samples;
    }
    first = last;
  }
  for (int lane = 0; lane < std::max(1, lanes.count()); ++lane)
    out << ",\n" << named("thread_name", stages_track + lane, stages_name(cupti, lane));
  left_out.tokens = rows.steps.size() - done;
  other["tokens_left_out"] = left_out.tokens;
  other["tokens_without_their_samples"] = left_out.samples;
  out << "\n],\n\"otherData\":" << dumped(other) << "}\n";
  return left_out;
}

}  // namespace profiler
