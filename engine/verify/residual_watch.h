// What every layer of one step adds to the residual of sequence 0, seen between the stages; and, where it is given, another
// run's residual put in place of the own behind each, so that no layer's error reaches the next. Backend's thread.
#pragma once

#include "engine/backend/residual_access.h"
#include "engine/plan/observer.h"
#include "engine/verify/parity_cells.h"

namespace engine {

class ResidualWatch : public Observer {
 public:
  // Fills out.residual and out.added. `instead` (may be null) was filled by a watch of the same model.
  ResidualWatch(ResidualAccess& backend, const ModelConfig& config, ParityValues& out,
                const ParityValues* instead = nullptr);

  void step_begin(std::int64_t) override {}
  void before(const Stage&) override {}
  void after(const Stage& stage) override;
  void step_end(std::int64_t) override {}

  // Of the reads and writes so far.
  const Result<void>& done() const { return done_; }

 private:
  ResidualAccess& backend_;
  ParityValues& out_;
  const ParityValues* instead_;
  std::size_t width_;
  std::vector<float> held_;  // what the stages to come began with
  Result<void> done_;
};

}  // namespace engine
