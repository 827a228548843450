// What `mambascope inspect --list` prints: the built-in models, one row each.
#pragma once

#include "engine/model/task_card.h"

#include <nlohmann/json_fwd.hpp>

namespace app {

// A card as every JSON result has it; null where the model has none.
nlohmann::ordered_json card_json(const engine::TaskCard& card);

// Prints the table, or with `json` one object with a list. A model that cannot be opened is listed with the reason.
// Returns the exit code.
int list_models(bool json);

}  // namespace app
