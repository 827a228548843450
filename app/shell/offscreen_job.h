// What the window does without anybody before it: opens the models, steps them, draws, writes a screenshot, and says
// what it measured on the way. UI thread only.
#pragma once

#include "app/shell/app.h"
#include "app/shell/frame_stats.h"

#include <cstdint>
#include <memory>
#include <string>

namespace app {

struct JobReport {
  struct Model {
    std::string name, backend, device, variant;
    std::int64_t tokens = 0;
    double tokens_per_s = 0;  // of stepping, with everything that the window reads back
    double step_ms = 0;       // median of the steps' wall times, by the stage clock; 0: not timed
    double mean_step_ms = 0;
    double period_ms = 0;                // mean from one step's begin to the next one's, of the newest tokens
    std::int64_t judged = 0, right = 0;  // tokens whose truth is known, and those predicted right
    std::uint64_t dropped_records = 0;
    std::string time_source;  // "cpu_clock", "cupti" or "none"
  };
  std::vector<Model> models;
  std::string surface;
  SurfaceSize size;
  std::shared_ptr<const EvaluationReport> evaluation;  // of the first model; null: not asked for
  double ui_scale = 1;
  double first_frame_ms = 0;  // from the program's start
  std::size_t frames = 0;
  std::vector<SlowFrame> slowest;  // of them
  struct Scroll {
    std::size_t frames = 0, pieces = 0;
    double median_ms = 0, p99_ms = 0, slowest_ms = 0;
    double panels_ms = 0;  // the most of a frame that what is drawn took to be made, without its rasterising
    int vertices = 0;      // the most of a frame
  };
  std::optional<Scroll> scroll;  // through the page of all tokens or the table of records, where it was asked for
  double frame_median_ms = 0, frame_p99_ms = 0;  // of all frames since the models began to step
};

// Error: a model that cannot be opened, a step that fails, a screenshot that cannot be written, an evaluation that cannot
// be made; nothing answers for two minutes (system).
engine::Result<JobReport> run_offscreen_job(App& app, const GuiOptions& options);

}  // namespace app
