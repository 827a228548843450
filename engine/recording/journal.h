// A recording while it is made: one block for each token, appended, so that whatever ends the program or fills the disk
// leaves every token before it. Its layout:
//
//   8 bytes   "MSCOPEJ1"
//   u64       length of the text that follows, u64 its digest (digest.h)
//   text      the metadata, a JSON object of strings, padded with blanks to a multiple of 8 bytes
//   f32       mimo_x of all layers (fields.h), of a MIMO model
//   blocks    u64 token, u64 bytes, u64 digest of those bytes, then the rows of the token's fields, one behind the other
//
// Numbers are little-endian. finish_journal makes a safetensors file of it.
#pragma once

#include "engine/base/result.h"
#include "engine/recording/recording_text.h"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

namespace engine {

inline constexpr const char* journal_ending = ".part";
inline constexpr std::size_t block_head = 24;

// A file that is appended to in whole pieces, locked (flock) until it is closed. Owned by one thread.
class JournalFile {
 public:
  // Makes the file. Errors: input, when it is there already; system, when it cannot be made.
  static Result<JournalFile> create(const std::string& path);
  JournalFile(JournalFile&& other) noexcept;
  JournalFile& operator=(JournalFile&&) = delete;
  JournalFile(const JournalFile&) = delete;
  JournalFile& operator=(const JournalFile&) = delete;
  ~JournalFile();

  Result<void> append_head(const RecordingInfo& info, const std::vector<Field>& fields, std::span<const float> mimo_x);
  // `block` begins with room for its head. After an error the file ends with the block before, as far as the system lets
  // it be cut.
  Result<void> append_block(std::int64_t token, std::span<std::byte> block);
  std::uint64_t bytes() const { return bytes_; }
  const std::string& path() const { return path_; }

 private:
  JournalFile(int descriptor, std::string path) : descriptor_(descriptor), path_(std::move(path)) {}
  Result<void> append(std::span<const std::byte> bytes);

  int descriptor_ = -1;
  std::string path_;
  std::uint64_t bytes_ = 0;
};

// Whether a program is writing this journal now; false where that cannot be known.
bool is_being_written(const std::string& path);

struct Journal {
  Metadata metadata;
  RecordingInfo info;
  std::vector<Field> fields;
  std::span<const std::byte> mimo_x;
  std::span<const std::byte> blocks;  // the complete ones
  std::int64_t tokens = 0;            // complete ones
  std::uint64_t lost_bytes = 0;       // behind the last complete one
};

bool looks_like_journal(std::span<const std::byte> file);
// Looks at every block. Errors (input): what is wrong with the head; a journal without a complete token is none.
Result<Journal> parse_journal(std::span<const std::byte> file, const std::string& where);

}  // namespace engine
