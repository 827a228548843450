// The header of a recorded profile: everything but the times, as one JSON object.
#pragma once

#include "profiler/recording/recorded_profile.h"

#include <tl/expected.hpp>

#include <cstddef>
#include <string>
#include <string_view>

namespace profiler {

struct Header {
  RecordedProfile profile;  // without tokens
  std::size_t tokens = 0, pieces = 0;
};

// `tokens` and `pieces` are written beside what the profile says of itself.
std::string header_text(const RecordedProfile& profile, std::size_t tokens, std::size_t pieces);

// Error: not JSON, nested deeply, a field that is missing, of another type or out of range.
tl::expected<Header, std::string> parse_header(std::string_view text);

}  // namespace profiler
