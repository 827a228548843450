// The file of a family of profiles that differ in their rank. Little-endian:
//   bytes 0..7    "MSFAMILY"
//   bytes 8..11   version, 1
//   bytes 12..15  length of the header
//   from 16       the header, one JSON object, which gives the length of each profile; then the files of the profiles as
//                 profile_file.h has them, one behind the other
#pragma once

#include "profiler/recording/recorded_profile.h"

#include <tl/expected.hpp>

#include <cstddef>
#include <span>
#include <string>
#include <vector>

namespace profiler {

inline constexpr int family_file_version = 1;
inline constexpr std::size_t most_members = 64;

struct RecordedMember {
  int rank = 1;  // 1 is SISO
  std::uint64_t parameters = 0;
  std::string twin;            // the backend that it was verified against
  double worst = 0, rtol = 0;  // largest relative difference from it; what is allowed
  RecordedProfile profile;
};

struct RecordedFamily {
  std::string shape;  // what has these ranks: "siso-187m"
  std::vector<RecordedMember> members;
};

// Whether the bytes begin as such a file does.
bool is_family(std::span<const std::byte> bytes);

// Error: no member, or one that a file cannot hold.
tl::expected<std::string, std::string> encode_family(const RecordedFamily& family);

// Any bytes. Error: what is wrong with them. What is returned has 1 to 64 members with ranks from 1 to 64 that rise, each of
// them in range as decode() has it.
tl::expected<RecordedFamily, std::string> decode_family(std::span<const std::byte> bytes);

}  // namespace profiler
