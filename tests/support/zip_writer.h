// A zip archive made by hand, byte by byte, so that a test can make every part of it wrong.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace tests {

// One entry; what is left as it is gives an archive that is right.
struct ZipPart {
  std::string name, bytes;
  std::string local_name = name;
  std::uint16_t method = 0, flags = 0;
  std::uint32_t size = static_cast<std::uint32_t>(bytes.size()), packed_size = size;
  bool right_checksum = true;
  bool zip64 = false;         // sizes and place in the directory's extra field
  std::int64_t offset = -1;   // of the local header, as the directory says; negative: where it is
  std::size_t alignment = 1;  // of the bytes, by a padded extra field, as PyTorch does with 64
};

struct ZipEnd {
  bool zip64 = false;
  std::uint16_t disk = 0, first_disk = 0;
  std::int64_t entries = -1;  // as the end record says; negative: as many as there are
  std::string comment;
};

std::string write_zip(const std::vector<ZipPart>& parts, const ZipEnd& end = {});

}  // namespace tests
