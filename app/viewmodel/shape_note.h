// In what two models differ besides their rank: their times compare all of it. Pure.
#pragma once

#include "engine/model/config.h"

#include <string>

namespace app {

struct ShapeNote {
  std::string brief;       // "SISO beside MIMO R = 4, otherwise one shape"
  std::string difference;  // "layers 24 and 48, MLP width 3072 and 2048"; empty: none besides the rank
};
ShapeNote note_on_shapes(const engine::ModelConfig& first, const engine::ModelConfig& second);

}  // namespace app
