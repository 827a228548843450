#include "kernels/product/narrow_product.h"

#include "kernels/bf16.h"
#include "kernels/device/device_info.h"
#include "tests/gpu/matrices.h"
#include "tests/gpu/twin.h"
#include "tests/support/bits.h"
#include "tests/support/elements.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

using namespace gpu_test;
using kernels::DType;

namespace {

bool runs_here() {
  const auto device = kernels::query_device();
  if (device && kernels::device::narrow_product_runs_on(device->major, device->minor)) return true;
  MESSAGE("skipped: products on tensor cores are for compute capability 9.0");
  return false;
}

struct Case {
  int rows, cols, batch, pieces;
  int multiprocessors = 132;  // few: a block takes several tiles
};

// Batches around the limits of the three widths, rows around those of the tiles, columns that fill no tile or fewer than
// there are pieces.
std::vector<Case> cases() {
  std::vector<Case> all = {{1, 8, 1, 1},         {5, 8, 2, 4},          {63, 64, 5, 1},       {64, 72, 31, 2},
                           {65, 128, 32, 4},     {136, 200, 33, 2},     {137, 64, 64, 2},     {258, 768, 65, 4},
                           {130, 1096, 128, 1},  {272, 520, 127, 2, 2}, {700, 136, 40, 2, 3}, {1100, 72, 9, 1, 4},
                           {300, 192, 100, 4, 1}};
  if (!small())
    all.insert(all.end(), {{8672, 2048, 128, 2}, {8672, 256, 7, 2}, {2048, 4096, 96, 4}, {30000, 512, 128, 1}});
  return all;
}

// fp32 values and their two parts.
struct Vectors {
  std::vector<float> values;
  std::vector<std::uint16_t> parts;
  explicit Vectors(std::vector<float> from) : values(std::move(from)), parts(2 * values.size()) {
    for (std::size_t i = 0; i < values.size(); ++i) {
      const std::uint16_t high = kernels::round_to_bf16(values[i]);
      parts[i] = high;
      parts[values.size() + i] = kernels::round_to_bf16(values[i] - kernels::widen_bf16(high));
    }
  }
  double at(std::size_t i) const {
    return static_cast<double>(kernels::widen_bf16(parts[i])) + kernels::widen_bf16(parts[values.size() + i]);
  }
};

double product(const kernels::Matrix& matrix, const Vectors& x, int row, int b) {
  const auto* const weights = static_cast<const std::uint16_t*>(matrix.data) + tests::elements(row, matrix.cols);
  double sum = 0;
  for (int k = 0; k < matrix.cols; ++k) {
    sum += static_cast<double>(kernels::widen_bf16(weights[k])) *
           x.at(tests::elements(b, matrix.cols) + static_cast<std::size_t>(k));
  }
  return sum;
}

kernels::device::Placement placement(int multiprocessors) { return {stream().handle(), false, false, multiprocessors}; }

constexpr std::size_t guard = 1024;  // elements behind an output that nothing may write to

std::vector<float> multiply(const TestMatrix& weight, const Vectors& x, const Case& c) {
  const Array<std::uint16_t> parts(x.parts);
  const Array<float> out(std::vector<float>(tests::elements(c.pieces * c.batch, c.rows) + guard, std::nanf("")));
  finish(kernels::device::narrow_product({weight.device(), c.batch, parts.data(), c.pieces, out.data()},
                                         placement(c.multiprocessors)));
  return out.read();
}

}  // namespace

TEST_CASE("gpu narrow product: any shape, in pieces, follows double") {
  if (!runs_here()) return;
  for (const Case& c : cases()) {
    CAPTURE(c.rows);
    CAPTURE(c.cols);
    CAPTURE(c.batch);
    Random random(41);
    const TestMatrix weight(random, DType::bf16, c.rows, c.cols);
    const Vectors x(random.values(tests::elements(c.batch, c.cols), -1, 1));
    const std::vector<float> found = multiply(weight, x, c);
    const std::size_t each = tests::elements(c.batch, c.rows);
    double largest = 0, worst = 0;
    const int row_step = std::max(1, c.rows / 200), batch_step = std::max(1, c.batch / 40);
    for (int b = 0; b < c.batch; ++b) {
      for (int row = 0; row < c.rows; ++row) {
        const std::size_t at = tests::elements(b, c.rows) + static_cast<std::size_t>(row);
        double sum = 0;
        for (int p = 0; p < c.pieces; ++p) sum += found[static_cast<std::size_t>(p) * each + at];
        REQUIRE(std::isfinite(sum));
        // Sampled where there are many, the last ones always.
        if ((row % row_step != 0 && row < c.rows - 9) || (b % batch_step != 0 && b < c.batch - 1)) continue;
        const double expected = product(weight.host(), x, row, b);
        largest = std::max(largest, std::fabs(expected));
        worst = std::max(worst, std::fabs(sum - expected));
      }
    }
    CAPTURE(worst / largest);
    CHECK(worst <= 1e-5 * largest);  // fp32 sums of up to 4,096 products
    for (std::size_t i = static_cast<std::size_t>(c.pieces) * each; i < found.size(); ++i)
      REQUIRE(std::isnan(found[i]));
    CHECK(tests::same_bits(found, multiply(weight, x, c)));
  }
}

