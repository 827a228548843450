// What a bench prints: a table, JSON objects, lines of CSV.
#pragma once

#include "engine/bench/bench.h"
#include "engine/model/model.h"

#include <nlohmann/json_fwd.hpp>

#include <ostream>
#include <string>
#include <vector>

namespace app {

// One timed case; times are 0 where it was not verified.
struct BenchRow {
  std::string model, preset;  // preset: empty for a MODEL
  std::string title;          // the model's name, with what marks it
  int rank = 1, d_state = 0;
  std::string weights;  // dtype
  engine::Bench bench;
  engine::BenchTiming timing;           // of one state of the cache; its clocks
  double min = 0, median = 0, p95 = 0;  // ms
  double tokens_per_second = 0, bytes_per_second = 0;
  double publishing_ms = 0, without_ms = 0;     // medians of steps that publish and of those between them; 0: not timed
  double errors_ms = 0, without_errors_ms = 0;  // the same of steps that measure errors

  double fraction_of_copy() const {
    return bench.copy_bytes_per_second > 0 ? bytes_per_second / bench.copy_bytes_per_second : 0;
  }
  // Share of a step that publishing adds.
  double publishing_cost() const { return publishing_ms / without_ms - 1; }
  double errors_cost() const { return errors_ms / without_errors_ms - 1; }
};

// A row for each state of the cache that was asked for.
std::vector<BenchRow> bench_rows(const engine::Bench& bench, const engine::Model& model, const std::string& preset,
                                 const engine::BenchOptions& options);

nlohmann::ordered_json clocks_json(const kernels::ClockReport& clocks);
nlohmann::ordered_json json_of(const BenchRow& row, const engine::BenchOptions& options);
void write_csv(std::ostream& out, const std::vector<BenchRow>& rows);
// There is at least one row.
void print_table(const std::vector<BenchRow>& rows, const std::string& title, const engine::BenchOptions& options);

}  // namespace app
