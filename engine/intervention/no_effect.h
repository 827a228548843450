// Why an intervention that a model can have changes nothing all the same: nothing happens in silence. Any thread.
#pragma once

#include "engine/intervention/intervention.h"

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace engine {

// Known before a step: it changes nothing by its value, or its tokens are not among the first `tokens`. A part of a
// sentence: "its tokens begin at 50, and there are 21"; empty: it may have an effect.
std::string why_no_effect(const Intervention& by, const ModelConfig& config, std::int64_t tokens);

// The entries of a list of which that is so, each a sentence: "rotation x 0, from token 50 has no effect: ...". Where
// `measured` says that the whole list had none, the others are named, too, with what that means.
std::vector<std::string> without_effect(std::span<const Intervention> list, const ModelConfig& config,
                                        std::int64_t tokens, bool measured_none);

}  // namespace engine
