// What an evaluation counts at each position, what its progress says on the way, and what is left when it is cancelled.
#include "engine/tasks/evaluate.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

namespace {

// Says class 1 from its third token on, class 0 before, whatever it reads.
class LateBackend : public engine::Backend {
 public:
  explicit LateBackend(int batch) { plan_.batch = batch; }
  const engine::BackendInfo& info() const override { return info_; }
  const engine::StepPlan& plan() const override { return plan_; }
  engine::Result<void> reset() override {
    position_ = 0;
    return {};
  }
  engine::Result<void> step(std::span<const std::int32_t> /*ids*/, engine::Observer* /*observer*/) override {
    ++position_;
    return {};
  }
  std::int64_t position() const override { return position_; }
  engine::Result<void> read_logits(int /*sequence*/, std::span<float> logits) override {
    ++logits_read;
    std::fill(logits.begin(), logits.end(), -2.0F);
    logits[0] = 0;
    logits[1] = position_ >= 3 ? 1.0F : -1.0F;
    return {};
  }
  engine::Result<void> read_coefficients(int /*sequence*/, engine::StepCoefficients& /*out*/) override { return {}; }
  engine::Result<void> read_state(int /*sequence*/, std::span<const int> /*layers*/, bool /*with_ssm*/,
                                  engine::SequenceState& /*out*/) override {
    return {};
  }
  engine::Result<void> restore(int /*sequence*/, const engine::SequenceState& /*state*/) override { return {}; }

  int logits_read = 0;

 private:
  std::int64_t position_ = 0;
  engine::BackendInfo info_;
  engine::StepPlan plan_;
};

engine::ModelConfig eight_symbols() {
  engine::ModelConfig config;
  config.vocab_size = 8;
  return config;
}

// Labels stand at the digits only: every second position.
const engine::Task& sparse_task() { return **engine::find_task("modular"); }

}  // namespace

TEST_CASE("evaluate: right and labelled positions are counted where they stand, and prefixes are their sums") {
  LateBackend backend(4);
  const auto result =
      engine::evaluate(backend, eight_symbols(), sparse_task(), {.length = 7, .sequences = 10, .seed = 1}, {});
  REQUIRE(result.has_value());
  CHECK(result->sequences == 10);
  CHECK(result->classes == 5);
  CHECK(result->labelled_at == std::vector<std::int64_t>{10, 0, 10, 0, 10, 0, 10});
  std::vector<std::int64_t> right(7);
  for (std::uint64_t index = 0; index < 10; ++index) {
    const engine::LabelledSequence sequence = sparse_task().draw(1, index, 7);
    for (std::size_t t = 0; t < 7; ++t) right[t] += sequence.labels[t] == (t >= 2 ? 1 : 0) ? 1 : 0;
  }
  CHECK(result->right_at == right);
  CHECK(backend.logits_read == 40);  // at labelled positions only
  CHECK(result->counts(0, 2).labelled == 10);
  CHECK(result->counts(0, 2).right == right[0]);
  CHECK(result->counts(0, 5).right == right[0] + right[2] + right[4]);
  CHECK(result->counts(4, 100).labelled == 20);
  CHECK(result->counts(3, 4).labelled == 0);
  CHECK(result->counts(3, 4).accuracy() == 0);
  const double share = static_cast<double>(right[0] + right[2] + right[4] + right[6]) / 40;
  CHECK(share > 0);
  CHECK(result->accuracy() == doctest::Approx(share));
  CHECK(result->scaled_accuracy() == doctest::Approx((share - 0.2) / 0.8));
}

TEST_CASE("evaluate: progress rises to 1 and counts whole batches only; false ends it with what is complete") {
  LateBackend backend(4);
  const engine::EvaluateOptions options{.length = 5, .sequences = 10, .seed = 1};
  int calls = 0;
  double last = 0;
  const auto whole =
      engine::evaluate(backend, eight_symbols(), sparse_task(), options, [&](const engine::EvaluationProgress& now) {
        ++calls;
        CHECK(now.done > last);
        last = now.done;
        CHECK(now.so_far.sequences == (calls < 5 ? 0 : calls < 10 ? 4 : calls < 15 ? 8 : 10));
        CHECK(now.so_far.counts(0, 1).labelled == now.so_far.sequences);
        return true;
      });
  CHECK(calls == 15);
  CHECK(last == doctest::Approx(1));
  REQUIRE(whole.has_value());

  for (const int stop_at : {1, 7, 10, 12}) {
    CAPTURE(stop_at);
    calls = 0;
    const auto cut = engine::evaluate(backend, eight_symbols(), sparse_task(), options,
                                      [&](const engine::EvaluationProgress&) { return ++calls < stop_at; });
    REQUIRE(cut.has_value());
    CHECK(calls == stop_at);
    CHECK(cut->sequences == 4 * (stop_at / 5));
    CHECK(cut->total().labelled == 3 * cut->sequences);
    CHECK(cut->length() == 5);
  }
}

TEST_CASE("told lengths are powers of two and the length itself; scaled accuracy is 0 at chance") {
  CHECK(engine::told_lengths(100) == std::vector<int>{16, 32, 64, 100});
  CHECK(engine::told_lengths(64) == std::vector<int>{16, 32, 64});
  CHECK(engine::told_lengths(1) == std::vector<int>{1});
  CHECK(engine::told_lengths((1 << 30) + 1).back() == (1 << 30) + 1);
  CHECK(engine::scaled_accuracy(0.2, 5) == doctest::Approx(0));
  CHECK(engine::scaled_accuracy(1, 5) == doctest::Approx(1));
  CHECK(std::isnan(engine::scaled_accuracy(1, 1)));
}
