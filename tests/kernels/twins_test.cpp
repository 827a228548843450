// Every kernel family of the CPU backend, in fp32 and for every instruction set of this machine, against its twin in
// double over a sweep of shapes. Both get the same fp32 inputs, so each limit is about the kernel's own rounding.
#include "kernels/cpu/table.h"
#include "kernels/reference/reference.h"
#include "tests/support/difference.h"
#include "tests/support/mixer_case.h"

#include <doctest/doctest.h>

#include <bit>
#include <cmath>
#include <cstring>
#include <string>
#include <vector>

namespace {

using kernels::cpu::Table;
using tests::difference;

// A sum of n products in fp32, in 16 lanes, is off by a few units of 2^-24 = 6e-8 of its largest partial sum.
constexpr double dot_limit = 2e-6;

template <class Kernel, class Args>
void all(Kernel kernel, const Args& args) {
  kernel(args, 0, kernels::cpu::items(args));
}

struct Bits {
  std::vector<std::uint16_t> narrow;
  std::vector<float> wide;
  kernels::Matrix matrix;
};

// Weights of any dtype with values that it holds exactly, fp16 subnormals included.
Bits weights(kernels::DType dtype, int rows, int cols, tests::Random& random) {
  Bits bits;
  const int count = rows * cols;
  if (dtype == kernels::DType::f32) {
    bits.wide = random.values<float>(count, -1, 1);
  } else {
    bits.narrow.resize(static_cast<std::size_t>(count));
    for (std::uint16_t& value : bits.narrow) {
      const float draw = random.uniform(-1, 1) * (random.uniform(0, 1) < 0.1F ? 3e-6F : 1.0F);
      value = dtype == kernels::DType::f16 ? std::bit_cast<std::uint16_t>(static_cast<_Float16>(draw))
                                           : static_cast<std::uint16_t>(std::bit_cast<std::uint32_t>(draw) >> 16U);
    }
  }
  const void* data = dtype == kernels::DType::f32 ? static_cast<const void*>(bits.wide.data()) : bits.narrow.data();
  bits.matrix = {data, dtype, rows, cols};
  return bits;
}

}  // namespace

TEST_CASE("twins: projection in every dtype and mode, with rows and columns that fill no vector") {
  tests::Random random(11);
  const struct {
    int rows, cols, batch;
  } shapes[] = {{16, 16, 1}, {34, 40, 5}, {1, 7, 2}, {2, 1, 1}, {100, 130, 3}, {258, 384, 8}, {50, 1000, 1}};
  for (const Table* table : kernels::cpu::tables()) {
    for (const auto& shape : shapes) {
      for (const auto dtype : {kernels::DType::f32, kernels::DType::f16, kernels::DType::bf16}) {
        for (const auto mode :
             {kernels::ProjectionMode::store, kernels::ProjectionMode::accumulate, kernels::ProjectionMode::gated}) {
          if (mode == kernels::ProjectionMode::gated && shape.rows % 2 != 0) continue;
          CAPTURE(table->name);
          CAPTURE(shape.rows);
          CAPTURE(shape.cols);
          CAPTURE(kernels::name_of(dtype));
          CAPTURE(static_cast<int>(mode));
          const Bits bits = weights(dtype, shape.rows, shape.cols, random);
          const auto in = random.values<float>(shape.batch * shape.cols, -2, 2);
          auto out = random.values<float>(shape.batch * shape.rows, -2, 2);
          const std::vector<double> wide_in(in.begin(), in.end());
          std::vector<double> wide_out(out.begin(), out.end());
          all(table->projection, kernels::ProjectionArgs<float>{shape.batch, mode, bits.matrix, in.data(), out.data()});
          kernels::reference::projection({shape.batch, mode, bits.matrix, wide_in.data(), wide_out.data()});
          const auto off = difference(out, wide_out);
          CHECK(off.max_rel < dot_limit);
          CHECK(off.nmse < 1e-12);
        }
      }
    }
  }
}

