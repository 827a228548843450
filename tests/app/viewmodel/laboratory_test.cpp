#include "app/viewmodel/laboratory.h"

#include "app/viewmodel/lab_words.h"
#include "app/viewmodel/shown.h"
#include "tests/support/fake_snapshot.h"

#include <doctest/doctest.h>

#include <cmath>
#include <ctime>

namespace {

const app::LabRule& rule_of(const app::LabStudy& study, engine::RuleKind kind) {
  for (const app::LabRule& rule : study.rules) {
    if (rule.kind == kind) return rule;
  }
  throw std::runtime_error("not shown");
}

}  // namespace

TEST_SUITE("laboratory") {
  TEST_CASE("a head's values are its coefficients; the stored frame does not turn") {
    const auto snapshot = tests::fake_snapshot({}, {0, 1}, 1);
    app::Selection selection;
    selection.head = snapshot->model->config().heads() - 1;
    selection.pair = 1;
    const app::HeadValues turning = app::head_values(*snapshot, selection, 1);
    REQUIRE(turning.known);
    CHECK(std::abs(turning.omega * turning.dt) == doctest::Approx(app::pi));
    selection.frame = app::Frame::stored;
    const app::HeadValues stored = app::head_values(*snapshot, selection, 1);
    CHECK(stored.omega == 0);
    CHECK(stored.a == turning.a);
    CHECK_FALSE(app::head_values(*snapshot, selection, -1).known);
    CHECK_FALSE(app::head_values(*tests::fake_snapshot({}, {}), selection, 0).known);

    app::LabSettings settings;
    app::follow(settings, turning);
    CHECK(settings.problem.omega == turning.omega);
    CHECK(settings.dt == turning.dt);
    const app::LabSettings before = settings;
    app::follow(settings, {});
    CHECK(settings == before);
    // A head that turns by half a step after step is told apart from one where orders mean something.
    CHECK(app::make_lab_study(settings).step_turn == doctest::Approx(app::pi));
  }

  TEST_CASE("slopes of the shown rules, and only those") {
    app::LabSettings settings;
    settings.problem.rate = 2;
    const app::LabStudy study = app::make_lab_study(settings);
    REQUIRE(study.rules.size() == 3);
    CHECK(rule_of(study, engine::RuleKind::exponential_euler).local.fit.slope == doctest::Approx(2).epsilon(0.025));
    CHECK(rule_of(study, engine::RuleKind::exponential_trapezoid).local.fit.slope == doctest::Approx(3).epsilon(0.017));
    CHECK(rule_of(study, engine::RuleKind::exponential_trapezoid).global.fit.slope ==
          doctest::Approx(2).epsilon(0.025));
    CHECK(study.rules[1].local.order == 3);
    CHECK(study.rules[0].re.size() == study.time.size());
    CHECK(study.exact_im.size() == study.fine_time.size());
    settings.shown = {};
    CHECK(app::make_lab_study(settings).rules.empty());
    settings.shown.fill(true);
    CHECK(app::make_lab_study(settings).rules.size() == 8);
  }

  TEST_CASE("a varying A takes the trapezoid's order; what is exact is told") {
    app::LabSettings settings;
    settings.problem.swing = 0.8;
    CHECK(rule_of(app::make_lab_study(settings), engine::RuleKind::exponential_trapezoid).global.fit.slope ==
          doctest::Approx(1).epsilon(0.05));
    settings.problem.swing = 0;
    settings.problem.signal = engine::Signal::linear;
    settings.shown.fill(true);
    const app::LabStudy study = app::make_lab_study(settings);
    const app::LabCurve& hold = rule_of(study, engine::RuleKind::first_order_hold).local;
    CHECK(hold.exact);
    CHECK(app::slope_text(hold.fit, hold.exact) == "exact to rounding");
  }

  TEST_CASE("whatever is set, figures stay bounded and drawable, and cost milliseconds") {
    app::LabSettings settings;
    settings.shown.fill(true);
    for (const engine::Signal signal : engine::all_signals) {
      for (const double dt : {1e-3, 0.3, 10.0}) {
        for (const double swing : {0.0, 1.0}) {
          settings.problem.signal = signal;
          settings.problem.rate = signal == engine::Signal::exponential ? 1 : 20;
          settings.problem.sweep = 8;
          settings.problem.omega = 20;
          settings.problem.a = -30;
          settings.problem.swing = swing;
          settings.dt = dt;
          const std::clock_t start = std::clock();
          const app::LabStudy study = app::make_lab_study(settings);
          const double ms = 1e3 * static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC;
          CAPTURE(engine::name_of(signal));
          CAPTURE(dt);
          CAPTURE(swing);
          CHECK(study.time.size() <= 401);
          CHECK(study.step.size() == 13);
          for (const app::LabRule& rule : study.rules) {
            for (const double e : rule.local.error) CHECK((std::isnan(e) || (e > 0 && e <= 1e6)));
          }
          // Of processor time, and generous: machines differ.
          CHECK(ms < 250);
        }
      }
    }
  }

  TEST_CASE("words: the formula of each input, and why order is lost") {
    engine::SignalProblem problem;
    problem.signal = engine::Signal::chirp;
    problem.rate = 2;
    problem.sweep = 1;
    CHECK(app::formula_of(problem) == "sin(2 t + 0.5 t²)");
    CHECK(app::note_of(problem).find("Second order holds for constant A only") != std::string::npos);
    problem.swing = 0.5;
    CHECK(app::note_of(problem).find("held over it, as Mamba-3 does") != std::string::npos);
    problem.hold = engine::Hold::middle;
    CHECK(app::note_of(problem).find("second order returns") != std::string::npos);
    problem.signal = engine::Signal::step;
    CHECK(app::note_of(problem).find("jumps") != std::string::npos);
  }
}
