#include "kernels/device/launch.h"
#include "kernels/reference/reference.h"
#include "tests/gpu/matrices.h"
#include "tests/gpu/twin.h"
#include "tests/support/bits.h"
#include "tests/support/elements.h"

using namespace gpu_test;
using kernels::DType;
using kernels::ProjectionMode;

namespace {

struct Case {
  int rows, cols, batch;
};

std::vector<Case> cases() {
  std::vector<Case> all = {{1, 1, 1},      {2, 8, 1},      {3, 9, 2},     {50, 64, 1},  {50, 64, 4},
                           {50, 64, 5},    {51, 66, 3},    {130, 256, 8}, {66, 250, 9}, {258, 768, 1},
                           {17, 1537, 33}, {130, 512, 17}, {64, 128, 512}};
  if (!small()) {
    all.insert(all.end(), {{3432, 768, 1}, {16384, 64, 1}, {32770, 72, 1}, {1536, 1280, 7}, {4200, 768, 12}});
  }
  return all;
}

}  // namespace

TEST_CASE("gpu projection: every dtype and mode, aligned and not, any number of rows and columns") {
  for (const DType dtype : {DType::f32, DType::f16, DType::bf16}) {
    for (const ProjectionMode mode : {ProjectionMode::store, ProjectionMode::accumulate, ProjectionMode::gated}) {
      for (const Case& c : cases()) {
        CAPTURE(kernels::name_of(dtype));
        CAPTURE(static_cast<int>(mode));
        CAPTURE(c.rows);
        CAPTURE(c.cols);
        CAPTURE(c.batch);
        if (mode == ProjectionMode::gated && c.rows % 2 != 0) continue;
        Random random(23);
        // One case of each lies off the 16 bytes that vector loads need.
        const TestMatrix weight(random, dtype, c.rows, c.cols, c.rows == 50 && c.batch == 5 ? 4 : 0);
        const int width = mode == ProjectionMode::gated ? c.rows / 2 : c.rows;
        Twin in(random.values(tests::elements(c.batch, c.cols), -1, 1));
        Twin out(random.values(tests::elements(c.batch, width), -1, 1));
        finish(kernels::device::projection({c.batch, mode, weight.device(), in.device.data(), out.device.data()},
                                           stream().handle()));
        kernels::reference::projection({c.batch, mode, weight.host(), in.host.data(), out.host.data()});
        // fp32 sums of up to 1,537 products, each lane's one after the other.
        CHECK_TWIN(out, 2e-6);
      }
    }
  }
}

TEST_CASE("gpu projection: the bits of a sequence do not depend on the batch or the place in it") {
  for (const DType dtype : {DType::f32, DType::bf16}) {
    for (const int cols : {768, 250}) {
      const int rows = 300;
      Random random(29);
      const TestMatrix weight(random, dtype, rows, cols);
      const std::vector<float> one = random.values(static_cast<std::size_t>(cols), -1, 1);
      const auto product = [&](int batch, int place) {
        std::vector<float> in = random.values(tests::elements(batch, cols), -1, 1);
        std::copy(one.begin(), one.end(), in.begin() + std::ptrdiff_t{place} * cols);
        const Array<float> device_in(in);
        const Array<float> out(std::vector<float>(tests::elements(batch, rows), 0));
        finish(kernels::device::projection(
            {batch, ProjectionMode::store, weight.device(), device_in.data(), out.data()}, stream().handle()));
        const std::vector<float> all = out.read();
        const auto first = all.begin() + std::ptrdiff_t{place} * rows;
        return std::vector<float>(first, first + rows);
      };
      const std::vector<float> alone = product(1, 0);
      for (const int batch : {1, 2, 4, 5, 8, 9, 64}) {
        for (const int place : {0, batch / 2, batch - 1}) {
          CAPTURE(cols);
          CAPTURE(batch);
          CAPTURE(place);
          CHECK(tests::same_bits(product(batch, place), alone));
        }
      }
    }
  }
}
