// Compares what a session computed with the reference in double precision: steps the same tokens from the start on a
// thread of its own and measures the worst relative difference of the last token's states and logits.
#pragma once

#include "engine/session/snapshot.h"

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

namespace app {

struct VerificationResult {
  std::optional<engine::Error> error;  // the reference could not be run
  double worst = 0;                    // largest |difference| / largest |reference| over tensors
  std::string tensor;                  // where, e.g. "layer 0 ssm"
  std::int64_t tokens = 0;             // how many were stepped
  bool states_complete = false;        // false: the matrix states were not recorded for this token
};

class Verification {
 public:
  // Starts at once on the snapshot's tokens; the snapshot must hold at least one. `on_done` is called on the thread.
  Verification(std::shared_ptr<const engine::Snapshot> snapshot, std::function<void()> on_done);
  Verification(const Verification&) = delete;
  Verification& operator=(const Verification&) = delete;

  // Nothing while it runs.
  std::optional<VerificationResult> result() const;
  std::int64_t done_tokens() const { return done_tokens_; }
  std::int64_t all_tokens() const { return all_tokens_; }

 private:
  VerificationResult run(const std::stop_token& stop, const engine::Snapshot& snapshot);

  std::int64_t all_tokens_ = 0;
  std::atomic<std::int64_t> done_tokens_{0};
  mutable std::mutex mutex_;
  std::optional<VerificationResult> result_;
  std::jthread thread_;  // last: asked to stop and joined first
};

}  // namespace app
