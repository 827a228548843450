#include "engine/session/recorder.h"

#include "engine/analysis/discretisation.h"

#include <algorithm>
#include <numeric>
#include <utility>

namespace engine {

namespace {

constexpr int top_count = 16;

}  // namespace

Recorder::Recorder(Backend& backend, const Model& model, std::uint64_t record_state_bytes)
    : backend_(backend),
      model_(model),
      copies_all_(backend.info().state_bytes <= record_state_bytes),
      all_layers_(static_cast<std::size_t>(model.config().n_layer)),
      logits_(static_cast<std::size_t>(model.config().padded_vocab())) {
  std::iota(all_layers_.begin(), all_layers_.end(), 0);
}

std::span<const float> Recorder::next_logits() const {
  if (after_.empty()) return {};
  return std::span(logits_).first(static_cast<std::size_t>(model_.config().vocab_size));
}

std::span<const float> Recorder::candidates() const {
  const auto vocab = static_cast<std::size_t>(model_.config().vocab_size);
  const std::size_t classes = model_.card.labels_positions() ? model_.card.labels.size() : 0;
  return std::span(logits_).first(classes > 0 ? std::min(classes, vocab) : vocab);
}

Result<void> Recorder::read_logits() {
  if (auto read = backend_.read_logits(0, logits_); !read) return read;
  softmax(candidates(), after_);
  return {};
}

Result<std::shared_ptr<TokenRecord>> Recorder::record(std::int32_t id, TokenOrigin origin,
                                                      const SequenceState* previous) {
  auto record = std::make_shared<TokenRecord>();
  record->position = backend_.position() - 1;
  record->id = id;
  record->origin = origin;
  const auto at = static_cast<std::size_t>(id);
  if (!model_.card.labels_positions() && at < after_.p.size()) record->probability = static_cast<float>(after_.p[at]);

  std::swap(before_, after_);  // their memory takes turns: it is megabytes for a large vocabulary
  if (auto read = read_logits(); !read) return tl::unexpected(read.error());
  record->entropy_bits = static_cast<float>(entropy_bits(after_));
  if (!before_.empty()) record->kl_bits = static_cast<float>(kl_bits(after_, before_));
  if (auto filled = fill(*record, previous); !filled) return tl::unexpected(filled.error());
  record->predicted = record->top.front().id;
  return record;
}

Result<std::shared_ptr<TokenRecord>> Recorder::refresh(const TokenRecord& old, const SequenceState* previous) {
  auto record = std::make_shared<TokenRecord>(old);
  if (auto read = read_logits(); !read) return tl::unexpected(read.error());
  if (auto filled = fill(*record, previous); !filled) return tl::unexpected(filled.error());
  return record;
}

Result<void> Recorder::fill(TokenRecord& record, const SequenceState* previous) {
  if (auto read = backend_.read_coefficients(0, record.coefficients); !read) return read;
  record.coefficients.pairs = pairs_;
  auto state = copy_state();
  if (!state) return tl::unexpected(state.error());
  record.state = *state;
  StepErrors errors;
  if (!backend_.info().errors) {
    errors = step_errors(model_.weights, record.coefficients, previous, *record.state);
  } else if (auto read = backend_.read_errors(0, errors); !read) {
    return read;
  }
  record.error_stored = std::move(errors.stored);
  record.error_unrotated = std::move(errors.unrotated);
  record.top.clear();
  for (const std::int32_t id : top_ids(candidates(), top_count)) {
    const auto at = static_cast<std::size_t>(id);
    record.top.push_back({id, logits_[at], static_cast<float>(after_.p[at])});
  }
  return {};
}

Result<std::shared_ptr<const SequenceState>> Recorder::read_all_layers(bool with_ssm) {
  auto state = std::make_shared<SequenceState>();
  if (auto read = backend_.read_state(0, all_layers_, with_ssm, *state); !read) return tl::unexpected(read.error());
  return state;
}

Result<std::shared_ptr<const SequenceState>> Recorder::copy_state() {
  if (copies_all_) return read_all_layers(true);
  auto state = std::make_shared<SequenceState>();
  if (auto read = backend_.read_state(0, all_layers_, false, *state); !read) return tl::unexpected(read.error());
  SequenceState watched;
  const int layers[] = {watched_layer_};
  if (auto read = backend_.read_state(0, layers, true, watched); !read) return tl::unexpected(read.error());
  const auto at = static_cast<std::size_t>(watched_layer_);
  state->layers[at] = std::move(watched.layers[at]);
  return state;
}

}  // namespace engine
