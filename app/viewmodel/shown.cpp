#include "app/viewmodel/shown.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

namespace app {

std::int64_t shown_index(const engine::Snapshot& snapshot, const Selection& selection) {
  const auto last = static_cast<std::int64_t>(snapshot.tokens.size()) - 1;
  return selection.token < 0 ? last : std::min(selection.token, last);
}

Selection clamped(const engine::ModelConfig& config, Selection selection) {
  const auto inside = [](int value, int count) { return std::clamp(value, 0, std::max(count - 1, 0)); };
  selection.layer = inside(selection.layer, config.n_layer);
  selection.head = inside(selection.head, config.heads());
  selection.pair = inside(selection.pair, config.d_state / 2);
  selection.row = inside(selection.row, config.headdim);
  return selection;
}

const engine::LayerState* layer_at(const engine::Snapshot& snapshot, std::int64_t index, int layer) {
  if (index < 0 || index >= static_cast<std::int64_t>(snapshot.tokens.size())) return nullptr;
  const engine::TokenRecord* record = snapshot.tokens[static_cast<std::size_t>(index)].get();
  if (record == nullptr || record->state == nullptr) return nullptr;
  const auto& layers = record->state->layers;
  if (layer < 0 || static_cast<std::size_t>(layer) >= layers.size()) return nullptr;
  const engine::LayerState& found = layers[static_cast<std::size_t>(layer)];
  return engine::holds_caches(found) ? &found : nullptr;
}

const engine::LayerState* matrix_at(const engine::Snapshot& snapshot, std::int64_t index, int layer) {
  const engine::LayerState* found = layer_at(snapshot, index, layer);
  return found != nullptr && engine::holds_state(*found) ? found : nullptr;
}

double per_head(const engine::ModelConfig& config, const std::vector<float>& values, int layer, int head) {
  const std::size_t at =
      static_cast<std::size_t>(layer) * static_cast<std::size_t>(config.heads()) + static_cast<std::size_t>(head);
  if (layer < 0 || head < 0 || at >= values.size()) return std::numeric_limits<double>::quiet_NaN();
  return static_cast<double>(values[at]);
}

double turn_at(const engine::Snapshot& snapshot, std::int64_t index, int layer, int head, int pair) {
  const engine::TokenRecord& record = *snapshot.tokens[static_cast<std::size_t>(index)];
  return engine::phase_increment(snapshot.model->config(), record.coefficients, layer, head, pair);
}

engine::StateFrame frame_of(Frame frame) {
  return frame == Frame::unrotated ? engine::StateFrame::unrotated : engine::StateFrame::stored;
}

std::string prefilled_words(const engine::TokenRecord& record) {
  return fmt::format(
      "Prefilled: tokens {} to {} were consumed at once, and of this one nothing was recorded yet. Go to it (G) to "
      "have its numbers: it is read again up to here.",
      record.prefill_first, record.prefill_end - 1);
}

std::string token_text(const engine::Snapshot& snapshot, std::int64_t index) {
  if (index < 0 || index >= static_cast<std::int64_t>(snapshot.tokens.size()) || snapshot.model == nullptr) return {};
  return snapshot.model->symbol(snapshot.tokens[static_cast<std::size_t>(index)]->id);
}

}  // namespace app
