// The options that say how the next token is chosen, of every command that chooses any.
#pragma once

#include "engine/sampling/sampler.h"

#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace app {

// The words for the kinds, in their order: greedy, temperature, top-k, top-p.
const std::vector<std::string>& sampler_words();
engine::Sampler::Kind sampler_kind(const std::string& word);  // one of them
const std::string& word_of(engine::Sampler::Kind kind);

// --sampler and those below. The sampler must outlive the parsing.
void add_sampler_option(CLI::App& command, engine::Sampler& sampler);

// --temperature, --top-k, --top-p. The sampler must outlive the parsing.
void add_sampler_settings(CLI::App& command, engine::Sampler& sampler);

// For a command's callback, as refuse_idle: settings that none of the samplers heeds. `choose` names the option that
// chooses them.
void refuse_idle_settings(const CLI::App& command, const std::vector<engine::Sampler::Kind>& samplers,
                          const char* choose);

}  // namespace app
