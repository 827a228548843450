#include "app/viewmodel/accumulated_errors.h"

#include "app/viewmodel/shown.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <limits>
#include <utility>

namespace app {

namespace {

// Beyond that, stepping the states of all heads would take longer than a frame.
constexpr std::size_t most_bytes = std::size_t{16} << 20;

const engine::LayerState& layer_of(const engine::Snapshot& snapshot, std::int64_t token, int layer) {
  return snapshot.tokens[static_cast<std::size_t>(token)]->state->layers[static_cast<std::size_t>(layer)];
}

bool kept(const engine::Snapshot& snapshot, std::int64_t token, int layer) {
  const engine::TokenRecord& record = *snapshot.tokens[static_cast<std::size_t>(token)];
  return !record.coefficients.dt.empty() && engine::holds_caches(layer_of(snapshot, token, layer));
}

}  // namespace

std::size_t AccumulatedErrors::place(int layer, int head) const {
  return static_cast<std::size_t>(layer - first_layer_) * static_cast<std::size_t>(heads_) +
         static_cast<std::size_t>(head);
}

bool AccumulatedErrors::same_story(const engine::Snapshot& snapshot, const Selection& selection,
                                   std::int64_t index) const {
  if (model_ != snapshot.model || frame_ != selection.frame || found_.empty() || index < first_) return false;
  if (selection.layer < first_layer_ || selection.layer >= first_layer_ + layers_) return false;
  for (std::int64_t t = 0; t <= std::min(index, reached()); ++t) {
    if (snapshot.tokens[static_cast<std::size_t>(t)]->id != ids_[static_cast<std::size_t>(t)]) return false;
  }
  // What follows what was reached must still be kept.
  return index <= reached() || kept(snapshot, reached(), first_layer_);
}

void AccumulatedErrors::begin(const engine::Snapshot& snapshot, const Selection& selection, std::int64_t index) {
  const engine::ModelConfig& config = snapshot.model->config();
  model_ = snapshot.model;
  frame_ = selection.frame;
  heads_ = config.heads();
  whole_model_ = engine::ErrorAccumulator::bytes(config) * static_cast<std::size_t>(config.n_layer) *
                     static_cast<std::size_t>(heads_) <=
                 most_bytes;
  first_layer_ = whole_model_ ? 0 : selection.layer;
  layers_ = whole_model_ ? config.n_layer : 1;
  head_.clear();
  for (int i = 0; i < layers_ * heads_; ++i) head_.emplace_back(model_->config(), i % heads_, frame_of(frame_));
  first_ = index;
  while (first_ > 0 && kept(snapshot, first_ - 1, first_layer_)) --first_;
  found_.clear();
  ids_.clear();
  for (std::int64_t t = 0; t < first_; ++t) ids_.push_back(snapshot.tokens[static_cast<std::size_t>(t)]->id);
}

void AccumulatedErrors::take(const engine::Snapshot& snapshot, std::int64_t token) {
  const engine::TokenRecord& record = *snapshot.tokens[static_cast<std::size_t>(token)];
  std::vector<Found>& found = found_.emplace_back();
  for (int layer = first_layer_; layer < first_layer_ + layers_; ++layer) {
    const engine::LayerWeights& weights = model_->weights.layers[static_cast<std::size_t>(layer)];
    const engine::LayerState& now = layer_of(snapshot, token, layer);
    for (int head = 0; head < heads_; ++head) {
      engine::ErrorAccumulator& state = head_[place(layer, head)];
      if (token == first_ && token > 0)
        state.start_at(now);
      else
        state.step(weights, record.coefficients, layer, token == 0 ? nullptr : &layer_of(snapshot, token - 1, layer),
                   now);
      const engine::AccumulatedError e = state.errors();
      found.push_back({static_cast<float>(e.fixed.half), static_cast<float>(e.fixed.cross),
                       static_cast<float>(e.fixed.slope), static_cast<float>(e.model)});
    }
  }
  ids_.push_back(record.id);
  ++version_;
}

bool AccumulatedErrors::advance(const engine::Snapshot& snapshot, const Selection& selection, std::int64_t index,
                                double budget_ms) {
  if (snapshot.model == nullptr || index < 0 || index >= static_cast<std::int64_t>(snapshot.tokens.size())) return true;
  if (!same_story(snapshot, selection, index)) {
    found_.clear();
    ++version_;
    if (!kept(snapshot, index, selection.layer)) return true;  // nothing to carry: its record was dropped
    begin(snapshot, selection, index);
  }
  using Clock = std::chrono::steady_clock;
  const auto end = Clock::now() + std::chrono::duration<double, std::milli>(budget_ms);
  while (reached() < index) {
    if (!kept(snapshot, reached() + 1, first_layer_)) return true;
    take(snapshot, reached() + 1);
    if (Clock::now() >= end) break;
  }
  return reached() >= index;
}

engine::AccumulatedError AccumulatedErrors::at(std::int64_t token, int layer, int head) const {
  if (token < first_ || token > reached() || layer < first_layer_ || layer >= first_layer_ + layers_ || head < 0 ||
      head >= heads_)
    return {};
  const Found& f = found_[static_cast<std::size_t>(token - first_)][place(layer, head)];
  return {{f.half, f.cross, f.slope}, f.model};
}

ErrorSeries AccumulatedErrors::series(int layer, int head, std::int64_t index, int max_tokens) const {
  ErrorSeries series;
  const double missing = std::numeric_limits<double>::quiet_NaN();
  for (std::int64_t t = std::max<std::int64_t>(0, index + 1 - std::max(max_tokens, 1)); t <= index; ++t) {
    const engine::AccumulatedError e = at(t, layer, head);
    series.token.push_back(static_cast<double>(t));
    const double values[] = {e.fixed.at(1), e.fixed.at(0.5), e.model};
    for (std::size_t rule = 0; rule < 3; ++rule) {
      const double value = std::isfinite(values[rule]) && values[rule] > 0 ? values[rule] : missing;
      series.error[rule].push_back(value);
      if (std::isnan(value)) continue;
      series.low = series.any ? std::min(series.low, value) : value;
      series.high = series.any ? std::max(series.high, value) : value;
      series.any = true;
    }
  }
  return series;
}

ErrorSpread AccumulatedErrors::spread(std::int64_t index, int bins) const {
  std::array<std::vector<double>, 3> errors;
  for (int layer = first_layer_; layer < first_layer_ + layers_; ++layer) {
    for (int head = 0; head < heads_; ++head) {
      const engine::AccumulatedError e = at(index, layer, head);
      errors[0].push_back(e.fixed.at(1));
      errors[1].push_back(e.fixed.at(0.5));
      errors[2].push_back(e.model);
    }
  }
  return spread_of(std::move(errors), bins);
}

}  // namespace app