TEST_CASE("twins: narrow weights widen exactly, infinities and NaN included") {
  for (const Table* table : kernels::cpu::tables()) {
    for (const auto dtype : {kernels::DType::f16, kernels::DType::bf16}) {
      std::vector<std::uint16_t> bits(65536);
      for (std::size_t i = 0; i < bits.size(); ++i) bits[i] = static_cast<std::uint16_t>(i);
      const kernels::Matrix every{bits.data(), dtype, 1, 65536};
      const std::int32_t id = 0;
      std::vector<float> out(bits.size());
      std::vector<double> reference(bits.size());
      all(table->embedding, kernels::EmbeddingArgs<float>{1, every, &id, out.data()});
      kernels::reference::embedding({1, every, &id, reference.data()});
      int wrong = 0;
      for (std::size_t i = 0; i < bits.size(); ++i) {
        const bool same = std::isnan(reference[i]) ? std::isnan(out[i]) : static_cast<double>(out[i]) == reference[i];
        wrong += same ? 0 : 1;
      }
      CAPTURE(table->name);
      CAPTURE(kernels::name_of(dtype));
      CHECK(wrong == 0);
    }
  }
  const std::uint16_t one[] = {0x3C00, 0x0001, 0xFC00};
  CHECK(kernels::reference::element({one, kernels::DType::f16, 1, 3}, 0) == 1.0);
  CHECK(kernels::reference::element({one, kernels::DType::f16, 1, 3}, 1) == 0x1.0p-24);
  CHECK(kernels::reference::element({one, kernels::DType::f16, 1, 3}, 2) == -HUGE_VAL);
}

TEST_CASE("twins: norm") {
  tests::Random random(5);
  for (const Table* table : kernels::cpu::tables()) {
    for (const int width : {1, 16, 24, 64, 100, 2048}) {
      for (const float size : {1e-4F, 1.0F, 1e4F}) {
        const auto in = random.values<float>(3 * width, -size, size);
        const auto weight = random.values<float>(width, 0.5F, 1.5F);
        std::vector<float> out(in.size());
        const std::vector<double> wide(in.begin(), in.end());
        std::vector<double> reference(in.size());
        all(table->norm, kernels::NormArgs<float>{3, width, in.data(), weight.data(), out.data()});
        kernels::reference::norm({3, width, wide.data(), weight.data(), reference.data()});
        CAPTURE(table->name);
        CAPTURE(width);
        CHECK(difference(out, reference).max_rel < 5e-7);
      }
    }
  }
}

TEST_CASE("twins: coefficients") {
  for (const tests::MixerShape& shape : tests::mixer_shapes()) {
    CAPTURE(shape.text());
    tests::MixerCase<float> narrow(shape, 3);
    tests::MixerCase<double> wide(shape, 3);
    kernels::cpu::coefficients(narrow.coefficients());
    kernels::reference::coefficients(wide.coefficients());
    const auto close = [](const auto& values, const auto& reference) {
      for (std::size_t i = 0; i < values.size(); ++i) {  // each value by itself: small ones matter as much
        CHECK(std::fabs(static_cast<double>(values[i]) - reference[i]) <= 1.3e-7 * std::fabs(reference[i]) + 1e-38);
      }
    };
    close(narrow.dt, wide.dt);
    close(narrow.a, wide.a);
    close(narrow.lambda, wide.lambda);
    close(narrow.alpha, wide.alpha);
    close(narrow.gamma, wide.gamma);
    close(narrow.turn, wide.turn);
    CHECK(difference(narrow.beta, wide.beta).max_rel < 1e-6);
  }
}

