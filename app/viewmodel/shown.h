// Which token the views show: pure look-ups in a snapshot that every view-model shares. No ImGui, any thread.
#pragma once

#include "app/viewmodel/selection.h"
#include "engine/analysis/rotation.h"
#include "engine/session/snapshot.h"

#include <cstddef>
#include <cstdint>

namespace app {

// Index of the token that the selection shows: the selected one, else the newest; -1 before the first token.
std::int64_t shown_index(const engine::Snapshot& snapshot, const Selection& selection);

// The selection with layer, head, pair and row inside the model's shape.
Selection clamped(const engine::ModelConfig& config, Selection selection);

// The layer's caches after token `index`; null where that layer was not kept.
const engine::LayerState* layer_at(const engine::Snapshot& snapshot, std::int64_t index, int layer);
// As layer_at, and with the matrix state (H, P, N); null where it was not recorded.
const engine::LayerState* matrix_at(const engine::Snapshot& snapshot, std::int64_t index, int layer);

// Value (layer, head) of a coefficient vector (L, H); NaN where it is missing.
double per_head(const engine::ModelConfig& config, const std::vector<float>& values, int layer, int head);

// What a pair's angle advanced by in the step of token `index`, radians, under the interventions in force there
// (engine::phase_increment). The token is one of the snapshot's.
double turn_at(const engine::Snapshot& snapshot, std::int64_t index, int layer, int head, int pair);

// The engine's name of the selection's frame.
engine::StateFrame frame_of(Frame frame);
inline constexpr double pi = 3.14159265358979323846;

// Why a token that was prefilled (TokenRecord::skipped) has no numbers, and what to do.
std::string prefilled_words(const engine::TokenRecord& record);

// Text of a token: its symbol; empty before the first token.
std::string token_text(const engine::Snapshot& snapshot, std::int64_t index);

}  // namespace app
