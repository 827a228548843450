// The one selection that all views share: a click anywhere moves all of them.
#pragma once

#include <cstdint>

namespace app {

enum class Frame : std::uint8_t { unrotated, stored };

struct Selection {
  std::int64_t token = -1;  // -1: follow the newest
  int layer = 0;
  int head = 0;
  int pair = 0;         // channel pair
  int row = 0;          // p of the state matrix
  int stage = -1;       // of the plan; -1: none
  int stage_kind = -1;  // engine::StageKind of that stage, or chosen by itself; -1: none
  Frame frame = Frame::unrotated;

  bool operator==(const Selection&) const = default;
};

}  // namespace app
