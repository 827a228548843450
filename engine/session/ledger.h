// How many bytes records and keyframes take when several tracks share them: each is counted once, however many hold it.
// One thread.
#pragma once

#include "engine/session/snapshot.h"

#include <cstdint>
#include <unordered_map>

namespace engine {

// Coefficients, errors and top tokens of a record: what it can lose after its state.
std::uint64_t detail_bytes(const TokenRecord& record);

class Ledger {
 public:
  // Held once more, by a track. The same object comes back as often as it went in, unchanged.
  void hold(const TokenRecord& record);
  void release(const TokenRecord& record);
  void hold_keyframe(const SequenceState& state);
  void release_keyframe(const SequenceState& state);

  std::uint64_t record_bytes() const { return record_bytes_; }      // records with their states
  std::uint64_t keyframe_bytes() const { return keyframe_bytes_; }  // keyframes that no record holds

 private:
  struct Holders {
    std::int64_t records = 0, keyframes = 0;
  };
  template <class Change>
  void count(const SequenceState& state, Change change);

  std::unordered_map<const TokenRecord*, std::int64_t> records_;
  std::unordered_map<const SequenceState*, Holders> states_;
  std::uint64_t record_bytes_ = 0, keyframe_bytes_ = 0;
};

}  // namespace engine
