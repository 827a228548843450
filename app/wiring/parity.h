// Runs the parity bench (engine/verify/parity_bench.h) in the background: on backends of its own, on a thread of its own, so
// that the session's tokens and the window go on. Rows are published as they are complete, as values that never change.
#pragma once

#include "engine/model/model.h"
#include "engine/verify/parity_bench.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

namespace app {

// What was asked for.
struct ParityQuestion {
  std::vector<std::int32_t> ids;                    // up to the token, which is the last
  std::vector<engine::Intervention> interventions;  // in force in all
  std::string plant;                                // a sign to turn in every candidate, TENSOR[I]; empty: none
  int threads = 0;                                  // cpu only; 0: half of the cores, so that the window stays smooth

  bool operator==(const ParityQuestion&) const = default;
};

struct ParityProgressReport {
  enum class State : std::uint8_t { running, done, cancelled };

  State state = State::running;
  engine::ParityReport bench;          // rows that are complete
  std::optional<engine::Error> error;  // why there is no bench
  std::string now;                     // the candidate under way
  double done = 0;                     // 0..1
  double seconds = 0;                  // since the start
};

class ParityJob {
 public:
  // Starts at once. `on_progress` is called on the thread, at most twenty times a second and at the end.
  ParityJob(std::shared_ptr<const engine::Model> model, ParityQuestion question, std::function<void()> on_progress);
  ~ParityJob() { cancel(); }
  ParityJob(const ParityJob&) = delete;
  ParityJob& operator=(const ParityJob&) = delete;

  const ParityQuestion& question() const { return question_; }
  // Never null.
  std::shared_ptr<const ParityProgressReport> report() const;
  bool running() const { return report()->state == ParityProgressReport::State::running; }
  // Asks it to end within a step; rows that are complete stay. Does not wait.
  void cancel();

 private:
  void run(const std::stop_token& stop);
  engine::Result<engine::ParityReport> bench(const std::stop_token& stop);
  void publish();

  const std::shared_ptr<const engine::Model> model_;
  const ParityQuestion question_;
  const std::function<void()> on_progress_;
  engine::PrefillProgress prefill_;
  ParityProgressReport working_;  // the thread's own
  mutable std::mutex mutex_;
  std::shared_ptr<const ParityProgressReport> published_;
  std::jthread thread_;  // last: asked to stop and joined first
};

}  // namespace app
