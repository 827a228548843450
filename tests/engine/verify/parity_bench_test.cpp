// One turned sign is found in the layer and tensor where it is, whatever comes behind it; what is not a number is counted and
// located; a backend that does not repeat itself, or fails, is a row that says so.
#include "engine/verify/parity_bench.h"

#include "engine/backend/cpu_backend.h"
#include "engine/model/random_weights.h"
#include "engine/verify/planted_error.h"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <cmath>
#include <limits>
#include <memory>

namespace {

using engine::ParityRow;
using engine::ParityTensor;

engine::Weights small_weights(bool mimo = true, kernels::DType dtype = kernels::DType::f32) {
  engine::ModelConfig config;
  config.d_model = 32;
  config.d_intermediate = 48;
  config.n_layer = 3;
  config.vocab_size = 50;
  config.headdim = 16;
  config.d_state = 16;
  config.is_mimo = mimo;
  config.mimo_rank = 2;
  config.is_outproj_norm = mimo;
  config.tie_embeddings = false;
  auto weights = engine::make_random_weights(config, dtype, 5);
  REQUIRE(weights);
  return std::move(*weights);
}

const std::vector<std::int32_t> text = {3, 17, 41, 8, 8, 29, 11};

engine::ParityCandidate cpu(const engine::Weights& weights) {
  engine::BackendOptions options;
  options.choice = engine::BackendChoice::cpu;
  options.threads = 1;
  return {"cpu", false, "", [&weights, options] { return engine::make_backend(weights, options); }};
}

engine::ParityReport bench(const engine::Weights& weights, const std::vector<engine::ParityCandidate>& candidates,
                           const engine::ParityOptions& options = {}) {
  auto report = engine::run_parity_bench(weights, text, candidates, options, {});
  const std::string message = report ? std::string() : report.error().message;
  CAPTURE(message);
  REQUIRE(report);
  REQUIRE(report->rows.size() == candidates.size());
  return std::move(*report);
}

const engine::ParityCell& cell(const std::vector<engine::ParityCell>& cells, const engine::Weights& weights, int layer,
                               ParityTensor tensor) {
  return cells.at(engine::parity_cell_index(weights.config, layer, tensor));
}

// A cpu backend that is wrong in a way of its own from some step on.
class Faulty : public engine::CpuBackend {
 public:
  using Fault = std::function<engine::Result<void>(Faulty&, int step)>;
  Faulty(const engine::Weights& weights, Fault fault) : CpuBackend(weights, 1, 1), fault_(std::move(fault)) {}
  engine::Result<void> step(std::span<const std::int32_t> ids, engine::Observer* observer) override {
    auto done = CpuBackend::step(ids, observer);
    return done ? fault_(*this, ++steps_) : done;
  }
  void nudge_state() { buffers_.layers[1].h[7] *= 1.0F + 0x1p-22F; }

 private:
  int steps_ = 0;
  Fault fault_;
};

engine::ParityCandidate faulty(const engine::Weights& weights, Faulty::Fault fault) {
  return {"faulty", false, "", [&weights, fault]() -> engine::Result<std::unique_ptr<engine::Backend>> {
            return std::make_unique<Faulty>(weights, fault);
          }};
}

}  // namespace

