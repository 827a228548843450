// Measures in the background how often the open model, and on request the built-in models of its family, answer the
// task right. Steps backends of its own on a thread of its own, so that the session's tokens and the window go on; what
// it has counted so far is published as values that never change.
#pragma once

#include "engine/backend/backend.h"
#include "engine/tasks/evaluate.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

namespace app {

// What the user chose.
struct EvaluationChoice {
  int length = 512;
  int sequences = 200;
  std::uint64_t seed = 0;
  bool family = false;  // the built-in models of the same family too, one after the other
};

struct ModelEvaluation {
  std::string model;
  engine::TaskCard card;               // the figures recorded at training stand there
  engine::Evaluation counts;           // of the sequences that are complete
  std::optional<engine::Error> error;  // why it could not be measured
};

struct EvaluationReport {
  enum class State : std::uint8_t { running, done, cancelled };

  EvaluationChoice choice;
  std::vector<engine::Intervention> interventions;  // in force in the open model
  State state = State::running;
  std::string device;                   // of the last backend that was started
  std::vector<ModelEvaluation> models;  // the open model first; the last one is under way while it runs
  int models_in_all = 1;                // to be measured; known once the family has been looked up
  double done = 0;                      // 0..1, over all of them
  double seconds = 0;                   // since the start
};

class EvaluationJob {
 public:
  struct Options {
    EvaluationChoice choice;
    engine::BackendChoice backend = engine::BackendChoice::automatic;
    int threads = 0;           // cpu only; 0: half of the cores, so that the window stays smooth
    engine::LoadOptions load;  // for the models of the family
    std::vector<engine::Intervention> interventions = {};  // in force in the open model, not in its family
  };

  // Starts at once. `on_progress` is called on the thread whenever there is something new, at most twenty times a second
  // and at the end.
  EvaluationJob(std::shared_ptr<const engine::Model> model, const Options& options, std::function<void()> on_progress);
  EvaluationJob(const EvaluationJob&) = delete;
  EvaluationJob& operator=(const EvaluationJob&) = delete;

  // Never null.
  std::shared_ptr<const EvaluationReport> report() const;
  bool running() const { return report()->state == EvaluationReport::State::running; }
  // Asks it to end within a step; what is complete stays. Does not wait.
  void cancel() { thread_.request_stop(); }

 private:
  void run(const std::stop_token& stop);
  void find_family(const std::stop_token& stop, std::vector<std::shared_ptr<const engine::Model>>& models) const;
  void evaluate(const std::stop_token& stop, const engine::Model& model);
  void publish();

  const std::shared_ptr<const engine::Model> model_;
  const Options options_;
  const std::function<void()> on_progress_;
  EvaluationReport working_;  // the thread's own
  mutable std::mutex mutex_;
  std::shared_ptr<const EvaluationReport> published_;
  std::jthread thread_;  // last: asked to stop and joined first
};

}  // namespace app
