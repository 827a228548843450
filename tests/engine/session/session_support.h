// Opening sessions on the fake backend, and comparing what they recorded bit by bit.
#pragma once

#include "engine/session/session.h"
#include "tests/engine/session/fake_backend.h"
#include "tests/support/bits.h"

#include <doctest/doctest.h>

#include <memory>
#include <utility>
#include <vector>

namespace engine {

struct FakeSession {
  std::shared_ptr<FakeCounters> counters = std::make_shared<FakeCounters>();
  std::unique_ptr<Session> session;

  explicit FakeSession(SessionOptions options = {}, const std::shared_ptr<const Model>& model = fake_model()) {
    const BackendFactory make = [model, counters = counters]() -> Result<std::unique_ptr<Backend>> {
      return std::make_unique<FakeBackend>(model->config(), counters);
    };
    auto opened = Session::open_on(make, model, std::move(options));
    REQUIRE(opened.has_value());
    session = std::move(*opened);
  }
  void post(const Command& command) const { session->post(command); }
  std::shared_ptr<const Snapshot> settled() const {
    session->wait_idle();
    return session->snapshot();
  }
  std::shared_ptr<const Snapshot> after(const Command& command) const {
    post(command);
    return settled();
  }
};

inline std::vector<std::int32_t> ids_of(const Snapshot& snapshot) {
  std::vector<std::int32_t> ids;
  for (const auto& record : snapshot.tokens) ids.push_back(record->id);
  return ids;
}

using tests::same_bits;

inline bool same_bits(const LayerState& a, const LayerState& b) {
  return same_bits(a.angle, b.angle) && same_bits(a.turns, b.turns) && same_bits(a.ssm, b.ssm) && same_bits(a.k, b.k) &&
         same_bits(a.v, b.v);
}

inline bool same_bits(const SequenceState& a, const SequenceState& b) {
  if (a.position != b.position || a.layers.size() != b.layers.size()) return false;
  for (std::size_t l = 0; l < a.layers.size(); ++l) {
    if (!same_bits(a.layers[l], b.layers[l])) return false;
  }
  return true;
}

// Everything that a record says, states and errors included.
inline bool same_bits(const TokenRecord& a, const TokenRecord& b) {
  const auto& ca = a.coefficients;
  const auto& cb = b.coefficients;
  return a.position == b.position && a.id == b.id && a.origin == b.origin && same_bits(a.probability, b.probability) &&
         a.predicted == b.predicted && a.truth == b.truth && same_bits(a.entropy_bits, b.entropy_bits) &&
         same_bits(a.kl_bits, b.kl_bits) && same_bits(a.top, b.top) && same_bits(ca.dt, cb.dt) &&
         same_bits(ca.lambda, cb.lambda) && same_bits(ca.alpha, cb.alpha) && same_bits(ca.turn, cb.turn) &&
         same_bits(ca.state_norm, cb.state_norm) && same_bits(a.error_stored, b.error_stored) &&
         same_bits(a.error_unrotated, b.error_unrotated) && same_bits(*a.state, *b.state);
}

inline SessionOptions sampling_options() {
  SessionOptions options;
  options.seed = 7;
  return options;
}

inline Sampler warm_sampler() {
  Sampler sampler;
  sampler.kind = Sampler::Kind::temperature;
  sampler.temperature = 1.5F;
  sampler.seed = 11;
  return sampler;
}

}  // namespace engine
