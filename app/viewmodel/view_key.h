// When derived values have to be made again: another snapshot, token or selection. Pure.
#pragma once

#include "app/viewmodel/selection.h"
#include "engine/session/snapshot.h"

#include <cstdint>

namespace app {

struct ViewKey {
  const engine::Snapshot* snapshot = nullptr;
  std::uint64_t version = 0;
  std::int64_t index = -1;  // of the shown token
  Selection selection;
  int extra = 0;  // whatever else a view depends on

  bool operator==(const ViewKey&) const = default;
};

}  // namespace app
