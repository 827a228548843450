// The loader on real files: the golden models.
#include "engine/model/model.h"

#include <doctest/doctest.h>

#include <string>

namespace {

const std::string golden = TEST_GOLDEN;

}  // namespace

TEST_CASE("every golden model loads, with its parameters counted once") {
  struct Row {
    const char* name;
    std::int64_t parameters;
    kernels::DType dtype;
  };
  // Counted independently from the files' headers: the sum of all shapes but lm_head's.
  for (const Row& row :
       {Row{"siso-fp32", 134984, kernels::DType::f32}, Row{"mimo-bf16", 1055896, kernels::DType::bf16},
        Row{"siso-outproj-norm-rope1", 127696, kernels::DType::f32},
        Row{"mimo-r2-headdim32", 155216, kernels::DType::f32}, Row{"siso-1500-tokens", 64848, kernels::DType::f32}}) {
    CAPTURE(row.name);
    const auto model = engine::load_model(golden + "/" + row.name);
    REQUIRE_MESSAGE(model.has_value(), (model ? "" : model.error().message));
    const engine::Weights& weights = (*model)->weights;
    CHECK((*model)->name == row.name);
    CHECK(weights.parameters == row.parameters);
    CHECK(weights.embedding.dtype == row.dtype);
    CHECK(weights.embedding.data == weights.head.data);
    CHECK(weights.layers.size() == static_cast<std::size_t>(weights.config.n_layer));
    CHECK(weights.layers[0].in_proj.rows == weights.config.in_proj().rows);
    CHECK(weights.layers[0].outproj_norm.empty() != weights.config.is_outproj_norm);
    CHECK(weights.layers[0].mimo_x.empty() != weights.config.is_mimo);
  }
}
