// The interventions that a branch is stepped under, in words, for whoever marks them. Pure, no ImGui.
#pragma once

#include "engine/intervention/intervention.h"

#include <cstdint>
#include <string>
#include <vector>

namespace app {

// "rotation x 0", "rotation x 0 and dt x 2", "rotation x 0 and 3 more"; empty: none.
std::string in_force_words(const std::vector<engine::Intervention>& list);
// All of them, one a line.
std::string in_force_lines(const std::vector<engine::Intervention>& list);
// Whether the step of this token is in the range of one.
bool in_force_at(const std::vector<engine::Intervention>& list, std::int64_t token);
// Those of them whose range that is.
std::vector<engine::Intervention> in_force_of(const std::vector<engine::Intervention>& list, std::int64_t token);
// What a measurement starts from: "With rotation x 0 in force. "; empty: the model as it is.
std::string starts_from_words(const std::vector<engine::Intervention>& list);
// The list at tokens from `first` on only; entries that end before are left out.
std::vector<engine::Intervention> from_token(const std::vector<engine::Intervention>& list, std::int64_t first);

}  // namespace app
