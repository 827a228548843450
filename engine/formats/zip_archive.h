// The entries of a zip archive, looked at in place. Only what PyTorch writes is taken: entries that are stored, not
// compressed. libzip reads the directory, which is bounded and checked before and after. Any thread.
#pragma once

#include "engine/base/result.h"

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace engine {

struct ZipEntry {
  std::string name;                  // '/' between folders, as in the archive
  std::span<const std::byte> bytes;  // inside the archive's own bytes
};

struct ZipArchive {
  std::vector<ZipEntry> entries;  // sorted by name, names unique

  const ZipEntry* find(std::string_view name) const;  // null: not there
};

// `file` must outlive the result; `where` names it in errors. Checksums are not compared, as PyTorch does not and may
// be told not to write them; no entry is read. Errors (input): not a zip archive, truncated or with something appended; a second directory, a
// directory of more than 10,000 entries or 64 MiB, one that contradicts the entries; an archive in several parts; an
// entry that is compressed, encrypted, out of bounds, overlapping another, there twice, or whose name is empty,
// absolute, longer than 1,024 bytes or leads out of its folder; a TorchScript program, which is named as that.
Result<ZipArchive> parse_zip(std::span<const std::byte> file, const std::string& where);

}  // namespace engine
