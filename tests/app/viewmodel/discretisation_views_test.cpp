// The view-models of the discretisation panel's pages on really stepped models: carried errors, lambda, convolution,
// formula cards, the effect, rule minus exact.
#include "app/viewmodel/accumulated_errors.h"
#include "app/viewmodel/discretisation_pages.h"
#include "app/viewmodel/effect_view.h"
#include "app/viewmodel/formula_cards.h"
#include "app/viewmodel/lab_difference.h"
#include "app/viewmodel/lambda_view.h"
#include "app/viewmodel/shown.h"
#include "engine/analysis/discretisation.h"
#include "engine/analysis/exact_solution.h"
#include "engine/session/session.h"

#include <doctest/doctest.h>

#include <chrono>
#include <cmath>
#include <numeric>
#include <set>
#include <thread>

namespace {

std::shared_ptr<const engine::Snapshot> stepped(const char* name, std::vector<std::int32_t> ids) {
  const auto model = engine::load_model(name, {});
  REQUIRE(model.has_value());
  engine::SessionOptions options;
  options.backend = {engine::BackendChoice::cpu, 1, 1};
  auto session = engine::Session::open(*model, options);
  REQUIRE(session.has_value());
  const int count = static_cast<int>(ids.size());
  (*session)->post(engine::command::Prompt{std::move(ids)});
  (*session)->post(engine::command::Step{count});
  (*session)->wait_idle();
  auto snapshot = (*session)->snapshot();
  REQUIRE(static_cast<int>(snapshot->tokens.size()) == count);
  return snapshot;
}

app::Selection choose(int layer, int head, app::Frame frame) {
  app::Selection selection;
  selection.layer = layer;
  selection.head = head;
  selection.pair = 1;
  selection.frame = frame;
  return selection;
}

engine::AccumulatedError directly(const engine::Snapshot& snapshot, int layer, int head, engine::StateFrame frame,
                                  std::int64_t index) {
  engine::ErrorAccumulator errors(snapshot.model->config(), head, frame);
  for (std::int64_t t = 0; t <= index; ++t)
    errors.step(snapshot.model->weights.layers[static_cast<std::size_t>(layer)],
                snapshot.tokens[static_cast<std::size_t>(t)]->coefficients, layer,
                app::layer_at(snapshot, t - 1, layer), *app::layer_at(snapshot, t, layer));
  return errors.errors();
}

}  // namespace

