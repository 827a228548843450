// The errors of a step by the kernels of both host backends against the analysis, on steps of every size and shape.
#include "engine/analysis/discretisation.h"
#include "engine/verify/errors.h"
#include "kernels/cpu/table.h"
#include "kernels/reference/reference.h"
#include "tests/support/bits.h"
#include "tests/support/mixer_case.h"

#include <doctest/doctest.h>

#include <cmath>
#include <string>
#include <vector>

using namespace engine;

namespace {

constexpr int tokens = 3;

struct Step {
  StepCoefficients coefficients;
  LayerState layer;
};

// One layer of a model that exists only as what its steps left, in fp32.
struct Story {
  ModelConfig config;
  Weights weights;
  Step step[tokens];
};

enum class Size { usual, tiny, huge, mixed };

Story make_story(const ModelConfig& config, Size size, double lambda, unsigned seed) {
  tests::Random random(seed);
  Story story;
  story.config = config;
  story.weights.config = config;
  story.weights.layers.resize(1);
  const int heads = config.heads(), keys = config.rank() * heads * config.d_state;
  if (config.is_mimo) {
    story.weights.layers[0].mimo_x = random.values<float>(heads * config.rank() * config.headdim, -1, 1);
  }
  for (Step& step : story.step) {
    StepCoefficients& c = step.coefficients;
    const auto drawn = [&](double low, double high) {
      const int count = heads;
      return random.values<float>(count, static_cast<float>(low), static_cast<float>(high));
    };
    switch (size) {
      case Size::usual:
        c.dt = drawn(0.01, 1), c.a = drawn(-1.5, -0.001);
        break;
      case Size::tiny:  // alpha near 1
        c.dt = drawn(1e-5, 1e-4), c.a = drawn(-1, -1e-4);
        break;
      case Size::huge:  // alpha near 0, and many turns in a step
        c.dt = drawn(5, 40), c.a = drawn(-40, -2);
        break;
      case Size::mixed:  // on both sides of the series' end
        c.dt = drawn(0.9, 1.1), c.a = drawn(-1.1, -0.9);
        break;
    }
    c.lambda = lambda < 0 ? drawn(0.02, 0.98) : std::vector<float>(static_cast<std::size_t>(heads), float(lambda));
    c.turn = random.values<float>(config.angles(), -3.14F, 3.14F);
    step.layer.k = random.values<float>(keys, -2, 2);
    step.layer.v = random.values<float>(config.d_inner(), -2, 2);
  }
  return story;
}

template <class T>
struct Buffers {
  std::vector<T> dt, a, lambda, turn, k, x, k_before, x_before, errors;

  explicit Buffers(const ModelConfig& config)
      : k_before(static_cast<std::size_t>(config.rank() * config.heads() * config.d_state)),
        x_before(static_cast<std::size_t>(config.d_inner())),
        errors(static_cast<std::size_t>(config.heads()) * kernels::errors_per_head) {}

  kernels::DiscretisationErrorsArgs<T> take(const Story& story, const Step& step) {
    const auto copy = [](const std::vector<float>& from, std::vector<T>& to) { to.assign(from.begin(), from.end()); };
    copy(step.coefficients.dt, dt);
    copy(step.coefficients.a, a);
    copy(step.coefficients.lambda, lambda);
    copy(step.coefficients.turn, turn);
    copy(step.layer.k, k);
    copy(step.layer.v, x);
    const ModelConfig& c = story.config;
    kernels::DiscretisationErrorsArgs<T> args;
    args.heads = c.heads();
    args.headdim = c.headdim;
    args.d_state = c.d_state;
    args.rank = c.rank();
    args.angles = c.angles();
    args.half_pairs = c.is_mimo;
    args.dt = dt.data();
    args.a = a.data();
    args.lambda = lambda.data();
    args.turn = turn.data();
    args.mimo_x = c.is_mimo ? story.weights.layers[0].mimo_x.data() : nullptr;
    args.k = k.data();
    args.x = x.data();
    args.k_before = k_before.data();
    args.x_before = x_before.data();
    args.errors = errors.data();
    return args;
  }