TEST_CASE("twins: rotate, state_update, readout and mimo_mix over odd and extreme shapes") {
  for (const Table* table : kernels::cpu::tables()) {
    for (const tests::MixerShape& shape : tests::mixer_shapes()) {
      CAPTURE(table->name);
      CAPTURE(shape.text());
      tests::MixerCase<float> narrow(shape, 17);
      tests::MixerCase<double> wide(shape, 17);
      if (shape.scale > 1) {  // coefficients that belong to extreme inputs: large dt, tiny alpha, many turns at once
        kernels::cpu::coefficients(narrow.coefficients());
        const auto copy = [](const std::vector<float>& from, std::vector<double>& to) {
          to.assign(from.begin(), from.end());
        };
        copy(narrow.dt, wide.dt);
        copy(narrow.turn, wide.turn);
        copy(narrow.alpha, wide.alpha);
        copy(narrow.beta, wide.beta);
        copy(narrow.gamma, wide.gamma);
        CHECK(*std::max_element(narrow.dt.begin(), narrow.dt.end()) > 20);
      }

      all(table->rotate, narrow.rotate());
      kernels::reference::rotate(wide.rotate());
      for (std::size_t i = 0; i < wide.angle.size(); ++i) {
        CHECK(narrow.angle[i] >= 0);
        CHECK(narrow.angle[i] < 6.2831853F);
        // As a total, so that a turn counted on one side and not yet on the other is no difference.
        const double turned = static_cast<double>(narrow.angle[i]) - wide.angle[i] +
                              6.283185307179586 * (narrow.turns[i] - wide.turns[i]);
        CHECK(std::fabs(turned) < 4e-7);  // half a unit of an angle near 2 pi is 2.4e-7
      }
      CHECK(difference(narrow.k, wide.k).max_rel < dot_limit);
      CHECK(difference(narrow.q, wide.q).max_rel < dot_limit);

      // The next family starts from equal values again.
      wide.k.assign(narrow.k.begin(), narrow.k.end());
      wide.q.assign(narrow.q.begin(), narrow.q.end());
      all(table->state_update, narrow.state_update());
      kernels::reference::state_update(wide.state_update());
      CHECK(difference(narrow.h, wide.h).max_rel < dot_limit);
      CHECK(difference(narrow.h, wide.h).nmse < 1e-12);
      CHECK(difference(narrow.row_norm2, wide.row_norm2).max_rel < dot_limit);
      CHECK(difference(narrow.row_change2, wide.row_change2).max_rel < dot_limit);

      wide.h.assign(narrow.h.begin(), narrow.h.end());
      all(table->readout, narrow.readout());
      kernels::reference::readout(wide.readout());
      CHECK(difference(narrow.values, wide.values).max_rel < dot_limit);
      CHECK(difference(narrow.values, wide.values).nmse < 1e-12);
      CHECK(difference(narrow.state_norm, wide.state_norm).max_rel < dot_limit);
      CHECK(difference(narrow.state_change, wide.state_change).max_rel < dot_limit);
      CHECK(narrow.k_prev == narrow.k);
      CHECK(difference(narrow.x_prev, wide.x_prev).max_abs == 0);

      if (!shape.mimo) continue;
      wide.values.assign(narrow.values.begin(), narrow.values.end());
      all(table->mimo_mix, narrow.mimo_mix());
      kernels::reference::mimo_mix(wide.mimo_mix());
      CHECK(difference(narrow.mixed, wide.mixed).max_rel < dot_limit);
    }
  }
}

TEST_CASE("twins: a range of items touches nothing else") {
  for (const Table* table : kernels::cpu::tables()) {
    const tests::MixerShape shape{3, 2, 20, 40, 2, 1, 0.5, true, true};
    tests::MixerCase<float> whole(shape, 9);
    tests::MixerCase<float> pieces(shape, 9);
    const auto both = [](auto kernel, const auto& all_args, const auto& piece_args) {
      const int items = kernels::cpu::items(all_args);
      kernel(all_args, 0, items);
      for (int i = items; i-- > 0;) kernel(piece_args, i, i + 1);
    };
    both(table->rotate, whole.rotate(), pieces.rotate());
    both(table->state_update, whole.state_update(), pieces.state_update());
    both(table->readout, whole.readout(), pieces.readout());
    both(table->mimo_mix, whole.mimo_mix(), pieces.mimo_mix());
    CHECK(whole.h == pieces.h);
    CHECK(whole.mixed == pieces.mixed);
    CHECK(whole.angle == pieces.angle);
    CHECK(whole.state_change == pieces.state_change);
  }
}
