// Interventions whose effect a change of the weights has too, bit for bit, and how to make both: for every backend's
// tests.
#pragma once

#include "engine/base/random.h"
#include "engine/intervention/intervention.h"
#include "tests/support/bits.h"
#include "tests/support/unusual_models.h"

#include <doctest/doctest.h>

#include <cstring>
#include <functional>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

namespace tests {

inline engine::Intervention intervention(engine::Quantity quantity, engine::Operation operation, double value) {
  engine::Intervention by;
  by.quantity = quantity;
  by.operation = operation;
  by.value = value;
  return by;
}

inline engine::IndexRange only(std::int64_t index) { return {index, index + 1}; }

// An element times a factor that rounds nothing: 0, -1, 2.
inline void multiply(const kernels::Matrix& matrix, int row, int col, float factor) {
  const std::size_t at =
      static_cast<std::size_t>(row) * static_cast<std::size_t>(matrix.cols) + static_cast<std::size_t>(col);
  void* data = const_cast<void*>(matrix.data);  // a test's own storage
  if (matrix.dtype == kernels::DType::f32) {
    static_cast<float*>(data)[at] *= factor;
    return;
  }
  std::uint16_t& narrow = static_cast<std::uint16_t*>(data)[at];
  std::uint32_t bits = std::uint32_t{narrow} << 16U;
  float value = 0;
  std::memcpy(&value, &bits, sizeof value);
  value *= factor;
  std::memcpy(&bits, &value, sizeof bits);
  narrow = static_cast<std::uint16_t>(bits >> 16U);
}

inline void multiply_rows(const kernels::Matrix& matrix, int first, int count, float factor) {
  for (int row = first; row < first + count; ++row) {
    for (int col = 0; col < matrix.cols; ++col) multiply(matrix, row, col, factor);
  }
}

// The part of an output projection that reads one head.
inline void multiply_head(engine::Weights& weights, int layer, int head, float factor) {
  const kernels::Matrix& matrix = weights.layers[static_cast<std::size_t>(layer)].out_proj;
  for (int row = 0; row < matrix.rows; ++row) {
    for (int p = 0; p < weights.config.headdim; ++p) {
      multiply(matrix, row, head * weights.config.headdim + p, factor);
    }
  }
}

// One rank of one head of mimo_x or mimo_o.
inline void multiply_rank(const engine::ModelConfig& config, std::vector<float>& values, int head, int rank,
                          float factor) {
  const auto p = static_cast<std::size_t>(config.headdim);
  const auto first = static_cast<std::size_t>(head * config.rank() + rank) * p;
  for (std::size_t i = first; i < first + p; ++i) values[i] *= factor;
}

struct InterventionCase {
  std::string name;
  std::vector<engine::Intervention> interventions;
  std::function<void(engine::Weights&)> edit;     // has the same effect
  std::function<void(engine::Weights&)> prepare;  // of both models; may be empty
  bool rounds = false;  // the edited weights are rounded to fp32: in double the effect is only close
};

inline std::vector<InterventionCase> intervention_cases(const engine::ModelConfig& config) {
  using engine::Operation;
  using engine::Quantity;
  using engine::Weights;
  std::vector<InterventionCase> cases;
  const engine::InProjLayout at = config.in_proj();
  const int heads = config.heads(), angles = config.angles(), rank = config.rank();
  const auto add = [&](std::string name, const engine::Intervention& by, std::function<void(Weights&)> edit) {
    cases.push_back({std::move(name), {by}, std::move(edit), {}, false});
  };
  const auto each_layer = [](auto change) {
    return [change](Weights& w) {
      for (engine::LayerWeights& layer : w.layers) change(layer);
    };
  };

  add("no rotation", intervention(Quantity::rotation, Operation::scale, 0),
      each_layer([=](auto& l) { multiply_rows(l.in_proj, at.angle, angles, 0); }));
  add("the rotation reversed", intervention(Quantity::rotation, Operation::scale, -1),
      each_layer([=](auto& l) { multiply_rows(l.in_proj, at.angle, angles, -1); }));
  engine::Intervention by = intervention(Quantity::rotation, Operation::scale, 0);
  by.pairs = only(1);
  by.layers = only(1);
  add("one pair of one layer still", by, [=](Weights& w) { multiply_rows(w.layers[1].in_proj, at.angle + 1, 1, 0); });
  const engine::Intervention shuffle = intervention(Quantity::rotation, Operation::shuffle, 5);
  add("pairs shuffled", shuffle, [=](Weights& w) {
    const engine::SequenceChanges changes = engine::changes_at({&shuffle, 1}, w.config, 0);
    for (std::size_t l = 0; l < w.layers.size(); ++l) {
      const kernels::Matrix& m = w.layers[l].in_proj;
      const std::size_t row_bytes = m.bytes() / static_cast<std::size_t>(m.rows);
      auto* rows = static_cast<std::byte*>(const_cast<void*>(m.data)) + static_cast<std::size_t>(at.angle) * row_bytes;
      const std::vector<std::byte> own(rows, rows + static_cast<std::size_t>(angles) * row_bytes);
      for (std::size_t i = 0; i < static_cast<std::size_t>(angles); ++i) {
        const auto source =
            static_cast<std::size_t>(changes.pairs[l * static_cast<std::size_t>(heads * angles) + i].source);
        std::memcpy(rows + i * row_bytes, own.data() + source * row_bytes, row_bytes);
      }
    }
  });
  for (const double lambda : {1.0, 0.5, 0.3, 0.0}) {
    add("lambda " + std::to_string(lambda), intervention(Quantity::lambda, Operation::set, lambda),
        [=](Weights& w) { w.config.lambda_override = lambda; });
  }
  add("A = -1", intervention(Quantity::a, Operation::set, -1),
      each_layer([=](auto& l) { multiply_rows(l.in_proj, at.dd_a, heads, 0); }));
  add("dt = 25", intervention(Quantity::dt, Operation::set, 25), each_layer([=](auto& l) {
        multiply_rows(l.in_proj, at.dd_dt, heads, 0);
        for (float& bias : l.dt_bias) bias = 25;
      }));
  for (const auto& [quantity, bias] : {std::pair{Quantity::b_bias, &engine::LayerWeights::b_bias},
                                       {Quantity::c_bias, &engine::LayerWeights::c_bias}}) {
    const auto member = bias;
    add("no bias", intervention(quantity, Operation::set, 0), each_layer([=](auto& l) {
          for (float& b : l.*member) b = 0;
        }));
    add("more bias", intervention(quantity, Operation::add, 0.3), each_layer([=](auto& l) {
          for (float& b : l.*member) b += 0.3F;
        }));
    cases.back().rounds = true;
    by = intervention(quantity, Operation::scale, -0.5);
    by.heads = only(1);
    by.ranks = only(rank - 1);
    const auto n = static_cast<std::size_t>(config.d_state);
    add("a rank's bias", by, each_layer([=](auto& l) {
          const std::size_t first = static_cast<std::size_t>(2 * rank - 1) * n;
          for (std::size_t i = first; i < first + n; ++i) (l.*member)[i] *= -0.5F;
        }));
  }
  add("half of D", intervention(Quantity::d, Operation::scale, 0.5), each_layer([](auto& l) {
        for (float& d : l.d) d *= 0.5F;
      }));
  by = intervention(Quantity::d, Operation::add, -0.4);
  by.heads = only(1);
  add("less D in one head", by, each_layer([](auto& l) { l.d[1] += -0.4F; }));
  cases.back().rounds = true;
  by = intervention(Quantity::head, Operation::scale, 0);
  by.heads = only(1);
  by.layers = only(0);
  add("without a head", by, [](Weights& w) { multiply_head(w, 0, 1, 0); });
  by.value = 2;
  add("twice a head", by, [](Weights& w) { multiply_head(w, 0, 1, 2); });
  by = intervention(Quantity::rank_read, Operation::scale, 0);
  by.heads = only(0);
  by.ranks = only(rank - 1);
  if (rank == 1 && !config.is_mimo) {
    add("nothing read", by, [](Weights& w) {
      for (int l = 0; l < w.config.n_layer; ++l) multiply_head(w, l, 0, 0);
    });
    return cases;
  }
  add("a rank that reads nothing", by, each_layer([=](auto& l) { multiply_rank(config, l.mimo_o, 0, rank - 1, 0); }));
  by.value = 2;
  if (!config.is_outproj_norm) {
    add("a rank that reads twice", by, each_layer([=](auto& l) { multiply_rank(config, l.mimo_o, 0, rank - 1, 2); }));
  }
  // mimo_x is D's too, so that there is none.
  const auto no_d = each_layer([](auto& l) {
    for (float& d : l.d) d = 0;
  });
  by = intervention(Quantity::rank_write, Operation::set, 0);
  by.heads = only(1);
  by.ranks = only(rank - 1);
  add("a rank that writes nothing", by, each_layer([=](auto& l) { multiply_rank(config, l.mimo_x, 1, rank - 1, 0); }));
  cases.back().prepare = no_d;
  by.operation = Operation::scale;
  by.value = 2;
  add("a rank that writes twice", by, each_layer([=](auto& l) { multiply_rank(config, l.mimo_x, 1, rank - 1, 2); }));
  cases.back().prepare = no_d;
  return cases;
}

// Tables of every kind full of numbers, each of which changes something.
inline engine::SequenceChanges busy_changes(const engine::ModelConfig& config, std::uint64_t seed) {
  engine::Random random(seed);
  const auto draw = [&](double low, double high) { return low + (high - low) * random.uniform(); };
  const auto change = [&](auto& affine, double low, double high, double offset) {
    using T = std::remove_reference_t<decltype(affine.scale)>;
    affine.scale = static_cast<T>(draw(low, high));
    affine.offset = static_cast<T>(draw(-offset, offset));
  };
  engine::SequenceChanges made;
  made.heads = engine::neutral_heads(config, config.n_layer);
  for (kernels::HeadChange& c : made.heads) {
    change(c.dt, 0.5, 1.5, 0.05);
    change(c.a, 0.5, 1.5, 0.1);
    change(c.lambda, 0.5, 1.5, 0.1);
    change(c.d, -1, 1, 0.3);
    change(c.output, 0.5, 1.5, 0.01);
  }
  made.ranks = engine::neutral_ranks(config, config.n_layer);
  for (kernels::RankChange& c : made.ranks) {
    change(c.b_bias, 0.5, 1.5, 0.2);
    change(c.c_bias, 0.5, 1.5, 0.2);
    change(c.write, 0.5, 1.5, 0.02);
    change(c.read, 0.5, 1.5, 0.05);
  }
  made.pairs = engine::neutral_pairs(config, config.n_layer);
  for (kernels::PairChange& c : made.pairs) {
    change(c.advance, -2, 2, 3);
    c.source = static_cast<std::int32_t>(random.below(static_cast<std::uint64_t>(config.angles())));
  }
  for (int l = 0; l < config.n_layer; ++l) {
    made.cells.push_back({0, l, l % config.heads(), config.headdim - 1, 3, {0.5F, 0.25F}});
    made.cells.push_back({0, l, 0, 0, config.d_state - 1, {0, 0.1F}});
  }
  return made;
}

inline engine::SequenceChanges neutral_changes(const engine::ModelConfig& config) {
  engine::SequenceChanges made;
  made.heads = engine::neutral_heads(config, config.n_layer);
  made.ranks = engine::neutral_ranks(config, config.n_layer);
  made.pairs = engine::neutral_pairs(config, config.n_layer);
  kernels::CellChange cell;
  cell.head = config.heads() - 1;
  cell.row = config.headdim - 1;
  made.cells.push_back(cell);
  return made;
}

// What a step left in one sequence.
struct StepPicture {
  std::vector<float> logits;
  engine::StepCoefficients coefficients;
  engine::SequenceState state;
};

inline StepPicture picture_of(engine::Backend& backend, const engine::ModelConfig& config, int sequence) {
  StepPicture picture;
  picture.logits.resize(static_cast<std::size_t>(config.padded_vocab()));
  REQUIRE(backend.read_logits(sequence, picture.logits).has_value());
  REQUIRE(backend.read_coefficients(sequence, picture.coefficients).has_value());
  std::vector<int> layers(static_cast<std::size_t>(config.n_layer));
  std::iota(layers.begin(), layers.end(), 0);
  REQUIRE(backend.read_state(sequence, layers, true, picture.state).has_value());
  return picture;
}

// All but the turns, which are the model's own whatever becomes of the advances.
inline bool same_bits(const StepPicture& a, const StepPicture& b) {
  bool equal = same_bits(a.logits, b.logits);
  for (std::size_t l = 0; l < a.state.layers.size(); ++l) {
    const engine::LayerState &x = a.state.layers[l], &y = b.state.layers[l];
    equal = equal && same_bits(x.angle, y.angle) && x.turns == y.turns && same_bits(x.ssm, y.ssm) &&
            same_bits(x.k, y.k) && same_bits(x.v, y.v);
  }
  const engine::StepCoefficients &c = a.coefficients, &d = b.coefficients;
  return equal && same_bits(c.dt, d.dt) && same_bits(c.a, d.a) && same_bits(c.lambda, d.lambda) &&
         same_bits(c.alpha, d.alpha) && same_bits(c.beta, d.beta) && same_bits(c.gamma, d.gamma) &&
         same_bits(c.state_norm, d.state_norm) && same_bits(c.state_change, d.state_change);
}

// The same tokens in all sequences, those of the positions from `first` on.
inline void step_through(engine::Backend& backend, int vocab, int first, int count) {
  for (int t = first; t < first + count; ++t) {
    std::vector<std::int32_t> ids(static_cast<std::size_t>(backend.plan().batch));
    for (std::size_t b = 0; b < ids.size(); ++b) ids[b] = (37 * t + 5) % vocab;
    REQUIRE(backend.step(ids, nullptr).has_value());
  }
}

}  // namespace tests
