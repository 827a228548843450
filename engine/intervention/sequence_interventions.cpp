#include "engine/intervention/sequence_interventions.h"

#include <utility>

namespace engine {

std::vector<Intervention> joined(std::vector<Intervention> first, const std::vector<Intervention>& then) {
  first.insert(first.end(), then.begin(), then.end());
  return first;
}

SequenceInterventions::SequenceInterventions(Backend& backend, const ModelConfig& config, std::vector<List> lists)
    : backend_(backend),
      config_(config),
      lists_(std::move(lists)),
      active_(lists_.size()),
      changed_(lists_.size(), false) {}

SequenceInterventions::~SequenceInterventions() {
  for (std::size_t s = 0; s < changed_.size(); ++s) {
    if (changed_[s]) static_cast<void>(backend_.intervene(static_cast<int>(s), {}));
  }
}

Result<void> SequenceInterventions::follow() {
  const std::int64_t position = backend_.position();
  for (std::size_t s = 0; s < lists_.size(); ++s) {
    if (lists_[s].empty()) continue;
    std::vector<bool> active;
    for (const Intervention& by : lists_[s]) active.push_back(by.tokens.contains(position));
    if (active == active_[s]) continue;
    const SequenceChanges changes = changes_at(lists_[s], config_, position);
    if (!changes.none() || changed_[s]) {
      if (auto done = backend_.intervene(static_cast<int>(s), changes); !done) return done;
      changed_[s] = !changes.none();
    }
    active_[s] = std::move(active);
  }
  return {};
}

}  // namespace engine
