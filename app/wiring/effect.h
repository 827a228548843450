// Runs the open model beside itself with other lambdas (engine/effect), in the background: over the tokens of a context, or
// over its task for the accuracy of each. Steps a backend of its own on a thread of its own; what it found is published
// as values that never change.
#pragma once

#include "engine/effect/lambda_effect.h"

#include <array>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

namespace app {

// Euler and the classical trapezoid, beside the model as it is.
inline constexpr std::array<double, 2> effect_lambdas{1.0, 0.5};

struct EffectReport {
  enum class State : std::uint8_t { running, done, cancelled };

  State state = State::running;
  double done = 0;                                  // 0..1
  double seconds = 0;                               // since the start
  std::string device;                               // that did it
  std::optional<engine::Error> error;               // why it ended early
  std::vector<std::int32_t> ids;                    // of the context; empty: the task was asked
  std::vector<engine::Intervention> interventions;  // in force in every run
  // By token; null until all are there.
  std::shared_ptr<const std::vector<engine::EffectToken>> tokens;
  // Of the model as it is and with each of effect_lambdas, those that are complete.
  std::vector<engine::Evaluation> accuracy;
  int length = 0, sequences = 0;  // of the task's sequences
};

class EffectJob {
 public:
  struct Options {
    std::vector<std::int32_t> ids;                         // not empty: the effect over these
    engine::EvaluateOptions evaluate;                      // where ids are empty: the accuracy over these sequences
    std::vector<engine::Intervention> interventions = {};  // in force in every run
    engine::BackendChoice backend = engine::BackendChoice::automatic;
    int threads = 0;  // cpu only; 0: half of the cores, so that the window stays smooth
  };

  // Starts at once. `on_progress` is called on the thread, at most twenty times a second and at the end.
  EffectJob(std::shared_ptr<const engine::Model> model, Options options, std::function<void()> on_progress);
  EffectJob(const EffectJob&) = delete;
  EffectJob& operator=(const EffectJob&) = delete;

  std::shared_ptr<const EffectReport> report() const;  // never null
  bool running() const { return report()->state == EffectReport::State::running; }
  // Asks it to end within a step. Does not wait.
  void cancel() { thread_.request_stop(); }

 private:
  engine::Result<void> run(const std::stop_token& stop);
  engine::Result<void> measure(const std::stop_token& stop, engine::Backend& backend);
  // Takes note of the progress; false: stop.
  bool tell(const std::stop_token& stop, double done);
  void publish();

  const std::shared_ptr<const engine::Model> model_;
  const Options options_;
  const std::function<void()> on_progress_;
  EffectReport working_;  // the thread's own
  std::chrono::steady_clock::time_point told_{};
  mutable std::mutex mutex_;
  std::shared_ptr<const EffectReport> published_;
  std::jthread thread_;  // last: asked to stop and joined first
};

}  // namespace app
