// Taking a token away from one layer's state: what is left of it must be what the coefficients say, in every layer.
#include "engine/effect/retention_probe.h"

#include "engine/intervention/text.h"
#include "tests/support/unusual_models.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <memory>

namespace {

std::shared_ptr<const engine::Model> model_of(engine::Weights weights) {
  auto model = std::make_shared<engine::Model>();
  model->weights = std::move(weights);
  model->name = "made up";
  return model;
}

std::unique_ptr<engine::Backend> open(const engine::Model& model, engine::BackendChoice choice, int batch) {
  auto backend = engine::make_backend(model.weights, {choice, batch, 1});
  REQUIRE(backend.has_value());
  return std::move(*backend);
}

std::vector<std::int32_t> ids_of(int count) {
  std::vector<std::int32_t> ids;
  for (int t = 0; t < count; ++t) ids.push_back((t * 37 + 5) % 61);
  return ids;
}

}  // namespace

TEST_CASE("the measured difference is the analytic one in every layer and head, SISO and MIMO") {
  double closest = 1;
  for (const tests::UnusualModel& unusual : tests::unusual_models()) {
    CAPTURE(unusual.name);
    const auto model = model_of(tests::weights_of(unusual, 9));
    const auto backend = open(*model, engine::BackendChoice::cpu, 2);
    const auto ids = ids_of(24);
    for (int layer = 0; layer < model->config().n_layer; ++layer) {
      for (const std::int64_t token : {0, 7, 23}) {
        CAPTURE(layer);
        CAPTURE(token);
        const auto probe = engine::probe_retention(*backend, *model, ids, layer, token);
        REQUIRE(probe.has_value());
        REQUIRE(probe->heads.size() == static_cast<std::size_t>(model->config().heads()));
        for (const engine::HeadRetention& head : probe->heads) {
          REQUIRE(head.measured.size() == ids.size() - static_cast<std::size_t>(token));
          REQUIRE(head.analytic.size() == head.measured.size());
          CHECK(head.written > 0);
          for (std::size_t i = 0; i < head.measured.size(); ++i) {
            // Both states are rounded to fp32 at each of up to 24 steps; their difference carries that rounding.
            const double rounding =
                engine::RetentionProbe::rounding *
                *std::max_element(head.state.begin(), head.state.begin() + static_cast<std::ptrdiff_t>(i) + 1);
            CHECK(std::abs(head.measured[i] - head.analytic[i]) <= 2e-6 * head.analytic[i] + rounding);
            if (head.analytic[i] > 0) closest = std::min(closest, rounding / head.analytic[i]);
          }
        }
      }
    }
  }
  CHECK(closest < 1e-4);  // there were contributions far above the rounding
}

TEST_CASE("under interventions on what ranks write and on cells, the analytic one is still what is measured") {
  double moved = 0;
  for (const tests::UnusualModel& unusual : tests::unusual_models()) {
    CAPTURE(unusual.name);
    const auto model = model_of(tests::weights_of(unusual, 9));
    const auto backend = open(*model, engine::BackendChoice::cpu, 2);
    const auto ids = ids_of(14);
    // From another token on than the probed one, at it, and behind it; a second write that differs from the first.
    const auto list = engine::parse_interventions(
        {"rank_write*0.5 @ tokens 3-8", "rank_write+0.25 @ ranks 0 tokens 8-", "state*0.25 @ cell 1,2 tokens 9-",
         "state=0.5 @ cell 0,3 tokens 10-11", "dt*1.5 @ tokens 5-"},
        model->config());
    REQUIRE(list.has_value());
    for (int layer = 0; layer < model->config().n_layer; ++layer) {
      CAPTURE(layer);
      const auto probe = engine::probe_retention(*backend, *model, ids, layer, 7, {}, *list);
      const auto plain = engine::probe_retention(*backend, *model, ids, layer, 7);
      REQUIRE(probe.has_value());
      REQUIRE(plain.has_value());
      for (std::size_t h = 0; h < probe->heads.size(); ++h) {
        const engine::HeadRetention& head = probe->heads[h];
        for (std::size_t i = 0; i < head.measured.size(); ++i) {
          const double rounding =
              engine::RetentionProbe::rounding *
              *std::max_element(head.state.begin(), head.state.begin() + static_cast<std::ptrdiff_t>(i) + 1);
          CAPTURE(i);
          CHECK(std::abs(head.measured[i] - head.analytic[i]) <= 2e-6 * head.analytic[i] + rounding);
          moved = std::max(moved, std::abs(head.analytic[i] / plain->heads[h].analytic[i] - 1));
        }
      }
    }
  }
  CHECK(moved > 0.2);
}

TEST_CASE("a probe ends when it is told to, and refuses what does not fit") {
  const auto model = model_of(tests::weights_of(tests::unusual_models().front(), 9));
  const auto two = open(*model, engine::BackendChoice::cpu, 2);
  const auto ids = ids_of(12);
  int told = 0;
  const auto cut = engine::probe_retention(*two, *model, ids, 0, 2, [&](double done) {
    ++told;
    return done < 0.49;
  });
  REQUIRE(cut.has_value());
  CHECK(told == 6);
  CHECK(cut->heads[0].measured.size() == 4);
  for (const auto& [layer, token] : {std::pair{-1, 0}, {2, 0}, {0, -1}, {0, 12}}) {
    const auto refused = engine::probe_retention(*two, *model, ids, layer, token);
    REQUIRE_FALSE(refused.has_value());
    CHECK(refused.error().kind == engine::ErrorKind::input);
  }
  const auto one = open(*model, engine::BackendChoice::cpu, 1);
  CHECK(engine::probe_retention(*one, *model, ids, 0, 2).error().kind == engine::ErrorKind::input);
  const auto reference = open(*model, engine::BackendChoice::reference, 2);  // cannot restore
  CHECK(engine::probe_retention(*reference, *model, ids, 0, 2).error().kind == engine::ErrorKind::input);
}
