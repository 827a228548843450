// The model map: one number per layer and head at the shown token. Pure, no ImGui.
#pragma once

#include "app/viewmodel/selection.h"
#include "engine/session/snapshot.h"

#include <array>
#include <cstdint>
#include <vector>

namespace app {

enum class MapQuantity : std::uint8_t {
  state_norm,
  state_change,
  decay,
  half_life,
  lambda,
  dt,
  rotation_speed,
  euler_error,
};

struct QuantityInfo {
  MapQuantity quantity;
  const char* name;     // "state norm"
  const char* symbol;   // "|H|"
  const char* unit;     // "", "tokens", "rad/token"
  const char* meaning;  // one sentence with its equation
  bool logarithmic;     // spans orders of magnitude: coloured by its logarithm
};
inline constexpr int map_quantity_count = 8;
const QuantityInfo& info_of(MapQuantity quantity);

struct LayerHeadMap {
  int layers = 0, heads = 0;
  std::vector<float> values;  // (L, H); NaN: not known
  double low = 0, high = 0;   // of the finite values
  bool any = false;           // at least one finite value
  bool logarithmic = false;   // colour by log(value): only where the quantity asks for it and all values are > 0
  // Position of a value on the colour scale, in [0, 1]; NaN stays NaN.
  float position(float value) const;
};

LayerHeadMap make_layer_head_map(const engine::Snapshot& snapshot, std::int64_t index, MapQuantity quantity,
                                 Frame frame);

}  // namespace app
