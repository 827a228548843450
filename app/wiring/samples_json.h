// Hardware samples between two processes: what the one that samples prints and the one that asked reads.
#pragma once

#include "app/wiring/token_samples.h"

#include <nlohmann/json_fwd.hpp>

#include <string>

namespace app {

// Samples that are not to be had, and why.
TokenSamples no_samples(std::string reason, std::string remedy);

nlohmann::ordered_json samples_json(const TokenSamples& samples);
// Any text; one that is no such object is a TokenSamples with the reason.
TokenSamples samples_from(const std::string& text);

}  // namespace app