TEST_CASE("parity bench: what agrees passes, in every cell, and the first and last cells are where they should be") {
  for (const bool mimo : {false, true}) {
    const engine::Weights weights = small_weights(mimo);
    const auto report = bench(weights, engine::parity_candidates(weights, 1));
    CHECK(report.pass());
    CHECK(report.tokens == 7);
    for (const ParityRow& row : report.rows) {
      CAPTURE(row.name);
      const bool cuda = row.name.rfind("cuda", 0) == 0;
      if (cuda && row.outcome == ParityRow::Outcome::absent) {
        CHECK_FALSE(row.message.empty());
        continue;
      }
      CHECK(row.pass());
      CHECK(row.repeatable);
      CHECK(row.begins() == nullptr);
      CHECK(row.chunked == (row.prefill && row.name.rfind("cpu", 0) != 0));
      REQUIRE(row.text.size() == engine::parity_cell_count(weights.config));
      CHECK(row.step.size() == (row.prefill ? 0 : row.text.size()));
      // fp32 is not double; the chunked form in double may round to the same fp32.
      if (!row.prefill) CHECK(ParityRow::worst(row.text)->of_limit > 0);
      CHECK(engine::describe(row.text.back()) == "logits");
      CHECK(engine::describe(cell(row.text, weights, 2, ParityTensor::ssm)) == "layer 2 ssm");
      for (const engine::ParityCell& one : row.step) CHECK(one.values > 0);
      CHECK(cell(row.text, weights, 0, ParityTensor::mixer).values == 0);  // nobody watched
      CHECK(cell(row.text, weights, 1, ParityTensor::k).values ==
            static_cast<std::size_t>(weights.config.rank() * weights.config.heads() * 16));
    }
  }
}

TEST_CASE(
    "parity bench: one turned sign begins in the layer and tensor that it is in, and nothing behind it is blamed") {
  const engine::Weights weights = small_weights();
  const engine::InProjLayout at = weights.config.in_proj();
  const auto in_proj = [&](int layer, int row) {
    return fmt::format("layers.{}.mixer.in_proj.weight[{}]", layer, row * weights.config.d_model + 9);
  };
  const struct {
    std::string where;
    int layer;
    ParityTensor tensor;
  } plants[] = {{"embedding.weight[266]", -1, ParityTensor::embedding},  // token 8, but not the last, is not looked at
                {"layers.1.norm.weight[3]", 1, ParityTensor::dt},
                {"layers.1.mixer.dt_bias[1]", 1, ParityTensor::dt},
                {in_proj(2, at.dd_dt + 1), 2, ParityTensor::dt},
                {in_proj(1, at.dd_a), 1, ParityTensor::a},
                {in_proj(0, at.trap + 2), 0, ParityTensor::lambda},
                {in_proj(1, at.angle + 3), 1, ParityTensor::turn},
                {in_proj(1, at.b + 5), 1, ParityTensor::k},
                {"layers.0.mixer.B_bias[40]", 0, ParityTensor::k},
                {"layers.2.mixer.B_norm.weight[4]", 2, ParityTensor::k},
                {in_proj(2, at.x + 20), 2, ParityTensor::v},
                {"layers.1.mixer.mimo_x[17]", 1, ParityTensor::ssm},
                {in_proj(0, at.z + 20), 0, ParityTensor::mixer},
                {in_proj(0, at.c + 7), 0, ParityTensor::mixer},
                {"layers.1.mixer.C_bias[12]", 1, ParityTensor::mixer},
                {"layers.1.mixer.C_norm.weight[12]", 1, ParityTensor::mixer},
                {"layers.1.mixer.D[2]", 1, ParityTensor::mixer},
                {"layers.0.mixer.mimo_z[33]", 0, ParityTensor::mixer},
                {"layers.2.mixer.mimo_o[18]", 2, ParityTensor::mixer},
                {"layers.1.mixer.norm.weight[10]", 1, ParityTensor::mixer},
                {"layers.0.mixer.out_proj.weight[100]", 0, ParityTensor::mixer},
                {"layers.1.norm2.weight[5]", 1, ParityTensor::mlp},
                {"layers.0.mlp.fc1.weight[70]", 0, ParityTensor::mlp},
                {"layers.2.mlp.fc2.weight[70]", 2, ParityTensor::mlp},
                {"norm_f.weight[1]", -1, ParityTensor::logits},
                {"lm_head.weight[77]", -1, ParityTensor::logits}};
  for (const auto& plant : plants) {
    CAPTURE(plant.where);
    auto error = engine::parse_planted_error(plant.where);
    REQUIRE(error);
    if (plant.tensor == ParityTensor::embedding) error->index = 11 * 32 + 5;  // the last token's
    const auto wrong = engine::plant(weights, *error);
    REQUIRE(wrong);
    const auto report = bench(weights, {cpu(**wrong)});
    const ParityRow& row = report.rows[0];
    CHECK_FALSE(report.pass());
    REQUIRE(row.begins() != nullptr);
    CHECK(row.begins_in_step());
    const std::string begins = engine::describe(*row.begins());
    CAPTURE(begins);
    CHECK(row.begins()->layer == plant.layer);
    CHECK(row.begins()->tensor == plant.tensor);
    for (const engine::ParityCell& one : row.step) {
      const std::string name = engine::describe(one);
      CAPTURE(name);
      if (one.layer != plant.layer) CHECK_FALSE(one.over());
    }
  }
}

