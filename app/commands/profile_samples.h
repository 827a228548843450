// `mambascope profile --pm-sampling`: hardware counters over the time of a few tokens. They are sampled in a second process,
// because one that records activity does not sample.
#pragma once

#include "app/commands/profile_run.h"
#include "app/wiring/samples_json.h"

#include <string>

namespace app {

// Tokens that are sampled, where as many are stepped.
inline constexpr int sampled_tokens = 4;

// What the second process does (--samples-only): opens the model, warms up, samples the tokens behind. Samples that are not to
// be had are no error: TokenSamples::why says so.
engine::Result<TokenSamples> sample_tokens(const ProfileOptions& options, const engine::Model& model);

// The second process, which steps the first tokens of the profile, launched the same way. A failure of it is a TokenSamples
// with the reason.
TokenSamples sample_in_second_process(const ProfileOptions& options, const ProfileResult& with);

// What they say in short: means while work ran, and how long that took beside the profile's own.
nlohmann::ordered_json samples_report_json(const TokenSamples& samples, const ProfileResult& result);
std::string samples_text(const TokenSamples& samples, const ProfileResult& result);

}  // namespace app
