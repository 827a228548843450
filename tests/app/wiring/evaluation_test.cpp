// Evaluations in the background: what they count, that they find the family, and that they end when asked to.
#include "app/wiring/evaluation.h"

#include "tests/support/wait_for.h"

#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <thread>

using tests::wait_for;

namespace {

using State = app::EvaluationReport::State;

std::shared_ptr<const engine::Model> parity() {
  auto model = engine::load_model("parity");
  REQUIRE(model.has_value());
  return *model;
}

app::EvaluationJob::Options small(int length, int sequences) {
  app::EvaluationJob::Options options;
  options.choice = {length, sequences, 3, false};
  options.backend = engine::BackendChoice::cpu;
  options.threads = 1;
  return options;
}

}  // namespace

TEST_CASE("evaluation job: counts what the evaluation itself counts, and tells its end") {
  const auto model = parity();
  std::atomic<int> woken{0};
  app::EvaluationJob job(model, small(24, 20), [&] { ++woken; });
  REQUIRE(wait_for([&] { return !job.running(); }));
  const auto report = job.report();
  CHECK(report->state == State::done);
  CHECK(report->done == 1);
  CHECK(report->models_in_all == 1);
  REQUIRE(report->models.size() == 1);
  CHECK_FALSE(report->models[0].error.has_value());
  CHECK(report->models[0].model == "parity");
  CHECK(report->models[0].card.task == "parity");
  CHECK(report->models[0].counts.sequences == 20);
  CHECK_FALSE(report->device.empty());

  engine::BackendOptions options;
  options.choice = engine::BackendChoice::cpu;
  options.batch = 4;
  options.threads = 1;
  const auto backend = engine::make_backend(model->weights, options);
  REQUIRE(backend.has_value());
  const auto direct = engine::evaluate(**backend, model->config(), **engine::task_of(*model, ""), {24, 20, 3}, {});
  REQUIRE(direct.has_value());
  CHECK(report->models[0].counts.right_at == direct->right_at);
  CHECK(report->models[0].counts.labelled_at == direct->labelled_at);
  CHECK(wait_for([&] { return woken > 0; }));
}

TEST_CASE("evaluation job: with the family, the built-in models of the task follow the open one") {
  auto options = small(16, 8);
  options.choice.family = true;
  app::EvaluationJob job(parity(), options, {});
  REQUIRE(wait_for([&] { return !job.running(); }));
  const auto report = job.report();
  CHECK(report->state == State::done);
  REQUIRE(report->models.size() >= 2);
  CHECK(static_cast<int>(report->models.size()) == report->models_in_all);
  CHECK(report->models[0].model == "parity");
  bool mimo = false;
  for (std::size_t i = 1; i < report->models.size(); ++i) {
    CHECK(report->models[i].model != "parity");
    CHECK(report->models[i].card.task == "parity");
    CHECK(report->models[i].counts.sequences == 8);
    mimo = mimo || report->models[i].model == "parity-mimo";
  }
  CHECK(mimo);
}

TEST_CASE("evaluation job: cancelled, it keeps what is complete") {
  app::EvaluationJob job(parity(), small(64, 1 << 20), {});
  REQUIRE(wait_for([&] {
    const auto now = job.report();
    return !now->models.empty() && now->models[0].counts.sequences > 0;
  }));
  job.cancel();
  REQUIRE(wait_for([&] { return !job.running(); }));
  const auto report = job.report();
  CHECK(report->state == State::cancelled);
  const engine::Evaluation& counts = report->models[0].counts;
  CHECK(counts.sequences > 0);
  CHECK(counts.sequences < 1 << 20);
  CHECK(counts.total().labelled == std::int64_t{64} * counts.sequences);
  CHECK(report->done < 1);
}

TEST_CASE("evaluation job: may go at any moment, with models still to come") {
  const auto model = parity();
  for (int i = 0; i < 12; ++i) {
    auto options = small(4096, 1 << 20);
    options.choice.family = i % 2 == 0;
    std::atomic<bool> gone{false};
    {
      app::EvaluationJob job(model, options, [&] { CHECK_FALSE(gone); });
      std::this_thread::sleep_for(std::chrono::microseconds(700 * i * i));
      if (i % 3 == 0) job.cancel();
    }
    gone = true;
  }
}

TEST_CASE("evaluation job: what cannot be evaluated says why") {
  auto other = std::make_shared<engine::Model>(*parity());
  other->card.task = "sorting";
  app::EvaluationJob job(other, small(8, 8), {});
  REQUIRE(wait_for([&] { return !job.running(); }));
  const auto report = job.report();
  REQUIRE(report->models.size() == 1);
  REQUIRE(report->models[0].error.has_value());
  CHECK(report->models[0].error->message.find("sorting") != std::string::npos);
  CHECK(report->models[0].counts.length() == 0);
}
