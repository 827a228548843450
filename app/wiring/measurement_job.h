// Measurements that the window starts and a second process of this program makes: hardware counters of a step, by stage or
// over time (a process that records activity does neither), and one shape at several ranks (its times are not disturbed by what the window steps).
// Asked from the window's thread.
#pragma once

#include "app/wiring/child_process.h"
#include "app/wiring/rank_family.h"
#include "app/wiring/token_samples.h"
#include "engine/backend/backend.h"
#include "engine/model/model.h"

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace app {

// The model and how it is stepped, as the second process is told.
struct MeasuredStep {
  std::string model;  // name or path
  engine::LoadOptions load;
  engine::BackendInfo backend;
  std::string variant;  // of the plan
  bool errors = false;  // its steps measure the errors of the discretisation rules: a stage more
  std::string program = "/proc/self/exe";
};

class MeasurementJob {
 public:
  static std::unique_ptr<MeasurementJob> counters(const MeasuredStep& step, std::function<void()> on_change);
  static std::unique_ptr<MeasurementJob> samples(const MeasuredStep& step, std::function<void()> on_change);
  static std::unique_ptr<MeasurementJob> ranks(const MeasuredStep& step, std::function<void()> on_change);
  ~MeasurementJob();
  MeasurementJob(const MeasurementJob&) = delete;
  MeasurementJob& operator=(const MeasurementJob&) = delete;

  bool running() const { return child_.running(); }
  double progress() const { return child_.progress(); }
  void cancel() { child_.cancel(); }
  bool cancelled() const;

  // What was found, once, after the end; nothing while it runs, before, or after it was taken. Counters that are not to be
  // had come with the reason; so does a process that failed.
  std::optional<StageCounters> take_counters();
  std::optional<TokenSamples> take_samples();
  std::optional<engine::Result<RankFamily>> take_ranks();

 private:
  MeasurementJob(const MeasuredStep& step, const std::vector<std::string>& arguments, std::string file,
                 std::function<void()> on_change);

  std::string file_;  // that the second process writes, in a folder of its own; empty: none
  bool taken_ = false;
  ChildProcess child_;
};

inline const std::vector<int>& declared_ranks() {
  static const std::vector<int> ranks = {1, 2, 4, 8};
  return ranks;
}

}  // namespace app
