#include "engine/effect/side_by_side.h"

#include "engine/analysis/rotation.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

namespace engine {

double Apart::relative() const {
  if (size_squared > 0) return std::sqrt(squared / size_squared);
  return squared > 0 ? std::numeric_limits<double>::infinity() : 0;
}

Apart apart(const ModelConfig& config, const LayerState& a, const LayerState& b, int head) {
  const int angles = config.angles(), pairs = config.d_state / 2;
  std::vector<Complex> back_a(static_cast<std::size_t>(pairs), 1), back_b = back_a;
  for (int i = 0; i < angles; ++i) {
    const auto at = static_cast<std::size_t>(head) * static_cast<std::size_t>(angles) + static_cast<std::size_t>(i);
    back_a[static_cast<std::size_t>(i)] = turned_back(1, a.angle[at]);
    back_b[static_cast<std::size_t>(i)] = turned_back(1, b.angle[at]);
  }
  Apart sum;
  const auto size = static_cast<std::size_t>(config.headdim) * static_cast<std::size_t>(config.d_state);
  const float* row_a = a.ssm.data() + static_cast<std::size_t>(head) * size;
  const float* row_b = b.ssm.data() + static_cast<std::size_t>(head) * size;
  for (int p = 0; p < config.headdim; ++p, row_a += config.d_state, row_b += config.d_state) {
    for (int i = 0; i < pairs; ++i) {
      const int x = config.pair_first(i), y = config.pair_second(i);
      const Complex z_a = back_a[static_cast<std::size_t>(i)] * Complex(row_a[x], row_a[y]);
      const Complex z_b = back_b[static_cast<std::size_t>(i)] * Complex(row_b[x], row_b[y]);
      sum.squared += std::norm(z_a - z_b);
      sum.size_squared += std::norm(z_b);
    }
  }
  return sum;
}

SideBySide::SideBySide(Backend& backend, const Model& model, const SideBySideOptions& options)
    : backend_(backend),
      model_(model),
      options_(options),
      layers_(static_cast<std::size_t>(model.config().n_layer)),
      logits_(static_cast<std::size_t>(model.config().padded_vocab())) {
  const auto sequences = static_cast<std::size_t>(backend.plan().batch);
  states_.resize(sequences);
  read_.resize(sequences);
  ids_.resize(sequences);
  distributions_.resize(sequences);
  std::iota(layers_.begin(), layers_.end(), 0);
}

void SideBySide::forget() { std::fill(read_.begin(), read_.end(), false); }

Result<EffectToken> SideBySide::step(std::int32_t id, std::int32_t next) {
  std::fill(ids_.begin(), ids_.end(), id);
  forget();
  if (auto done = backend_.step(ids_, nullptr); !done) return tl::unexpected(done.error());
  EffectToken token;
  token.id = id;
  token.sequences.resize(ids_.size());
  for (std::size_t s = 0; s < ids_.size(); ++s) {
    if (auto done = look(s, next, token); !done) return tl::unexpected(done.error());
  }
  // Each sequence's own best were gathered: told in the order of the first, the same ids for all.
  const std::vector<double>& own = distributions_[0].p;
  std::sort(token.ids.begin(), token.ids.end(), [&](std::int32_t a, std::int32_t b) {
    const double pa = own[static_cast<std::size_t>(a)], pb = own[static_cast<std::size_t>(b)];
    return pa != pb ? pa > pb : a < b;
  });
  token.ids.erase(std::unique(token.ids.begin(), token.ids.end()), token.ids.end());
  for (std::size_t s = 0; s < ids_.size(); ++s) {
    for (const std::int32_t i : token.ids)
      token.sequences[s].p.push_back(distributions_[s].p[static_cast<std::size_t>(i)]);
  }
  return token;
}

// The classes of a model that labels positions, else the vocabulary without padding.
std::span<const float> SideBySide::candidates() const {
  const auto vocab = static_cast<std::size_t>(model_.config().vocab_size);
  const std::size_t classes = model_.card.labels_positions() ? model_.card.labels.size() : 0;
  return std::span(logits_).first(classes > 0 ? std::min(classes, vocab) : vocab);
}

Result<void> SideBySide::look(std::size_t s, std::int32_t next, EffectToken& token) {
  if (auto done = backend_.read_logits(static_cast<int>(s), logits_); !done) return done;
  if (!all_finite(candidates()))
    return input_error(fmt::format("The logits of {} are not finite, so there are no probabilities to compare.",
                                   s == 0 ? model_.name : model_.name + " with what was changed"));
  distributions_[s] = softmax(candidates());
  EffectOnToken& out = token.sequences[s];
  out.entropy_bits = entropy_bits(distributions_[s]);
  out.kl_bits = s == 0 ? 0 : kl_bits(distributions_[0], distributions_[s]);
  const std::vector<std::int32_t> top = top_ids(candidates(), s == 0 ? std::max(2, options_.best) : options_.best);
  if (s == 0) {
    token.answer = top.front();
    token.other = top.size() > 1 ? top[1] : top.front();
  }
  out.predicted = top.front();
  const auto kept = std::min(top.size(), static_cast<std::size_t>(options_.best));
  token.ids.insert(token.ids.end(), top.begin(), top.begin() + static_cast<std::ptrdiff_t>(kept));
  out.logit_difference = static_cast<double>(candidates()[static_cast<std::size_t>(token.answer)]) -
                         static_cast<double>(candidates()[static_cast<std::size_t>(token.other)]);
  // An id outside the vocabulary is the next step's error.
  const std::vector<double>& log_p = distributions_[s].log_p;
  if (next >= 0 && static_cast<std::size_t>(next) < log_p.size() && !model_.card.labels_positions())
    out.next_bits = -log_p[static_cast<std::size_t>(next)] / std::log(2.0);
  return options_.distance || options_.head_distance ? measure_distance(s, out) : Result<void>{};
}

Result<void> SideBySide::measure_distance(std::size_t s, EffectOnToken& out) {
  const auto own = state(0);
  if (!own) return tl::unexpected(own.error());
  const auto other = state(static_cast<int>(s));
  if (!other) return tl::unexpected(other.error());
  const ModelConfig& config = model_.config();
  for (std::size_t l = 0; l < layers_.size(); ++l) {
    Apart all;
    for (int head = 0; head < config.heads(); ++head) {
      Apart of_head;
      if (s != 0) of_head = apart(config, (*other)->layers[l], (*own)->layers[l], head);
      all.squared += of_head.squared;
      all.size_squared += of_head.size_squared;
      if (options_.head_distance) out.head_distance.push_back(of_head.relative());
    }
    if (options_.distance) out.distance.push_back(all.relative());
  }
  return {};
}

Result<const SequenceState*> SideBySide::state(int sequence) {
  const auto s = static_cast<std::size_t>(sequence);
  if (!read_[s]) {
    if (auto done = backend_.read_state(sequence, layers_, true, states_[s]); !done)
      return tl::unexpected(done.error());
    read_[s] = true;
  }
  return &states_[s];
}

EffectSummary summarise(std::span<const EffectToken> tokens, std::size_t sequence) {
  EffectSummary sum;
  double bits = 0;
  std::int64_t followed = 0;
  std::vector<std::int64_t> comparable;  // tokens by layer: a distance from a state that is zero is infinite
  for (const EffectToken& token : tokens) {
    const EffectOnToken& on = token.sequences[sequence];
    ++sum.tokens;
    sum.same_prediction += on.predicted == token.sequences[0].predicted ? 1 : 0;
    sum.mean_kl_bits += on.kl_bits;
    sum.largest_kl_bits = std::max(sum.largest_kl_bits, on.kl_bits);
    sum.mean_logit_difference += on.logit_difference;
    if (on.next_bits >= 0) {
      bits += on.next_bits;
      ++followed;
    }
    sum.mean_distance.resize(on.distance.size());
    comparable.resize(on.distance.size());
    for (std::size_t l = 0; l < on.distance.size(); ++l) {
      if (!std::isfinite(on.distance[l])) continue;
      sum.mean_distance[l] += on.distance[l];
      ++comparable[l];
    }
  }
  if (sum.tokens == 0) return sum;
  sum.mean_kl_bits /= static_cast<double>(sum.tokens);
  sum.mean_logit_difference /= static_cast<double>(sum.tokens);
  for (std::size_t l = 0; l < comparable.size(); ++l) sum.mean_distance[l] /= static_cast<double>(comparable[l]);
  if (followed > 0) sum.bits_per_token = bits / static_cast<double>(followed);
  return sum;
}

bool same_as_first(const EffectToken& token, std::size_t sequence) {
  const EffectOnToken& on = token.sequences[sequence];
  const auto none = [](double d) { return d == 0; };
  return on.kl_bits == 0 && on.logit_difference == token.sequences.front().logit_difference &&
         std::all_of(on.distance.begin(), on.distance.end(), none);
}

bool no_difference(std::span<const EffectToken> tokens, std::size_t sequence) {
  return std::all_of(tokens.begin(), tokens.end(),
                     [&](const EffectToken& token) { return same_as_first(token, sequence); });
}

}  // namespace engine
