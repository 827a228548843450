// What the parity bench found (engine/verify/parity_bench.h), as text for people and as JSON. Pure.
#pragma once

#include "engine/model/model.h"
#include "engine/verify/parity_bench.h"

#include <nlohmann/json_fwd.hpp>

#include <string>

namespace app {

std::string parity_text(const engine::Model& model, const engine::ParityReport& report);
// Every cell of every candidate; what is infinite is null.
nlohmann::ordered_json parity_json(const engine::Model& model, const engine::ParityReport& report);

}  // namespace app
