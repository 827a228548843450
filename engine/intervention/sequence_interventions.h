// The sequences of a batch, each under a list of interventions of its own, step by step. Tables are made and handed over
// only where a token enters or leaves the range of one. Steps nothing itself; one thread, the backend's.
#pragma once

#include "engine/backend/backend.h"
#include "engine/intervention/intervention.h"
#include "engine/model/config.h"

#include <vector>

namespace engine {

// One list behind the other: what is done first comes first.
std::vector<Intervention> joined(std::vector<Intervention> first, const std::vector<Intervention>& then);

class SequenceInterventions {
 public:
  using List = std::vector<Intervention>;

  // `lists` by sequence, as many as the batch has at most; every list fits the model (check()). The backend and config
  // outlive this.
  SequenceInterventions(Backend& backend, const ModelConfig& config, std::vector<List> lists);
  SequenceInterventions(const SequenceInterventions&) = delete;
  SequenceInterventions& operator=(const SequenceInterventions&) = delete;
  ~SequenceInterventions();  // gives every sequence back to the model

  // Before each step: the step of the token at the backend's position is changed as the lists say. Errors: the backend's.
  Result<void> follow();

 private:
  Backend& backend_;
  const ModelConfig& config_;
  const std::vector<List> lists_;
  std::vector<std::vector<bool>> active_;  // by sequence: those in range at the last step; empty: not asked so far
  std::vector<bool> changed_;              // whether a sequence has tables now
};

}  // namespace engine