TEST_CASE("parity bench: where the worst value of a cell is") {
  const engine::Weights weights = small_weights();
  const engine::ModelConfig& config = weights.config;
  // Head 2, rank 1, channel 13 of the bias: the key of that head and rank.
  const auto wrong = engine::plant(weights, {"layers.1.mixer.B_bias", std::size_t{2 * 2 * 16 + 16 + 13}});
  REQUIRE(wrong);
  const auto report = bench(weights, {cpu(**wrong)});
  const engine::ParityCell& k = cell(report.rows[0].step, weights, 1, ParityTensor::k);
  const std::string where = engine::place_in(config, k.tensor, k.index);
  // A key is turned by its pair: the other channel of the pair (5 and 13) may be further off.
  CHECK((where == "rank 1, head 2, channel 13" || where == "rank 1, head 2, channel 5"));
  CHECK(std::fabs(k.found - k.expected) > 0.1F);
  CHECK(engine::place_in(config, ParityTensor::ssm, 16 * 16 + 2 * 16 + 3) == "head 1, row 2, column 3");
  CHECK(engine::place_in(config, ParityTensor::v, 16 + 2) == "head 1, row 2");
  CHECK(engine::place_in(config, ParityTensor::angle, 4 + 2) == "head 1, pair 2");
  CHECK(engine::place_in(config, ParityTensor::logits, 7) == "token 7");
}

TEST_CASE("parity bench: values that are not finite are counted and located") {
  const engine::Weights weights = small_weights();
  engine::Weights wrong = weights;
  wrong.layers[1].d[1] = std::numeric_limits<float>::quiet_NaN();
  wrong.layers[2].dt_bias[3] = std::numeric_limits<float>::infinity();
  const auto report = bench(weights, {cpu(wrong)});
  const ParityRow& row = report.rows[0];
  REQUIRE(row.begins() != nullptr);
  CHECK(engine::describe(*row.begins()) == "layer 1 mixer");
  CHECK(row.begins()->not_finite == 32);  // every channel of out_proj reads that head
  CHECK(std::isnan(row.begins()->found));
  const engine::ParityCell& dt = cell(row.step, weights, 2, ParityTensor::dt);
  CHECK(dt.not_finite == 1);
  CHECK(engine::place_in(weights.config, dt.tensor, dt.index) == "head 3");
  CHECK(cell(row.step, weights, 1, ParityTensor::ssm).not_finite == 0);
  CHECK(ParityRow::not_finite(row.text) > 32);
  CHECK(row.repeatable);  // the same bits, for all that
}

TEST_CASE("parity bench: a backend with other bits the second time, and one that fails in the middle") {
  const engine::Weights weights = small_weights();
  const auto moody = faulty(weights, [](Faulty& backend, int step) -> engine::Result<void> {
    if (step == 7 + 7) backend.nudge_state();  // the last token of the second run
    return {};
  });
  const auto broken = faulty(weights, [](Faulty&, int step) -> engine::Result<void> {
    return step == 9 ? engine::Result<void>(engine::system_error("The device is gone.")) : engine::Result<void>();
  });
  const auto report = bench(weights, {moody, broken, cpu(weights)});
  CHECK_FALSE(report.pass());
  const ParityRow& other = report.rows[0];
  CHECK(other.outcome == ParityRow::Outcome::measured);
  CHECK(other.begins() == nullptr);
  CHECK_FALSE(other.repeatable);
  CHECK(other.first_unequal == "layer 1 ssm, after the text");
  CHECK_FALSE(other.pass());
  CHECK(report.rows[1].outcome == ParityRow::Outcome::failed);
  CHECK(report.rows[1].message == "The device is gone.");
  CHECK(report.rows[1].text.empty());
  CHECK(report.rows[2].pass());  // the others go on
}