TEST_SUITE("discretisation views") {
  TEST_CASE("carried errors are those of the accumulator for every head, in slices or at once") {
    const auto snapshot = stepped("modular", {1, 5, 2, 7, 3, 6, 4, 5, 0});
    const int layers = snapshot->model->config().n_layer, heads = snapshot->model->config().heads();
    for (const app::Frame frame : {app::Frame::unrotated, app::Frame::stored}) {
      const app::Selection selection = choose(1, 1, frame);
      app::AccumulatedErrors errors;
      int calls = 1;
      while (!errors.advance(*snapshot, selection, 8, 0)) {
        CHECK(errors.reached() == calls - 1);  // a slice takes one token at least
        ++calls;
      }
      CHECK(calls == 9);
      CHECK(errors.first() == 0);
      CHECK(errors.whole_model());
      for (int layer = 0; layer < layers; ++layer) {
        for (int head = 0; head < heads; ++head) {
          const engine::AccumulatedError found = errors.at(8, layer, head);
          const engine::AccumulatedError truth = directly(*snapshot, layer, head, app::frame_of(frame), 8);
          CHECK(found.model == doctest::Approx(truth.model).epsilon(1e-6));
          CHECK(found.fixed.at(1) == doctest::Approx(truth.fixed.at(1)).epsilon(1e-5));
          CHECK(found.fixed.at(0.5) == doctest::Approx(truth.fixed.at(0.5)).epsilon(1e-5));
        }
      }
      const app::ErrorSeries series = errors.series(1, 1, 8, 4);
      REQUIRE(series.token.size() == 4);
      CHECK(series.token.front() == 5);
      CHECK(series.error[2].back() == doctest::Approx(errors.at(8, 1, 1).model));
      // At the first token nothing was carried yet.
      const auto& local =
          frame == app::Frame::unrotated ? snapshot->tokens[0]->error_unrotated : snapshot->tokens[0]->error_stored;
      CHECK(errors.at(0, 1, 1).model ==
            doctest::Approx(local[static_cast<std::size_t>(heads) + 1].model).epsilon(1e-5));
      const app::ErrorSpread spread = errors.spread(8);
      CHECK(spread.heads == layers * heads);
      CHECK(std::accumulate(spread.count[0].begin(), spread.count[0].end(), 0.0) == layers * heads);
    }
  }

  TEST_CASE("other tokens are another story; the same beginning is kept; dropped records begin later") {
    const std::vector<std::int32_t> ids = {1, 0, 1, 1, 0, 1};
    const auto snapshot = stepped("parity", ids), other = stepped("parity", {1, 0, 0, 1, 0, 1});
    const app::Selection selection = choose(0, 1, app::Frame::unrotated);
    app::AccumulatedErrors errors;
    CHECK(errors.advance(*snapshot, selection, 5, 1e3));
    const double before = errors.at(5, 0, 1).model;
    const std::uint64_t version = errors.version();
    CHECK(errors.advance(*snapshot, selection, 3, 1e3));
    CHECK(errors.version() == version);
    CHECK(errors.advance(*other, selection, 5, 1e3));
    CHECK(errors.at(5, 0, 1).model ==
          doctest::Approx(directly(*other, 0, 1, engine::StateFrame::unrotated, 5).model).epsilon(1e-6));
    CHECK(errors.at(5, 0, 1).model != before);

    auto dropped = std::make_shared<engine::Snapshot>(*snapshot);
    for (std::size_t t = 0; t < 2; ++t) {
      auto record = std::make_shared<engine::TokenRecord>(*snapshot->tokens[t]);
      auto empty = std::make_shared<engine::SequenceState>();
      empty->layers.resize(record->state->layers.size());
      record->state = empty;
      record->coefficients = {};
      dropped->tokens.replace(t, record);
    }
    app::AccumulatedErrors later;
    CHECK(later.advance(*dropped, selection, 5, 1e3));
    CHECK(later.first() == 2);
    CHECK(later.at(2, 0, 1).model == 0);
    CHECK(later.at(5, 0, 1).model > 0);
    CHECK(std::isnan(later.at(1, 0, 1).model));
    CHECK(later.advance(*dropped, selection, 1, 1e3));  // nothing to carry there
    CHECK(std::isnan(later.at(1, 0, 1).model));
    CHECK(later.advance(*snapshot, selection, -1, 1e3));
  }

  TEST_CASE("lambda: shares add up, and the curve passes through the recorded errors") {
    for (const char* name : {"parity", "parity-mimo"}) {
      const auto snapshot = stepped(name, {1, 0, 1, 1, 0, 1});
      const int heads = snapshot->model->config().heads();
      for (const app::Frame frame : {app::Frame::unrotated, app::Frame::stored}) {
        const app::Selection selection = choose(0, 1, frame);
        const app::LambdaSpread spread = app::make_lambda_spread(*snapshot, selection, 5, 4);
        CHECK(spread.heads == heads * snapshot->model->config().n_layer);
        CHECK(spread.tokens == 4);
        CHECK(std::accumulate(spread.now.begin(), spread.now.end(), 0.0) == doctest::Approx(1));
        CHECK(std::accumulate(spread.over_tokens.begin(), spread.over_tokens.end(), 0.0) == doctest::Approx(1));
        CHECK(spread.below_half + spread.above_half <= 1 + 1e-12);
        for (const std::int64_t token : {0, 5}) {
          const app::LambdaCostCurve curve = app::make_cost_curve(*snapshot, selection, token);
          REQUIRE(curve.known());
          const engine::TokenRecord& record = *snapshot->tokens[static_cast<std::size_t>(token)];
          const auto& errors = frame == app::Frame::unrotated ? record.error_unrotated : record.error_stored;
          CHECK(curve.cost.at(1) == doctest::Approx(errors[1].euler).epsilon(1e-5));
          CHECK(curve.cost.at(0.5) == doctest::Approx(errors[1].trapezoid).epsilon(1e-5));
          CHECK(curve.cost.at(curve.own) == doctest::Approx(errors[1].model).epsilon(1e-5));
          for (const double e : curve.error) CHECK(e >= curve.cost.at(curve.best) * (1 - 1e-9));
          CHECK(std::is_sorted(curve.lambda.begin(), curve.lambda.end()));
        }
      }
    }
    CHECK_FALSE(app::make_cost_curve(*stepped("parity", {1}), choose(0, 0, app::Frame::stored), 3).known());
  }

  TEST_CASE("the convolution's shares are those of the recorded weights") {
    const auto snapshot = stepped("parity", {1, 0, 1, 1, 0});
    const app::ConvolutionShares shares =
        app::make_convolution_shares(*snapshot, choose(0, 0, app::Frame::stored), 4, 3);
    REQUIRE(shares.tokens == 3);
    REQUIRE(shares.heads == snapshot->model->config().heads());
    CHECK(shares.first_token == 2);
    for (int head = 0; head < shares.heads; ++head) {
      for (int t = 0; t < 3; ++t) {
        const auto at = static_cast<std::size_t>(head * 3 + t);
        const engine::StepCoefficients& step = snapshot->tokens[static_cast<std::size_t>(t + 2)]->coefficients;
        const auto h = static_cast<std::size_t>(head);
        CHECK(shares.beta[at] == step.beta[h]);
        CHECK(shares.share[at] == doctest::Approx(step.beta[h] / (step.beta[h] + step.gamma[h])));
      }
    }
  }

  TEST_CASE("formula cards hold the numbers of the step") {
    const auto snapshot = stepped("parity", {1, 0, 1});
    const engine::StepCoefficients& step = snapshot->tokens[2]->coefficients;
    for (const app::Frame frame : {app::Frame::unrotated, app::Frame::stored}) {
      const auto cards = app::make_formula_cards(*snapshot, choose(0, 1, frame), 2);
      REQUIRE(cards.size() == 6);
      std::set<std::string> keys;
      for (const app::FormulaCard& card : cards) {
        keys.insert(card.key);
        CHECK_FALSE(card.lines.empty());
        CHECK(card.numbers.name == "formula-" + card.key);
        for (const app::Column& column : card.numbers.columns) CHECK(column.values.size() == 1);
      }
      CHECK(keys.size() == 6);
      const auto& coefficients = cards[1].numbers.columns;
      CHECK(coefficients[0].values[0] == step.a[1]);
      CHECK(std::exp(coefficients[0].values[0] * coefficients[1].values[0]) ==
            doctest::Approx(coefficients[3].values[0]).epsilon(1e-6));
      CHECK((cards[0].numbers.columns[3].values[0] == 0) == (frame == app::Frame::stored));
      // Euler weighs this input alone; the rules' weights stand beside the exact ones.
      CHECK(cards[3].lines.size() == 4);
    }
    CHECK(app::make_formula_cards(*snapshot, {}, 3).empty());
    CHECK(app::discretisation_page_named("effect")->page == app::DiscretisationPage::effect);
    CHECK_FALSE(app::discretisation_page_named("").has_value());
  }

  TEST_CASE("the effect, run in the background: figures, answers, words and data") {
    const auto model = engine::load_model("modular", {});
    REQUIRE(model.has_value());
    const auto finish = [](app::EffectJob& job) {
      for (int i = 0; i < 3000 && job.running(); ++i) std::this_thread::sleep_for(std::chrono::milliseconds(10));
      return job.report();
    };
    app::EffectJob::Options options;
    options.ids = {1, 5, 2, 7, 3};
    options.backend = engine::BackendChoice::cpu;
    options.threads = 1;
    int told = 0;
    app::EffectJob job(*model, options, [&told] { ++told; });
    const auto report = finish(job);
    REQUIRE(report->state == app::EffectReport::State::done);
    CHECK(told >= 1);
    REQUIRE(report->tokens != nullptr);
    const app::EffectSeries series = app::make_effect_series(*report, 2, 3);
    REQUIRE(series.token.size() == 5);
    CHECK(series.kl_bits[0][3] == (*report->tokens)[3].sequences[1].kl_bits);
    CHECK(series.distance[1][4] == (*report->tokens)[4].sequences[2].distance[2]);
    CHECK(series.layer_distance[0] == (*report->tokens)[3].sequences[1].distance);
    CHECK(series.layer.size() == 3);
    const auto answers = app::effect_answers(*report, **model, 3);
    REQUIRE(answers.size() == 5);
    for (std::size_t run = 0; run < app::effect_runs; ++run) {
      double sum = 0;
      int best = 0;
      for (const app::EffectAnswer& answer : answers) {
        sum += answer.p[run];
        best += answer.best[run] ? 1 : 0;
      }
      CHECK(sum == doctest::Approx(1));
      CHECK(best == 1);
    }
    CHECK(app::effect_lines(series, nullptr).size() == 3);
    const app::Table table = app::effect_table(*report);
    CHECK(table.columns.size() == 2 + 2 + 2 * (3 + 3));
    for (const app::Column& column : table.columns) CHECK(column.values.size() == 5);

    app::EffectJob::Options task;
    task.evaluate = {32, 8, 1};
    task.backend = engine::BackendChoice::cpu;
    app::EffectJob measure(*model, task, {});
    const auto measured = finish(measure);
    REQUIRE(measured->accuracy.size() == 3);
    CHECK(measured->accuracy[0].accuracy() > measured->accuracy[1].accuracy());
    CHECK(app::effect_lines(series, measured.get()).size() == 5);

    app::EffectJob::Options wrong;
    wrong.ids = {1, 1000};
    wrong.backend = engine::BackendChoice::cpu;
    app::EffectJob failing(*model, wrong, {});
    CHECK(finish(failing)->error.has_value());
  }

  TEST_CASE("rule minus exact is the path minus the exact state") {
    app::LabSettings settings;
    settings.problem.omega = 1.5;
    settings.follow_head = false;
    const app::LabStudy study = app::make_lab_study(settings);
    const app::LabDifference difference = app::make_lab_difference(study);
    REQUIRE(difference.rules.size() == study.rules.size());
    REQUIRE(difference.time == study.time);
    for (std::size_t rule = 0; rule < study.rules.size(); ++rule) {
      for (const std::size_t i : {std::size_t{0}, study.time.size() / 2, study.time.size() - 1}) {
        engine::SignalProblem problem = settings.problem;
        problem.duration = study.duration;
        const engine::Complex exact = engine::exact_state(problem, study.time[i]);
        CHECK(difference.rules[rule].re[i] == doctest::Approx(study.rules[rule].re[i] - exact.real()).epsilon(1e-9));
        CHECK(difference.rules[rule].size[i] ==
              doctest::Approx(std::abs(engine::Complex(study.rules[rule].re[i], study.rules[rule].im[i]) - exact))
                  .epsilon(1e-9));
      }
      CHECK(difference.rules[rule].size.back() > 0);
    }
  }
}
