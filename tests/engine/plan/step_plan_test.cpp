#include "engine/plan/step_plan.h"

#include <doctest/doctest.h>

#include <map>
#include <string>

namespace {

// The shapes of a model without its values: costs are counted from shapes.
engine::Weights shapes_of(const engine::ModelConfig& c) {
  const auto dtype = kernels::DType::bf16;
  engine::Weights weights;
  weights.config = c;
  weights.embedding = weights.head = {nullptr, dtype, c.padded_vocab(), c.d_model};
  weights.layers.resize(static_cast<std::size_t>(c.n_layer));
  for (engine::LayerWeights& layer : weights.layers) {
    layer.in_proj = {nullptr, dtype, c.in_proj().rows, c.d_model};
    layer.out_proj = {nullptr, dtype, c.d_model, c.d_inner()};
    layer.fc1 = {nullptr, dtype, 2 * c.mlp_width(), c.d_model};
    layer.fc2 = {nullptr, dtype, c.d_model, c.mlp_width()};
  }
  return weights;
}

engine::ModelConfig released_1_5b(bool mimo) {
  engine::ModelConfig config;
  config.d_model = 2048;
  config.d_intermediate = mimo ? 3824 : 4096;
  config.n_layer = 24;
  config.vocab_size = 128256;
  config.pad_vocab_size_multiple = 16;
  config.is_mimo = mimo;
  return config;
}

}  // namespace

TEST_CASE("step plan: stages in the order of the model, each with its index") {
  engine::ModelConfig config = released_1_5b(true);
  config.n_layer = 2;
  const engine::StepPlan plan = engine::make_staged_plan(shapes_of(config), 1);
  std::string order;
  for (std::size_t i = 0; i < plan.stages.size(); ++i) {
    CHECK(plan.stages[i].id == static_cast<int>(i));
    order += std::to_string(plan.stages[i].layer) + ":" + engine::name_of(plan.stages[i].kind) + " ";
  }
  std::string layers;
  for (const char* layer : {"0:", "1:"}) {
    for (const char* kind : {"norm", "in_proj", "coefficients", "rotate", "state_update", "readout", "mimo_mix",
                             "out_proj", "mlp_norm", "mlp_up", "mlp_down"}) {
      layers += layer + std::string(kind) + " ";
    }
  }
  CHECK(order == "-1:embed " + layers + "-1:final_norm -1:head ");

  config.is_mimo = false;
  config.d_intermediate = 0;
  CHECK(engine::make_staged_plan(shapes_of(config), 1).stages.size() == 2 * 7 + 3);
}

TEST_CASE("step plan: the released 1.5B shapes cost what their weights and state weigh") {
  const engine::ModelConfig config = released_1_5b(false);
  const engine::StepPlan one = engine::make_staged_plan(shapes_of(config), 1);
  // 1,494,723,584 parameters in bf16, all but the norms and biases in matrices; the embedding is the head.
  const double weights = 2.0 * 1494723584;
  const double state = 24.0 * 64 * 64 * 128 * 4;
  double matrices = 0;
  double update = 0;
  for (const engine::Stage& stage : one.stages) {
    using engine::StageKind;
    if (stage.kind == StageKind::in_proj || stage.kind == StageKind::out_proj || stage.kind == StageKind::mlp_up ||
        stage.kind == StageKind::mlp_down || stage.kind == StageKind::head) {
      matrices += static_cast<double>(stage.cost.bytes_read);
    }
    if (stage.kind == StageKind::state_update) update += static_cast<double>(stage.cost.bytes());
  }
  CHECK(matrices == doctest::Approx(weights).epsilon(0.002));
  CHECK(update == doctest::Approx(2 * state).epsilon(0.05));  // keys, values and sums of squares are the rest
  CHECK(static_cast<double>(one.total().bytes()) == doctest::Approx(weights + 3 * state).epsilon(0.01));
  CHECK(static_cast<double>(one.total().flops) == doctest::Approx(weights).epsilon(0.15));  // 2 flops a weight

  // A batch reads the weights once.
  const engine::StepPlan many = engine::make_staged_plan(shapes_of(config), 128);
  const double more = static_cast<double>(many.total().bytes()) - static_cast<double>(one.total().bytes());
  CHECK(more == doctest::Approx(127 * 3 * state).epsilon(0.15));
  CHECK(many.total().flops == 128 * one.total().flops);
}
