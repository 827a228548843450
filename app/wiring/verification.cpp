#include "app/wiring/verification.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>
#include <vector>

namespace app {
namespace {

struct Worst {
  double relative = 0;
  std::string tensor;

  void take(double difference, double scale, const std::string& name) {
    const double found = scale > 0 ? difference / scale : difference;
    // A difference that is not a number is the worst there is.
    if (!std::isfinite(found) || found > relative || tensor.empty()) {
      relative = found;
      tensor = name;
    }
  }
};

void compare(const std::vector<float>& found, const std::vector<float>& expected, const std::string& name, bool angles,
             Worst& worst) {
  if (found.empty() || found.size() != expected.size()) return;
  double difference = 0, scale = 0;
  for (std::size_t i = 0; i < found.size(); ++i) {
    double d = std::abs(double{found[i]} - double{expected[i]});
    if (angles) d = std::abs(std::remainder(d, 2 * 3.14159265358979323846));
    difference = std::max(difference, d);
    scale = std::max(scale, std::abs(double{expected[i]}));
    if (!std::isfinite(d)) difference = d;
  }
  worst.take(difference, scale, name);
}

void compare(const engine::SequenceState& found, const engine::SequenceState& expected, Worst& worst) {
  const std::size_t layers = std::min(found.layers.size(), expected.layers.size());
  for (std::size_t l = 0; l < layers; ++l) {
    const std::string layer = "layer " + std::to_string(l);
    compare(found.layers[l].angle, expected.layers[l].angle, layer + " angle", true, worst);
    compare(found.layers[l].ssm, expected.layers[l].ssm, layer + " state", false, worst);
    compare(found.layers[l].k, expected.layers[l].k, layer + " k", false, worst);
    compare(found.layers[l].v, expected.layers[l].v, layer + " v", false, worst);
  }
}

}  // namespace

Verification::Verification(std::shared_ptr<const engine::Snapshot> snapshot, std::function<void()> on_done)
    : all_tokens_(static_cast<std::int64_t>(snapshot->tokens.size())),
      thread_([this, snapshot = std::move(snapshot), done = std::move(on_done)](const std::stop_token& stop) {
        VerificationResult result = run(stop, *snapshot);
        {
          const std::lock_guard lock(mutex_);
          result_ = std::move(result);
        }
        if (done && !stop.stop_requested()) done();
      }) {}

std::optional<VerificationResult> Verification::result() const {
  const std::lock_guard lock(mutex_);
  return result_;
}

VerificationResult Verification::run(const std::stop_token& stop, const engine::Snapshot& snapshot) {
  VerificationResult result;
  if (snapshot.backend.state == "bf16") {
    result.error = engine::Error{engine::ErrorKind::input,
                                 "The state is kept in bf16, whose rounding adds up over the text. The verify command "
                                 "compares such a state step by step."};
    return result;
  }
  engine::BackendOptions options;
  options.choice = engine::BackendChoice::reference;
  auto backend = engine::make_backend(snapshot.model->weights, options);
  if (!backend) {
    result.error = backend.error();
    return result;
  }
  for (const auto& record : snapshot.tokens) {
    if (stop.stop_requested()) return result;
    const std::int32_t ids[] = {record->id};
    if (!snapshot.interventions.empty()) {
      const auto changed = (*backend)->intervene(
          0, engine::changes_at(snapshot.interventions, snapshot.model->config(), record->position));
      if (!changed) {
        result.error = changed.error();
        return result;
      }
    }
    if (auto stepped = (*backend)->step(ids, nullptr); !stepped) {
      result.error = stepped.error();
      return result;
    }
    ++done_tokens_;
  }
  result.tokens = done_tokens_;

  const engine::TokenRecord& last = *snapshot.tokens.back();
  std::vector<int> layers(static_cast<std::size_t>(snapshot.model->config().n_layer));
  std::iota(layers.begin(), layers.end(), 0);
  engine::SequenceState expected;
  std::vector<float> logits(static_cast<std::size_t>(snapshot.model->config().padded_vocab()));
  auto read = (*backend)->read_state(0, layers, true, expected);
  if (read) read = (*backend)->read_logits(0, logits);
  if (!read) {
    result.error = read.error();
    return result;
  }
  Worst worst;
  compare(*last.state, expected, worst);
  double difference = 0, scale = 0;
  for (const float logit : logits) scale = std::max(scale, std::abs(double{logit}));
  for (const engine::TopToken& top : last.top) {
    const double d = std::abs(double{top.logit} - double{logits[static_cast<std::size_t>(top.id)]});
    difference = std::isfinite(d) ? std::max(difference, d) : d;
  }
  worst.take(difference, scale, "logits");
  result.worst = worst.relative;
  result.tensor = worst.tensor;
  result.states_complete =
      !last.state->layers.empty() && std::all_of(last.state->layers.begin(), last.state->layers.end(),
                                                 [](const engine::LayerState& layer) { return !layer.ssm.empty(); });
  return result;
}

}  // namespace app
