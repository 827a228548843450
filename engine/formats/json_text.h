// JSON of a small file that a person or a program wrote: parsed whole, with bounded depth and no key twice.
// Include only in .cpp files.
#pragma once

#include "engine/base/result.h"

#include <nlohmann/json.hpp>

#include <string>
#include <string_view>

namespace engine {

// Parses one JSON object. `where` names the text in errors. Errors (input): not JSON, nested deeper than 16, a key
// twice in one object, or not an object at the top.
Result<nlohmann::json> parse_json_object(std::string_view text, const std::string& where);

}  // namespace engine
