#include "tests/support/fake_snapshot.h"

#include "tests/support/elements.h"

#include <cmath>
#include <random>

namespace tests {

namespace {

constexpr double pi = 3.14159265358979323846;
using engine::LayerState;
using engine::ModelConfig;

struct Stepper {
  const ModelConfig& config;
  std::mt19937 random{7};

  double noise(double scale) { return scale * std::normal_distribution<double>()(random); }

  void step_head(LayerState& state, engine::StepCoefficients& out, int layer, int head, std::vector<double>& k) {
    const int P = config.headdim, N = config.d_state, S = config.angles();
    const auto at = element(layer, config.heads(), head);
    const double dt = static_cast<double>(out.dt[at]);
    for (int i = 0; i < S; ++i) {
      const auto angle_at = element(head, S, i);
      double angle =
          static_cast<double>(state.angle[angle_at]) + dt * static_cast<double>(out.turn[element(layer, S, i)]);
      const double whole = std::floor(angle / (2 * pi));
      state.turns[angle_at] += static_cast<int>(whole);
      angle -= 2 * pi * whole;
      state.angle[angle_at] = static_cast<float>(angle);
      const auto a = static_cast<std::size_t>(config.pair_first(i)),
                 b = static_cast<std::size_t>(config.pair_second(i));
      const double x = k[a], y = k[b];
      k[a] = x * std::cos(angle) - y * std::sin(angle);
      k[b] = x * std::sin(angle) + y * std::cos(angle);
    }
    double norm = 0, change = 0;
    for (int p = 0; p < P; ++p) {
      const double v = std::sin(0.9 * p + head) + noise(0.15);
      for (int n = 0; n < N; ++n) {
        float& h = state.ssm[element(head * P + p, N, n)];
        const double before = static_cast<double>(h);
        const double now = static_cast<double>(out.alpha[at]) * before +
                           static_cast<double>(out.gamma[at] + out.beta[at]) * v * k[static_cast<std::size_t>(n)] * 0.3;
        h = static_cast<float>(now);
        norm += now * now;
        change += (now - before) * (now - before);
      }
    }
    out.state_norm[at] = static_cast<float>(std::sqrt(norm));
    out.state_change[at] = static_cast<float>(std::sqrt(change));
  }
};

}  // namespace

std::shared_ptr<engine::Snapshot> fake_snapshot(const FakeShape& shape, const std::vector<std::int32_t>& ids,
                                                int half_pair) {
  auto model = std::make_shared<engine::Model>();
  model->name = "fake";
  ModelConfig& config = model->weights.config;
  config.n_layer = shape.layers;
  config.d_model = shape.d_model;
  config.headdim = shape.headdim;
  config.d_state = shape.d_state;
  config.is_mimo = shape.mimo;
  config.mimo_rank = 2;
  config.rope_fraction = shape.rope_fraction;
  config.vocab_size = shape.vocab;
  if (shape.vocab <= 64) {
    for (int i = 0; i < shape.vocab; ++i) model->card.symbols.push_back(std::to_string(i));
  }
  if (shape.labelling) {
    model->card.kind = "labels";
    model->card.labels = {"even", "odd"};
  }
  const int L = config.n_layer, H = config.heads(), S = config.angles(), P = config.headdim, N = config.d_state;
  const auto heads = elements(L, H);

  auto snapshot = std::make_shared<engine::Snapshot>();
  snapshot->version = ids.size() + 1;
  engine::SequenceState state;
  state.layers.resize(static_cast<std::size_t>(L));
  for (LayerState& layer : state.layers) {
    layer.angle.assign(elements(H, S), 0.0F);
    layer.turns.assign(elements(H, S), 0);
    layer.ssm.assign(elements(H, P, N), 0.0F);
    layer.k.assign(elements(config.rank(), H, N), 0.0F);
    layer.v.assign(elements(H, P), 0.0F);
  }
  Stepper stepper{config};
  int parity = 0;
  for (std::size_t t = 0; t < ids.size(); ++t) {
    auto record = std::make_shared<engine::TokenRecord>();
    record->position = static_cast<std::int64_t>(t);
    record->id = ids[t];
    parity ^= ids[t] & 1;
    engine::StepCoefficients& c = record->coefficients;
    for (auto* values : {&c.dt, &c.a, &c.lambda, &c.alpha, &c.beta, &c.gamma, &c.state_norm, &c.state_change}) {
      values->assign(heads, 0.0F);
    }
    c.turn.assign(elements(L, S), 0.0F);
    for (int layer = 0; layer < L; ++layer) {
      for (int i = 0; i < S; ++i) {
        const bool telling = layer == L - 1 && i == half_pair;
        c.turn[element(layer, S, i)] =
            static_cast<float>(telling ? (ids[t] == 1 ? pi : 0.0) : 0.05 * (i + 1) + 0.01 * layer);
      }
      for (int head = 0; head < H; ++head) {
        const auto at = element(layer, H, head);
        const bool telling = layer == L - 1 && head == H - 1;
        const double dt = telling ? 1.0 : 0.1 + 0.05 * head + 0.02 * layer + 0.002 * (ids[t] & 15);
        const double a = -0.02 - 0.01 * layer - 0.004 * head,
                     lambda = 0.5 + 0.35 * std::sin(0.7 * static_cast<double>(t) + head);
        c.dt[at] = static_cast<float>(dt);
        c.a[at] = static_cast<float>(a);
        c.lambda[at] = static_cast<float>(lambda);
        c.alpha[at] = static_cast<float>(std::exp(a * dt));
        c.beta[at] = static_cast<float>((1 - lambda) * dt * std::exp(a * dt));
        c.gamma[at] = static_cast<float>(lambda * dt);
        record->error_stored.push_back({static_cast<float>(0.5 * dt * std::exp(stepper.noise(0.5))),
                                        static_cast<float>(0.02 * dt * dt * std::exp(stepper.noise(0.5))),
                                        static_cast<float>(0.1 * dt * std::exp(stepper.noise(0.5)))});
        record->error_unrotated.push_back(
            {static_cast<float>(1.8 * dt), static_cast<float>(0.9 * dt), static_cast<float>(1.2 * dt)});
        std::vector<double> k(static_cast<std::size_t>(N));
        for (int n = 0; n < N; ++n)
          k[static_cast<std::size_t>(n)] =
              std::cos(0.6 * n + 0.2 * layer) * (1 + 0.5 * ((ids[t] + n) % 3)) + stepper.noise(0.2);
        stepper.step_head(state.layers[static_cast<std::size_t>(layer)], c, layer, head, k);
      }
    }
    state.position = static_cast<std::int64_t>(t) + 1;
    auto kept = std::make_shared<engine::SequenceState>(state);
    if (!shape.record_matrix) {
      for (LayerState& layer : kept->layers) layer.ssm.clear();
    }
    record->state = kept;
    const float p = 0.98F - 0.3F * static_cast<float>(t % 5 == 4);
    if (shape.labelling) {
      record->truth = parity;
      record->predicted = parity;
      record->top = {{parity, 4.0F, p}, {1 - parity, 0.1F, 1 - p}};
      record->entropy_bits = 0.14F;
    } else {
      record->probability = t == 0 ? -1.0F : p;
      record->predicted = 1;
      float rest = 1;
      for (int i = 0; i < 12; ++i) {
        rest *= 0.55F;
        record->top.push_back({i, 8.0F - static_cast<float>(i), rest});
      }
      record->entropy_bits = 2.1F;
    }
    record->kl_bits = t == 0 ? -1.0F : 0.4F;
    snapshot->tokens.push_back(record);
  }
  snapshot->model = model;
  snapshot->furthest = static_cast<std::int64_t>(ids.size());
  return snapshot;
}

}  // namespace tests
