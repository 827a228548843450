#include "engine/plan/stage.h"

namespace engine {

const char* name_of(StageKind kind) {
  switch (kind) {
    case StageKind::embed:
      return "embed";
    case StageKind::norm:
      return "norm";
    case StageKind::in_proj:
      return "in_proj";
    case StageKind::coefficients:
      return "coefficients";
    case StageKind::rotate:
      return "rotate";
    case StageKind::state_update:
      return "state_update";
    case StageKind::readout:
      return "readout";
    case StageKind::mimo_mix:
      return "mimo_mix";
    case StageKind::out_proj:
      return "out_proj";
    case StageKind::mlp_norm:
      return "mlp_norm";
    case StageKind::mlp_up:
      return "mlp_up";
    case StageKind::mlp_down:
      return "mlp_down";
    case StageKind::final_norm:
      return "final_norm";
    case StageKind::head:
      return "head";
    case StageKind::mixer:
      return "mixer";
    case StageKind::errors:
      return "errors";
    case StageKind::sample:
      return "sample";
  }
  return "unknown";
}

std::optional<StageKind> stage_kind(const std::string& name) {
  for (int i = 0; i < stage_kind_count; ++i) {
    if (name == name_of(static_cast<StageKind>(i))) return static_cast<StageKind>(i);
  }
  return std::nullopt;
}

}  // namespace engine
