// Families whose outputs each need few values: embedding, norm, mimo_mix, coefficients.
#include "kernels/device/launch.h"
#include "kernels/reference/reference.h"
#include "tests/gpu/matrices.h"
#include "tests/gpu/shapes.h"
#include "tests/gpu/twin.h"
#include "tests/support/elements.h"

using namespace gpu_test;
namespace reference = kernels::reference;
namespace device = kernels::device;

TEST_CASE("gpu embedding: rows of every dtype, exactly") {
  for (const auto dtype : {kernels::DType::f32, kernels::DType::f16, kernels::DType::bf16}) {
    for (const int batch : {1, 5, 512}) {
      for (const int cols : {1, 64, 771}) {
        CAPTURE(kernels::name_of(dtype));
        CAPTURE(batch);
        CAPTURE(cols);
        Random random(7);
        const TestMatrix table(random, dtype, 53, cols);
        std::vector<std::int32_t> ids(static_cast<std::size_t>(batch));
        for (std::size_t i = 0; i < ids.size(); ++i) ids[i] = static_cast<std::int32_t>(i * 31 % 53);
        const Array<std::int32_t> device_ids(ids);
        Twin out = Twin::output(tests::elements(batch, cols));
        finish(device::embedding({batch, table.device(), device_ids.data(), out.device.data()}, stream().handle()));
        reference::embedding({batch, table.host(), ids.data(), out.host.data()});
        CHECK_TWIN(out, 0.0);
      }
    }
  }
}

TEST_CASE("gpu norm: any width, batch 1 to 512") {
  for (const int batch : {1, 4, 512}) {
    for (const int width : {1, 8, 33, 64, 768, 2050}) {
      CAPTURE(batch);
      CAPTURE(width);
      Random random(11);
      const auto count = tests::elements(batch, width);
      Twin in(random.values(count, -3, 3));
      Weight weight(random.values(static_cast<std::size_t>(width), 0.5F, 1.5F));
      Twin out = Twin::output(count);
      const auto args = [&](auto on) {
        return kernels::NormArgs<typename decltype(on)::Type>{batch, width, on(in), on(weight), on(out)};
      };
      finish(device::norm(args(OnDevice{}), stream().handle()));
      reference::norm(args(OnHost{}));
      CHECK_TWIN(out, 1e-6);
    }
  }
}

TEST_CASE("gpu mimo_mix: every shape") {
  for (const Shape& shape : mixer_shapes()) {
    if (!shape.mimo) continue;
    for (const int batch : batches()) {
      CAPTURE(shape);
      CAPTURE(batch);
      Random random(13);
      const auto width = static_cast<std::size_t>(shape.inner());
      Twin values(random.values(tests::elements(batch, shape.rank) * width, -2, 2));
      Weight mimo_o(random.values(static_cast<std::size_t>(shape.rank) * width, -1, 1));
      Twin out = Twin::output(static_cast<std::size_t>(batch) * width);
      const auto args = [&](auto on) {
        return kernels::MimoMixArgs<typename decltype(on)::Type>{batch,      shape.heads, shape.headdim, shape.rank,
                                                                 on(values), on(mimo_o),  on(out)};
      };
      finish(device::mimo_mix(args(OnDevice{}), stream().handle()));
      reference::mimo_mix(args(OnHost{}));
      CHECK_TWIN(out, 1e-6);
    }
  }
}

TEST_CASE("gpu coefficients: both activations of A, extreme inputs, a fixed lambda") {
  struct Case {
    int heads, angles;
    bool softplus_a;
    double lambda;
    float range;
  };
  for (const Case& c : {Case{1, 2, false, -1, 3}, Case{24, 32, false, -1, 3}, Case{24, 32, true, -1, 3},
                        Case{7, 128, false, 0.25, 3}, Case{300, 8, false, -1, 60}, Case{300, 8, true, 1.0, 60}}) {
    for (const int batch : {1, 5, 512}) {
      CAPTURE(c.heads);
      CAPTURE(c.range);
      CAPTURE(batch);
      Random random(17);
      const int stride = 3 * c.heads + c.angles + 5;
      Twin projected(random.values(tests::elements(batch, stride), -c.range, c.range));
      Weight dt_bias(random.values(static_cast<std::size_t>(c.heads), -5, 1));
      const auto per_head = tests::elements(batch, c.heads);
      Twin dt = Twin::output(per_head), a = Twin::output(per_head), lambda = Twin::output(per_head),
           alpha = Twin::output(per_head), beta = Twin::output(per_head), gamma = Twin::output(per_head),
           turn = Twin::output(tests::elements(batch, c.angles));
      const auto args = [&](auto on) {
        kernels::CoefficientsArgs<typename decltype(on)::Type> made;
        made.batch = batch;
        made.heads = c.heads;
        made.angles = c.angles;
        made.softplus_a = c.softplus_a;
        made.lambda_override = c.lambda;
        made.stride = stride;
        made.dd_dt = on(projected);
        made.dd_a = made.dd_dt + c.heads;
        made.trap = made.dd_a + c.heads;
        made.angle = made.trap + c.heads;
        made.dt_bias = on(dt_bias);
        made.dt = on(dt);
        made.a = on(a);
        made.lambda = on(lambda);
        made.alpha = on(alpha);
        made.beta = on(beta);
        made.gamma = on(gamma);
        made.turn = on(turn);
        return made;
      };
      finish(device::coefficients(args(OnDevice{}), stream().handle()));
      reference::coefficients(args(OnHost{}));
      // Computed in double on both sides: the rounding to fp32 is all there is.
      for (Twin* twin : {&dt, &a, &lambda, &alpha, &beta, &gamma, &turn}) CHECK_TWIN(*twin, 1e-7);
    }
  }
}
