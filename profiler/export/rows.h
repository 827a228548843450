// What the exporters write, as plain rows: the profiler knows neither models nor plans.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace profiler {

struct StepRow {
  std::uint32_t token = 0;
  std::int64_t start_ns = 0, duration_ns = 0;  // steady clock
};

struct StageRow {
  std::uint32_t token = 0;
  int stage = -1;     // id in the plan; -1: work between stages
  int layer = -1;     // -1: before the first or after the last layer
  std::string name;   // "state_update"
  std::string piece;  // kernel name, "memcpy", "memset" or empty
  std::int64_t start_ns = 0, duration_ns = 0;
  std::uint64_t bytes = 0;  // read and written by the whole stage, counted from shapes; 0: unknown
};

// One reading of a hardware counter over the time of a token.
struct SampleRow {
  std::uint32_t token = 0;
  std::int64_t start_ns = 0;   // on the axis of the stages
  std::vector<double> values;  // by Export::sampled
};

// What a reader must know to trust the rows.
struct ExportHeader {
  std::string program, model, device, backend, variant;
  std::string time_source;  // "cupti" or "cpu_clock"
  std::uint64_t records = 0, dropped = 0, unattributed = 0;
  std::int64_t clock_uncertainty_ns = 0;
  std::string recorded;            // "recorded on DEVICE, DATE"; empty: measured now
  std::vector<std::string> notes;  // what must be known to read the rows; a sentence each
};

struct Export {
  ExportHeader header;
  std::vector<StepRow> steps;
  std::vector<StageRow> stages;
  std::vector<std::string> sampled;  // "DRAM read, % of the peak"
  std::vector<SampleRow> samples;    // a token's are neighbours, by time
};

}  // namespace profiler
