// What `mambascope compare` says, as text and as one JSON object.
#pragma once

#include "app/wiring/profile_comparison.h"

#include <nlohmann/json_fwd.hpp>

#include <string>

namespace app {

// `forced`: reasons against comparing them that were overruled.
nlohmann::ordered_json comparison_json(const ProfileResult& a, const ProfileResult& b,
                                       const ProfileComparison& comparison, const std::vector<std::string>& forced);
std::string comparison_text(const ProfileResult& a, const ProfileResult& b, const ProfileComparison& comparison,
                            const std::vector<std::string>& forced);

}  // namespace app
