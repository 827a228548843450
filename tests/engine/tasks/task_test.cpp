// Tasks draw the same sequences everywhere, and evaluation counts what a backend says, whatever the batch.
#include "engine/tasks/task.h"

#include "engine/base/random.h"
#include "engine/tasks/evaluate.h"

#include <doctest/doctest.h>

#include <limits>

namespace {

// Answers parity: right with the truth, or with a constant class, or with NaN.
class ParityBackend : public engine::Backend {
 public:
  enum class Answer { truth, zero, nan };
  ParityBackend(int batch, Answer answer) : answer_(answer), odd_(static_cast<std::size_t>(batch)) {
    plan_.batch = batch;
  }

  const engine::BackendInfo& info() const override { return info_; }
  const engine::StepPlan& plan() const override { return plan_; }
  engine::Result<void> reset() override {
    for (std::int32_t& odd : odd_) odd = 0;
    position_ = 0;
    return {};
  }
  engine::Result<void> step(std::span<const std::int32_t> ids, engine::Observer* /*observer*/) override {
    REQUIRE(ids.size() == odd_.size());
    for (std::size_t i = 0; i < ids.size(); ++i) odd_[i] ^= ids[i];
    ++position_;
    return {};
  }
  std::int64_t position() const override { return position_; }
  engine::Result<void> read_logits(int sequence, std::span<float> logits) override {
    for (float& logit : logits) logit = 100;  // padding would win
    const bool odd = answer_ == Answer::truth && odd_[static_cast<std::size_t>(sequence)] != 0;
    logits[0] = odd ? -1.0F : 1.0F;
    logits[1] = answer_ == Answer::nan ? std::numeric_limits<float>::quiet_NaN() : 0.0F;
    return {};
  }
  engine::Result<void> read_coefficients(int /*sequence*/, engine::StepCoefficients& /*out*/) override { return {}; }
  engine::Result<void> read_state(int /*sequence*/, std::span<const int> /*layers*/, bool /*with_ssm*/,
                                  engine::SequenceState& /*out*/) override {
    return {};
  }
  engine::Result<void> restore(int /*sequence*/, const engine::SequenceState& /*state*/) override { return {}; }

 private:
  Answer answer_;
  std::vector<std::int32_t> odd_;
  std::int64_t position_ = 0;
  engine::BackendInfo info_;
  engine::StepPlan plan_;
};

engine::Evaluation run(int batch, ParityBackend::Answer answer, std::uint64_t seed) {
  engine::ModelConfig config;
  config.vocab_size = 2;
  ParityBackend backend(batch, answer);
  const auto result = engine::evaluate(backend, config, **engine::find_task("parity"),
                                       {.length = 17, .sequences = 21, .seed = seed}, {});
  REQUIRE(result.has_value());
  return *result;
}

}  // namespace

TEST_CASE("random: the reference sequence of xoshiro256**, and streams that differ") {
  // Computed with an independent implementation in Python from the published algorithms.
  engine::Random random(42, 0);
  CHECK(random.next() == 1865750160070900731U);
  CHECK(random.next() == 6791145067590612263U);
  CHECK(random.next() == 14118064813682728970U);
  CHECK(engine::Random(42, 1).next() != engine::Random(42, 0).next());
  CHECK(engine::Random(42, 1).next() != engine::Random(43, 0).next());
  engine::Random dice(7);
  std::vector<int> seen(6);
  for (int i = 0; i < 60000; ++i) ++seen[dice.below(6)];
  for (const int count : seen) CHECK(std::abs(count - 10000) < 400);  // 4.4 standard deviations
}

TEST_CASE("parity: labels are the parity of the prefix, and a sequence depends on seed and index only") {
  const engine::Task& task = **engine::find_task("parity");
  int ones = 0;
  for (std::uint64_t index = 0; index < 50; ++index) {
    const engine::LabelledSequence sequence = task.draw(3, index, 40);
    std::int32_t sum = 0;
    for (std::size_t i = 0; i < 40; ++i) {
      sum += sequence.ids[i];
      CHECK(sequence.labels[i] == sum % 2);
    }
    ones += sum;
    CHECK(sequence.ids == task.draw(3, index, 40).ids);
    CHECK(sequence.ids != task.draw(3, index + 1, 40).ids);
    CHECK(sequence.ids != task.draw(4, index, 40).ids);
  }
  CHECK(std::abs(ones - 1000) < 100);  // 4.5 standard deviations
  CHECK(engine::find_task("parities").error().kind == engine::ErrorKind::input);
}

