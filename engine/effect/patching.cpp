#include "engine/effect/patching.h"

#include "engine/analysis/statistics.h"
#include "engine/intervention/sequence_interventions.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

namespace engine {

namespace {

std::size_t product(int a, int b) { return static_cast<std::size_t>(a) * static_cast<std::size_t>(b); }

// Part `index` of a run of equal parts.
template <class T>
void copy_part(const std::vector<T>& from, std::vector<T>& to, std::size_t index, std::size_t size) {
  const auto at = static_cast<std::ptrdiff_t>(index * size);
  std::copy_n(from.begin() + at, size, to.begin() + at);
}

void copy_head(const ModelConfig& config, const LayerState& from, LayerState& to, int head) {
  const auto h = static_cast<std::size_t>(head);
  copy_part(from.angle, to.angle, h, static_cast<std::size_t>(config.angles()));
  copy_part(from.turns, to.turns, h, static_cast<std::size_t>(config.angles()));
  copy_part(from.ssm, to.ssm, h, product(config.headdim, config.d_state));
  copy_part(from.v, to.v, h, static_cast<std::size_t>(config.headdim));
  for (int rank = 0; rank < config.rank(); ++rank)
    copy_part(from.k, to.k, product(rank, config.heads()) + h, static_cast<std::size_t>(config.d_state));
}

void copy_pair(const ModelConfig& config, const LayerState& from, LayerState& to, int head, int pair) {
  if (pair < config.angles()) {
    const std::size_t at = product(head, config.angles()) + static_cast<std::size_t>(pair);
    to.angle[at] = from.angle[at];
    to.turns[at] = from.turns[at];
  }
  for (const int channel : {config.pair_first(pair), config.pair_second(pair)}) {
    for (int row = 0; row < config.headdim; ++row) {
      const std::size_t at =
          (product(head, config.headdim) + static_cast<std::size_t>(row)) * static_cast<std::size_t>(config.d_state) +
          static_cast<std::size_t>(channel);
      to.ssm[at] = from.ssm[at];
    }
    for (int rank = 0; rank < config.rank(); ++rank) {
      const std::size_t at =
          (product(rank, config.heads()) + static_cast<std::size_t>(head)) * static_cast<std::size_t>(config.d_state) +
          static_cast<std::size_t>(channel);
      to.k[at] = from.k[at];
    }
  }
}

bool same_shape(const SequenceState& a, const SequenceState& b, const ModelConfig& config) {
  if (a.layers.size() != static_cast<std::size_t>(config.n_layer) || b.layers.size() != a.layers.size()) return false;
  const std::size_t ssm = product(config.heads(), config.headdim) * static_cast<std::size_t>(config.d_state);
  for (std::size_t l = 0; l < a.layers.size(); ++l) {
    for (const LayerState* layer : {&a.layers[l], &b.layers[l]}) {
      if (layer->ssm.size() != ssm || layer->angle.size() != product(config.heads(), config.angles()) ||
          layer->turns.size() != layer->angle.size() || layer->v.size() != product(config.heads(), config.headdim) ||
          layer->k.size() != product(config.heads(), config.d_state) * static_cast<std::size_t>(config.rank()))
        return false;
    }
  }
  return true;
}

Result<void> check_all(const std::vector<Intervention>& interventions, const ModelConfig& config) {
  for (const Intervention& intervention : interventions) {
    if (auto good = check(intervention, config); !good) return good;
  }
  return {};
}

// The logits of all sequences after a step, by what the model predicts among.
class Readings {
 public:
  Readings(Backend& backend, const Model& model) : backend_(backend), model_(model) {
    logits_.resize(static_cast<std::size_t>(backend.plan().batch));
  }
  Result<void> read(std::size_t sequences) {
    for (std::size_t s = 0; s < sequences; ++s) {
      logits_[s].resize(static_cast<std::size_t>(model_.config().padded_vocab()));
      if (auto done = backend_.read_logits(static_cast<int>(s), logits_[s]); !done) return done;
      if (!all_finite(of(s)))
        return input_error("The logits after a patch are not finite, so there are no probabilities to compare.");
    }
    return {};
  }
  std::span<const float> of(std::size_t sequence) const {
    const auto vocab = static_cast<std::size_t>(model_.config().vocab_size);
    const std::size_t classes = model_.card.labels_positions() ? model_.card.labels.size() : 0;
    return std::span(logits_[sequence]).first(classes > 0 ? std::min(classes, vocab) : vocab);
  }
  std::int32_t best(std::size_t sequence) const { return top_ids(of(sequence), 1).front(); }
  double difference(std::size_t sequence, std::int32_t a, std::int32_t b) const {
    return static_cast<double>(of(sequence)[static_cast<std::size_t>(a)]) -
           static_cast<double>(of(sequence)[static_cast<std::size_t>(b)]);
  }

