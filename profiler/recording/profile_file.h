// The file of a recorded profile. Little-endian:
//   bytes 0..7    "MSPROFIL"
//   bytes 8..11   version, 1
//   bytes 12..15  length of the header
//   bytes 16..23  length of header and columns together, unpacked
//   from 24       header and columns, packed with zlib
// The header is one JSON object; fields that a reader does not know are passed over. The columns are whole numbers as
// columns.h has them, each column whole before the next:
//   of each token  its number less the one before; the start of its step less the one before; its wall time; its pieces
//   of each piece  stage + 1 (0: between stages); kind of work; name; start less the end of the piece before in its token
//                  (of the first: less the start of the step); duration
// Numbers that can fall are folded (put_signed); times are nanoseconds, and the first step starts at 0.
#pragma once

#include "profiler/recording/recorded_profile.h"

#include <tl/expected.hpp>

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

namespace profiler {

inline constexpr int profile_file_version = 1;

// What a file can hold. A sum of all durations stays below 2^63 ns.
inline constexpr std::size_t most_recorded_tokens = std::size_t{1} << 20;
inline constexpr std::size_t most_recorded_pieces = std::size_t{1} << 22;
inline constexpr std::size_t most_pieces_of_a_token = std::size_t{1} << 14;
inline constexpr std::int64_t longest_recorded_ns = std::int64_t{1} << 40;  // 18 minutes

// Whether the bytes begin as such a file does.
bool is_profile(std::span<const std::byte> bytes);

// Error: the profile is larger than a file can hold, or a time is longer.
tl::expected<std::string, std::string> encode(const RecordedProfile& profile);

// Any bytes. Error: what is wrong with them. What is returned has at least one token and one stage, and every number in it
// is in range: stages of pieces are in the plan or between stages, names in the list, layers in [-1, 65535), times within
// the limits above, and texts are UTF-8.
tl::expected<RecordedProfile, std::string> decode(std::span<const std::byte> bytes);
// The same behind the packing.
tl::expected<RecordedProfile, std::string> decode_unpacked(std::string_view header, std::string_view columns);

}  // namespace profiler
