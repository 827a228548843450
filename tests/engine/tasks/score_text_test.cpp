// Bits of a text on a backend whose answers are known: what is predicted from what, and that the batch changes nothing.
#include "engine/tasks/score_text.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

namespace {

// Prefers (sum of the ids since the reset) modulo 4 by `lead`; the padding would win.
class SumBackend : public engine::Backend {
 public:
  SumBackend(int batch, float lead) : lead_(lead), sums_(static_cast<std::size_t>(batch)) { plan_.batch = batch; }

  const engine::BackendInfo& info() const override { return info_; }
  const engine::StepPlan& plan() const override { return plan_; }
  engine::Result<void> reset() override {
    std::fill(sums_.begin(), sums_.end(), 0);
    return {};
  }
  engine::Result<void> step(std::span<const std::int32_t> ids, engine::Observer* /*observer*/) override {
    REQUIRE(ids.size() == sums_.size());
    for (std::size_t i = 0; i < ids.size(); ++i) sums_[i] += ids[i];
    return {};
  }
  std::int64_t position() const override { return 0; }
  engine::Result<void> read_logits(int sequence, std::span<float> logits) override {
    std::fill(logits.begin(), logits.end(), 100.0F);
    for (std::size_t i = 0; i < 4; ++i) logits[i] = 0;
    logits[static_cast<std::size_t>(sums_[static_cast<std::size_t>(sequence)] % 4)] = lead_;
    return {};
  }
  engine::Result<void> read_coefficients(int /*sequence*/, engine::StepCoefficients& /*out*/) override { return {}; }
  engine::Result<void> read_state(int /*sequence*/, std::span<const int> /*layers*/, bool /*with_ssm*/,
                                  engine::SequenceState& /*out*/) override {
    return {};
  }
  engine::Result<void> restore(int /*sequence*/, const engine::SequenceState& /*state*/) override { return {}; }

 private:
  float lead_;
  std::vector<std::int32_t> sums_;
  engine::BackendInfo info_;
  engine::StepPlan plan_;
};

engine::Result<engine::TextScore> score(int batch, float lead, const std::vector<std::int32_t>& ids, int length) {
  SumBackend backend(batch, lead);
  engine::ModelConfig config;
  config.vocab_size = 4;
  config.pad_vocab_size_multiple = 8;
  double last = 0;
  auto result = engine::score_text(backend, config, ids, length, [&](double done) {
    CHECK(done >= last);
    last = done;
  });
  CHECK(last == doctest::Approx(result ? 1 : 0));
  return result;
}

}  // namespace

TEST_CASE("text score: every token but the first is predicted once, from its own window") {
  const std::vector<std::int32_t> ids = {1, 1, 2, 0, 3, 3, 2, 1, 0, 0, 2, 3, 1, 1, 0, 2, 2};
  for (const int length : {1, 3, 5, 8, 16, 100}) {
    CAPTURE(length);
    double bits = 0;
    for (std::size_t next = 1; next < ids.size(); ++next) {
      const std::size_t start = (next - 1) / static_cast<std::size_t>(length) * static_cast<std::size_t>(length);
      int sum = 0;
      for (std::size_t i = start; i < next; ++i) sum += ids[i];
      bits += std::log2(std::exp(2.0) + 3) - (sum % 4 == ids[next] ? 2 / std::log(2.0) : 0);
    }
    const auto one = score(1, 2, ids, length);
    REQUIRE(one.has_value());
    CHECK(one->tokens == 16);
    CHECK(one->bits == doctest::Approx(bits).epsilon(1e-12));
    for (const int batch : {2, 3, 32}) CHECK(score(batch, 2, ids, length)->bits == one->bits);
  }
  CHECK(score(2, 0, ids, 5)->bits_per_token() == doctest::Approx(2));  // no preference among four
}

TEST_CASE("text score: too short a text and logits that are not finite are refused") {
  CHECK(score(1, 2, {}, 4).error().kind == engine::ErrorKind::input);
  CHECK(score(1, 2, {1}, 4).error().kind == engine::ErrorKind::input);
  SumBackend backend(1, std::numeric_limits<float>::quiet_NaN());
  engine::ModelConfig config;
  config.vocab_size = 4;
  const auto result = engine::score_text(backend, config, std::vector<std::int32_t>{0, 1, 2}, 4, {});
  REQUIRE_FALSE(result.has_value());
  CHECK(result.error().message.find("not finite") != std::string::npos);
}