 private:
  Backend& backend_;
  const Model& model_;
  std::vector<std::vector<float>> logits_;
};

}  // namespace

const char* name_of(PatchPart part) {
  constexpr const char* names[] = {"whole", "layer", "head", "pair"};
  return names[static_cast<std::size_t>(part)];
}

std::string describe(const Patch& patch) {
  switch (patch.part) {
    case PatchPart::whole:
      return "whole state";
    case PatchPart::layer:
      return fmt::format("layer {}", patch.layer);
    case PatchPart::head:
      return fmt::format("layer {}, head {}", patch.layer, patch.head);
    case PatchPart::pair:
      return fmt::format("layer {}, head {}, pair {}", patch.layer, patch.head, patch.pair);
  }
  return {};
}

Result<SequenceState> patched(const ModelConfig& config, const SequenceState& receiver, const SequenceState& donor,
                              const Patch& patch) {
  if (!same_shape(receiver, donor, config))
    return input_error("A patch needs two complete states of this model: one lacks layers or has other sizes.");
  const auto outside = [&](const char* what, int index, int count) {
    return input_error(fmt::format("There is no {} {} to patch: the model has {}.", what, index, count));
  };
  SequenceState out = receiver;
  if (patch.part == PatchPart::whole) {
    out.layers = donor.layers;
    return out;
  }
  if (patch.layer < 0 || patch.layer >= config.n_layer) return outside("layer", patch.layer, config.n_layer);
  const auto l = static_cast<std::size_t>(patch.layer);
  if (patch.part == PatchPart::layer) {
    out.layers[l] = donor.layers[l];
    return out;
  }
  if (patch.head < 0 || patch.head >= config.heads()) return outside("head", patch.head, config.heads());
  if (patch.part == PatchPart::head) {
    copy_head(config, donor.layers[l], out.layers[l], patch.head);
    return out;
  }
  if (patch.pair < 0 || patch.pair >= config.d_state / 2) return outside("pair", patch.pair, config.d_state / 2);
  copy_pair(config, donor.layers[l], out.layers[l], patch.head, patch.pair);
  return out;
}

std::vector<Patch> every_head(const ModelConfig& config) {
  std::vector<Patch> out;
  for (int l = 0; l < config.n_layer; ++l)
    for (int h = 0; h < config.heads(); ++h) out.push_back({PatchPart::head, l, h, 0});
  return out;
}

std::vector<Patch> every_layer(const ModelConfig& config) {
  std::vector<Patch> out;
  for (int l = 0; l < config.n_layer; ++l) out.push_back({PatchPart::layer, l, 0, 0});
  return out;
}

std::vector<Patch> every_pair(const ModelConfig& config, int layer) {
  std::vector<Patch> out;
  for (int h = 0; h < config.heads(); ++h)
    for (int i = 0; i < config.d_state / 2; ++i) out.push_back({PatchPart::pair, layer, h, i});
  return out;
}

double PatchReference::share(std::size_t token, double logit_difference) const {
  if (receiver_answer[token] == donor_answer[token]) return std::numeric_limits<double>::quiet_NaN();
  return (logit_difference - receiver_difference[token]) / (donor_difference[token] - receiver_difference[token]);
}

Result<SequenceState> state_after(Backend& backend, const ModelConfig& config, std::span<const std::int32_t> ids,
                                  const std::vector<Intervention>& interventions, const EffectProgress& progress) {
  if (auto good = check_all(interventions, config); !good) return tl::unexpected(good.error());
  if (auto done = backend.reset(); !done) return tl::unexpected(done.error());
  const auto batch = static_cast<std::size_t>(backend.plan().batch);
  SequenceInterventions changed(backend, config, std::vector<std::vector<Intervention>>(batch, interventions));
  for (std::size_t t = 0; t < ids.size(); ++t) {
    const std::vector<std::int32_t> all(batch, ids[t]);
    if (auto done = changed.follow(); !done) return tl::unexpected(done.error());
    if (auto done = backend.step(all, nullptr); !done) return tl::unexpected(done.error());
    if (progress && !progress(static_cast<double>(t + 1) / static_cast<double>(ids.size())))
      return input_error("It was stopped on the way to the state.");
  }
  std::vector<int> layers(static_cast<std::size_t>(config.n_layer));
  std::iota(layers.begin(), layers.end(), 0);
  SequenceState state;
  if (auto done = backend.read_state(0, layers, true, state); !done) return tl::unexpected(done.error());
  return state;
}

Result<PatchGrid> patch_effects(Backend& backend, const Model& model, const SequenceState& receiver,
                                const SequenceState& donor, std::span<const std::int32_t> continuation,
                                std::span<const Patch> patches, const EffectProgress& progress,
                                const std::vector<Intervention>& interventions) {
  const auto batch = static_cast<std::size_t>(backend.plan().batch);
  if (batch < 3)
    return input_error(fmt::format("Patching needs a batch of 3 or more, and was given one of {}.", batch));
  if (continuation.empty())
    return input_error("Nothing is read behind the patch, so that it cannot show: patch at an earlier token.");
  if (auto good = check_all(interventions, model.config()); !good) return tl::unexpected(good.error());
  PatchGrid grid;
  Readings readings(backend, model);
  SequenceInterventions changed(backend, model.config(), std::vector<std::vector<Intervention>>(batch, interventions));
  SequenceState whole = donor;
  whole.position = receiver.position;
  const std::size_t at_once = batch - 2;
  for (std::size_t first = 0; first < std::max<std::size_t>(1, patches.size()); first += at_once) {
    const std::size_t count = std::min(at_once, patches.size() - first);
    std::vector<PatchEffect> effects(count);
    for (std::size_t s = 0; s < batch; ++s) {
      const bool is_patch = s >= 2 && s - 2 < count;
      if (!is_patch) {
        if (auto done = backend.restore(static_cast<int>(s), s == 1 ? whole : receiver); !done)
          return tl::unexpected(done.error());
        continue;
      }
      effects[s - 2].patch = patches[first + s - 2];
      const auto state = patched(model.config(), receiver, donor, effects[s - 2].patch);
      if (!state) return tl::unexpected(state.error());
      if (auto done = backend.restore(static_cast<int>(s), *state); !done) return tl::unexpected(done.error());
    }
    for (std::size_t t = 0; t < continuation.size(); ++t) {
      const std::vector<std::int32_t> ids(batch, continuation[t]);
      if (auto done = changed.follow(); !done) return tl::unexpected(done.error());
      if (auto done = backend.step(ids, nullptr); !done) return tl::unexpected(done.error());
      if (auto done = readings.read(2 + count); !done) return tl::unexpected(done.error());
      const std::int32_t own = readings.best(0), other = readings.best(1);
      if (first == 0) {
        grid.reference.receiver_answer.push_back(own);
        grid.reference.donor_answer.push_back(other);
        grid.reference.receiver_difference.push_back(readings.difference(0, other, own));
        grid.reference.donor_difference.push_back(readings.difference(1, other, own));
      }
      const Distribution receivers = softmax(readings.of(0));
      for (std::size_t i = 0; i < count; ++i)
        effects[i].tokens.push_back({readings.best(2 + i), kl_bits(receivers, softmax(readings.of(2 + i))),
                                     readings.difference(2 + i, other, own)});
      const double in_part = static_cast<double>(t + 1) / static_cast<double>(continuation.size());
      const double in_all = (static_cast<double>(first) + in_part * static_cast<double>(count)) /
                            static_cast<double>(std::max<std::size_t>(1, patches.size()));
      if (progress && !progress(in_all)) return grid;
    }
    for (PatchEffect& effect : effects) grid.effects.push_back(std::move(effect));
  }
  return grid;
}

}  // namespace engine