TEST_CASE("parity bench: under interventions, cancelled, one token, wrong input") {
  const engine::Weights weights = small_weights();
  engine::ParityOptions options;
  engine::Intervention half;
  half.quantity = engine::Quantity::rotation;
  half.value = 0.5;
  half.tokens.first = 3;
  options.interventions = {half};
  const auto changed = bench(weights, engine::parity_candidates(weights, 1), options);
  CHECK(changed.rows[0].pass());
  CHECK(changed.rows[1].outcome == ParityRow::Outcome::absent);  // a changed step is not prefilled
  CHECK(changed.pass());

  int asked = 0;
  const auto stopped =
      engine::run_parity_bench(weights, text, {cpu(weights), cpu(weights)}, {},
                               [&](const engine::ParityReport& so_far, const std::string&, double done) {
                                 CHECK(done <= 1);
                                 ++asked;
                                 return so_far.rows.empty();
                               });
  REQUIRE(stopped);
  CHECK(stopped->cancelled);
  CHECK(stopped->rows.size() == 1);
  CHECK_FALSE(stopped->pass());
  CHECK(asked == 7 + 2 * 7 + 1);

  const std::vector<std::int32_t> one = {4}, outside = {4, 50};
  const auto first = engine::run_parity_bench(weights, one, {cpu(weights)}, {}, {});
  REQUIRE(first);
  CHECK(first->pass());
  CHECK(engine::run_parity_bench(weights, {}, {cpu(weights)}, {}, {}).error().kind == engine::ErrorKind::input);
  CHECK(engine::run_parity_bench(weights, outside, {cpu(weights)}, {}, {}).error().kind == engine::ErrorKind::input);
}

TEST_CASE("planted errors: named as people do, in every type, and refused where there is nothing to turn") {
  for (const kernels::DType dtype : {kernels::DType::f32, kernels::DType::f16, kernels::DType::bf16}) {
    const engine::Weights weights = small_weights(false, dtype);
    const auto wrong = engine::plant(weights, {"layers.2.mixer.in_proj.weight", 70});
    REQUIRE(wrong);
    const auto report = bench(weights, {cpu(**wrong)});
    CHECK_FALSE(report.pass());
    CHECK(report.rows[0].begins()->layer == 2);
  }
  engine::Weights weights = small_weights();
  weights.layers[0].d[0] = 0;
  CHECK(engine::plant(weights, {"layers.0.mixer.D", 0}).error().message.find("zero") != std::string::npos);
  CHECK(engine::plant(weights, {"mixer.D", 0}).error().message.find("several") != std::string::npos);
  CHECK(engine::plant(weights, {"layers.0.mixer.E", 0}).error().message.find("no tensor") != std::string::npos);
  CHECK(engine::plant(weights, {"layers.0.mixer.D", 4}).error().message.find("4 values") != std::string::npos);
  CHECK(weights.layers[0].d[1] == engine::plant(weights, {"layers.0.mixer.D", 2}).value()->layers[0].d[1]);
  CHECK(engine::parse_planted_error("layers.1.mixer.D[3]")->index == 3);
  CHECK(engine::parse_planted_error("layers.1.mixer.D")->index == 0);
  for (const char* bad : {"", "[3]", "D[", "D[]", "D[x]", "D[3", "D[3]x", "D[-1]"}) {
    CAPTURE(bad);
    CHECK_FALSE(engine::parse_planted_error(bad));
  }
}