TEST_CASE("parity: the sequences that published figures were measured with") {
  const engine::Task& task = **engine::find_task("parity");
  const auto digits = [](const std::vector<std::int32_t>& values) {
    std::string text;
    for (const std::int32_t value : values) text += std::to_string(value);
    return text;
  };
  CHECK(digits(task.draw(0, 0, 32).ids) == "01001001000010101010010011010111");
  CHECK(digits(task.draw(0, 999, 32).ids) == "00111000000000000010000011011001");
  CHECK(digits(task.draw(0, 999, 32).labels) == "00101111111111111100000010010001");
  CHECK(digits(task.draw(3, 1, 32).ids) == "00010010100101111100001010000001");
  std::uint64_t hash = 1469598103934665603U;  // FNV-1a
  for (std::uint64_t index = 0; index < 100; ++index) {
    const engine::LabelledSequence sequence = task.draw(7, index, 256);
    for (std::size_t t = 0; t < 256; ++t) {
      hash = (hash ^ static_cast<std::uint64_t>(sequence.ids[t] * 2 + sequence.labels[t])) * 1099511628211U;
    }
  }
  CHECK(hash == 6678537894450955560U);
}

TEST_CASE("evaluate: the truth scores 1, a constant near chance; the batch changes nothing") {
  const engine::Evaluation truth = run(4, ParityBackend::Answer::truth, 1);
  CHECK(truth.sequences == 21);
  CHECK(truth.total().labelled == 17 * 21);
  CHECK(truth.total().right == 17 * 21);
  CHECK(truth.scaled_accuracy() == doctest::Approx(1));
  const engine::Evaluation zero = run(4, ParityBackend::Answer::zero, 1);
  CHECK(zero.accuracy() == doctest::Approx(0.5).epsilon(0.2));
  CHECK(zero.right_at == run(1, ParityBackend::Answer::zero, 1).right_at);
  CHECK(zero.right_at == run(32, ParityBackend::Answer::zero, 1).right_at);
}

TEST_CASE("task_of: a model without a task says so, and one that does not fit is refused") {
  engine::Model model;
  model.name = "m";
  model.weights.config.vocab_size = 4;
  CHECK(engine::task_of(model, "").error().message.find("names no task") != std::string::npos);
  CHECK(engine::task_of(model, "parity").has_value());
  model.card.task = "parity";
  CHECK(engine::task_of(model, "").has_value());
  model.card.kind = "next-token";
  CHECK_FALSE(engine::task_of(model, "").has_value());
  model.card.kind = "labels";
  model.card.symbols = {"0", "1"};
  model.card.labels = {"even", "odd", "c"};
  CHECK_FALSE(engine::task_of(model, "").has_value());
  model.card.labels.pop_back();
  CHECK(engine::task_of(model, "").has_value());
  model.card.labels = {"odd", "even"};  // would show the wrong words as the truth
  CHECK_FALSE(engine::task_of(model, "").has_value());
  model.card.labels = {"even", "odd"};
  model.card.symbols = {"1", "0"};
  CHECK_FALSE(engine::task_of(model, "").has_value());
  model.card.symbols = {"0", "1"};
  CHECK(engine::task_of(model, "").has_value());
  model.weights.config.vocab_size = 1;
  CHECK_FALSE(engine::task_of(model, "").has_value());
}

TEST_CASE("evaluate: a model that answers NaN has no accuracy, and the error says where") {
  engine::ModelConfig config;
  config.vocab_size = 2;
  ParityBackend backend(4, ParityBackend::Answer::nan);
  const auto result =
      engine::evaluate(backend, config, **engine::find_task("parity"), {.length = 17, .sequences = 21, .seed = 1}, {});
  REQUIRE_FALSE(result.has_value());
  CHECK(result.error().kind == engine::ErrorKind::input);
  CHECK(result.error().message.find("position 0 of sequence 0") != std::string::npos);
}