  StepErrors found() const {
    StepErrors all;
    for (std::size_t i = 0; i < errors.size(); i += kernels::errors_per_head) {
      const auto rules = [&](std::size_t at) {
        return RuleErrors{float(errors[at]), float(errors[at + 1]), float(errors[at + 2])};
      };
      all.stored.push_back(rules(i));
      all.unrotated.push_back(rules(i + 3));
    }
    return all;
  }
};

std::vector<ModelConfig> shapes() {
  std::vector<ModelConfig> all;
  const auto add = [&](int headdim, int d_state, int rank, double rope) {
    ModelConfig config;
    config.d_model = 3 * headdim;
    config.expand = 1;
    config.n_layer = 1;
    config.headdim = headdim;
    config.d_state = d_state;
    config.rope_fraction = rope;
    config.is_mimo = rank > 0;
    config.mimo_rank = std::max(rank, 1);
    all.push_back(config);
  };
  add(64, 128, 0, 0.5);
  add(13, 24, 0, 1.0);
  add(1, 8, 0, 0.5);
  add(100, 256, 0, 1.0);
  add(32, 64, 1, 0.5);
  add(7, 40, 3, 1.0);
  add(64, 128, 4, 0.5);
  add(9, 72, 8, 0.5);
  return all;
}

// Worst over the story's tokens, the first of which has none before it.
template <class T, class Kernel>
ErrorsReport worst_of(const Story& story, const Kernel& kernel) {
  ErrorsReport report;
  Buffers<T> buffers(story.config);
  for (int t = 0; t < tokens; ++t) {
    kernel(buffers.take(story, story.step[t]));
    SequenceState before, now;
    if (t > 0) before.layers = {story.step[t - 1].layer};
    now.layers = {story.step[t].layer};
    const StepErrors expected = step_errors(story.weights, story.step[t].coefficients, t > 0 ? &before : nullptr, now);
    compare_errors(buffers.found(), expected, story.config.heads(), t, report);
  }
  return report;
}

}  // namespace

TEST_CASE("errors of a step: the host's kernels give what the analysis gives, whatever the shape and the step's size") {
  for (const ModelConfig& config : shapes()) {
    for (const Size size : {Size::usual, Size::tiny, Size::huge, Size::mixed}) {
      for (const double lambda : {-1.0, 0.0, 0.5, 1.0}) {
        CAPTURE(config.headdim);
        CAPTURE(config.d_state);
        CAPTURE(config.rank());
        CAPTURE(static_cast<int>(size));
        CAPTURE(lambda);
        const Story story = make_story(config, size, lambda, 17);
        const ErrorsReport cpu = worst_of<float>(
            story, [](const auto& args) { kernels::cpu::discretisation_errors(args, 0, kernels::cpu::items(args)); });
        CAPTURE(cpu.where);
        CHECK(cpu.values == static_cast<std::size_t>(tokens * config.heads() * kernels::errors_per_head));
        CHECK(cpu.worst < 1e-6);
        const ErrorsReport reference =
            worst_of<double>(story, [](const auto& args) { kernels::reference::discretisation_errors(args); });
        CAPTURE(reference.where);
        CHECK(reference.worst < 1e-6);
      }
    }
  }
}

TEST_CASE("errors of a step: nearly equal inputs, whose errors are differences of like numbers") {
  Story story = make_story(shapes()[6], Size::tiny, -1, 5);
  tests::Random random(6);
  for (int t = 1; t < tokens; ++t) {
    story.step[t].layer = story.step[0].layer;
    for (float& k : story.step[t].layer.k) k *= 1 + 1e-4F * random.uniform(-1, 1);
  }
  const ErrorsReport report = worst_of<float>(
      story, [](const auto& args) { kernels::cpu::discretisation_errors(args, 0, kernels::cpu::items(args)); });
  CAPTURE(report.where);
  CHECK(report.worst < 1e-4);
}

TEST_CASE("errors of a step: a head without input has none, and the caches take the token's keys and values") {
  Story story = make_story(shapes()[1], Size::usual, -1, 8);
  for (Step& step : story.step) {
    for (int p = 0; p < story.config.headdim; ++p) step.layer.v[static_cast<std::size_t>(p)] = 0;
  }
  Buffers<float> buffers(story.config);
  const auto args = buffers.take(story, story.step[0]);
  kernels::cpu::discretisation_errors(args, 0, kernels::cpu::items(args));
  const StepErrors found = buffers.found();
  CHECK(std::isnan(found.stored[0].euler));
  CHECK(std::isnan(found.unrotated[0].model));
  CHECK(found.stored[1].euler > 0);
  CHECK(tests::same_bits(buffers.k_before, story.step[0].layer.k));
  CHECK(tests::same_bits(buffers.x_before, story.step[0].layer.v));
}