TEST_CASE("gpu narrow product: values and their gates become the parts of what passes") {
  if (!runs_here()) return;
  for (const Case& c : {Case{16, 8, 1, 1}, Case{48, 72, 5, 1}, Case{272, 200, 33, 1}, Case{128, 64, 64, 1},
                        Case{2048, 256, 128, 1}, Case{624, 136, 100, 1, 3}}) {
    CAPTURE(c.rows);
    CAPTURE(c.batch);
    Random random(43);
    const TestMatrix weight(random, DType::bf16, c.rows, c.cols);
    const Vectors x(random.values(tests::elements(c.batch, c.cols), -1, 1));
    const Array<std::uint16_t> parts(x.parts);
    const int width = c.rows / 2;
    const std::size_t count = tests::elements(c.batch, width);
    constexpr std::uint16_t untouched = 0x7FC1;
    const Array<std::uint16_t> gated(std::vector<std::uint16_t>(2 * count + guard, untouched));
    finish(kernels::device::narrow_product({weight.device(), c.batch, parts.data(), 1, nullptr, gated.data()},
                                           placement(c.multiprocessors)));
    const std::vector<std::uint16_t> found = gated.read();
    double largest = 0, worst = 0;
    for (int b = 0; b < c.batch; ++b) {
      for (int row = 0; row < width; ++row) {
        const double gate = product(weight.host(), x, width + row, b);
        const double expected = product(weight.host(), x, row, b) * gate / (1 + std::exp(-gate));
        const std::size_t at = tests::elements(b, width) + static_cast<std::size_t>(row);
        const double sum = static_cast<double>(kernels::widen_bf16(found[at])) + kernels::widen_bf16(found[count + at]);
        largest = std::max(largest, std::fabs(expected));
        worst =
            std::max(worst, std::isfinite(sum) ? std::fabs(sum - expected) : std::numeric_limits<double>::infinity());
      }
    }
    CAPTURE(worst / largest);
    CHECK(worst <= 2e-5 * largest);  // two parts hold 16 bits
    CHECK(std::count(found.begin() + static_cast<std::ptrdiff_t>(2 * count), found.end(), untouched) == guard);
  }
}

TEST_CASE(
    "gpu narrow product: the bits of a sequence do not depend on the batch, and what is not finite stays its own") {
  if (!runs_here()) return;
  for (const int rows : {200, 700}) {
    const int cols = 264;
    Random random(47);
    const TestMatrix weight(random, DType::bf16, rows, cols);
    const std::vector<float> all = random.values(tests::elements(128, cols), -1, 1);
    const std::size_t length = static_cast<std::size_t>(cols), width = static_cast<std::size_t>(rows);
    std::vector<float> expected;
    for (const int batch : {128, 65, 64, 33, 32, 5, 1}) {
      CAPTURE(batch);
      // Sequence 0 stays; from the second on one is NaN and one infinite.
      std::vector<float> values(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(tests::elements(batch, cols)));
      if (batch > 1) values[length + 3] = std::numeric_limits<float>::quiet_NaN();
      if (batch > 2) values[2 * length + 7] = std::numeric_limits<float>::infinity();
      const std::vector<float> found = multiply(weight, Vectors(values), {rows, cols, batch, 2, 3});
      const std::size_t piece = tests::elements(batch, rows);
      std::vector<float> first(found.begin(), found.begin() + static_cast<std::ptrdiff_t>(width));
      first.insert(first.end(), found.begin() + static_cast<std::ptrdiff_t>(piece),
                   found.begin() + static_cast<std::ptrdiff_t>(piece + width));
      if (expected.empty()) expected = first;
      CHECK(tests::same_bits(first, expected));
      // Both lie in the first piece of the columns.
      for (std::size_t i = 0; i < piece; ++i) REQUIRE(std::isfinite(found[i]) == (i / width != 1 && i / width != 2));
    }
  }
}

TEST_CASE("gpu narrow product: what it cannot take is refused") {
  if (!runs_here()) return;
  Random random(53);
  const TestMatrix weight(random, DType::bf16, 40, 64), odd(random, DType::bf16, 40, 60),
      wide(random, DType::f32, 40, 64);
  const Array<std::uint16_t> parts(std::vector<std::uint16_t>(2 * 129 * 64, 0));
  const Array<float> out(std::vector<float>(129 * 40, 0));
  const auto refused = [&](kernels::NarrowProductArgs args) {
    return kernels::device::narrow_product(args, placement(132)) != 0;
  };
  CHECK(refused({weight.device(), 129, parts.data(), 1, out.data()}));
  CHECK(refused({weight.device(), 0, parts.data(), 1, out.data()}));
  CHECK(refused({odd.device(), 1, parts.data(), 1, out.data()}));
  CHECK(refused({wide.device(), 1, parts.data(), 1, out.data()}));
  CHECK(refused({weight.device(), 1, parts.data(), 2, nullptr, out.data()}));  // gated, in pieces
  CHECK(refused({weight.device(), 1, parts.data(), 1, nullptr, out.data()}));  // gated, 40 rows
  CHECK_FALSE(refused({weight.device(), 1, parts.data(), 1, out.data()}));
  finish(0);
}
