#include "engine/session/ledger.h"

namespace engine {

std::uint64_t detail_bytes(const TokenRecord& record) {
  const StepCoefficients& c = record.coefficients;
  const std::size_t floats = c.dt.size() + c.a.size() + c.lambda.size() + c.alpha.size() + c.beta.size() +
                             c.gamma.size() + c.turn.size() + c.state_norm.size() + c.state_change.size();
  return floats * sizeof(float) + record.top.size() * sizeof(TopToken) +
         (record.error_stored.size() + record.error_unrotated.size()) * sizeof(RuleErrors);
}

template <class Change>
void Ledger::count(const SequenceState& state, Change change) {
  const auto at = states_.try_emplace(&state).first;
  Holders& holders = at->second;
  const std::uint64_t bytes = state.bytes();
  const auto share = [&](std::uint64_t sign) {
    if (holders.records > 0) {
      record_bytes_ += sign * bytes;
    } else if (holders.keyframes > 0) {
      keyframe_bytes_ += sign * bytes;
    }
  };
  share(~std::uint64_t{0});  // minus one, modulo 2^64
  change(holders);
  share(1);
  if (holders.records == 0 && holders.keyframes == 0) states_.erase(at);
}

void Ledger::hold(const TokenRecord& record) {
  if (records_[&record]++ > 0) return;
  record_bytes_ += sizeof(TokenRecord) + detail_bytes(record);
  count(*record.state, [](Holders& holders) { ++holders.records; });
}

void Ledger::release(const TokenRecord& record) {
  const auto at = records_.find(&record);
  if (--at->second > 0) return;
  records_.erase(at);
  record_bytes_ -= sizeof(TokenRecord) + detail_bytes(record);
  count(*record.state, [](Holders& holders) { --holders.records; });
}

void Ledger::hold_keyframe(const SequenceState& state) {
  count(state, [](Holders& holders) { ++holders.keyframes; });
}

void Ledger::release_keyframe(const SequenceState& state) {
  count(state, [](Holders& holders) { --holders.keyframes; });
}

}  // namespace engine
