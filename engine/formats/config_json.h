// The official config.json (MambaConfig of state-spaces/mamba, models/config_mamba.py) as a checked ModelConfig.
#pragma once

#include "engine/base/result.h"
#include "engine/model/config.h"

#include <string>
#include <string_view>

namespace engine {

// Absent fields take the official defaults; unknown fields of ssm_cfg are ignored, unknown top-level fields refused,
// both as officially. Errors (input), each naming the field: wrong type, out of range, or anything this program does
// not support (other mixers, attention layers, LayerNorm), with what to do. `where` names the text in errors.
Result<ModelConfig> parse_config(std::string_view text, const std::string& where);

Result<ModelConfig> read_config(const std::string& path);

// The same fields as the text of a config.json, from which parse_config makes an equal config (but for what the official
// layout cannot express: a_activation and lambda_override).
std::string config_text(const ModelConfig& config);

}  // namespace engine
