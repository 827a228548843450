// What a recording says about itself as named texts, the metadata of a safetensors file, and back. Any thread.
#pragma once

#include "engine/base/result.h"
#include "engine/recording/fields.h"
#include "engine/recording/recording_info.h"

#include <map>
#include <string>

namespace engine {

using Metadata = std::map<std::string, std::string>;

inline constexpr const char* recording_format = "mambascope-recording";

// With "axes.NAME", "unit.NAME" and "about.NAME" of every tensor.
Metadata metadata_of(const RecordingInfo& info, const std::vector<Field>& fields);

// Whether the metadata are those of a recording at all.
bool is_recording(const Metadata& metadata);

// The error (input) of a file that is none, or a damaged one. `why` may be a sentence of another reader, with its full stop.
tl::unexpected<Error> no_recording(const std::string& where, std::string why);

// Every number is checked against what a recording can have, and no list is longer than the model's layers allow. Texts
// come out printable. Errors (input), to be followed by what to do: what is missing or wrong.
Result<RecordingInfo> info_of(const Metadata& metadata);

}  // namespace engine
