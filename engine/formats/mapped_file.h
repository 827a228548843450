// A whole regular file, mapped for reading. The mapping lives as long as this object. Sizes come from the opened file
// itself. A file that another program shortens while it is mapped cannot be read safely by anybody (the system raises
// SIGBUS): replace a model's file by renaming a new one over it, which leaves the mapping whole.
#pragma once

#include "engine/base/result.h"

#include <cstddef>
#include <filesystem>
#include <span>
#include <string>

namespace engine {

class MappedFile {
 public:
  // Error: input, when the file cannot be opened, is not a regular file or is empty; system, when mapping fails.
  static Result<MappedFile> open(const std::string& path);

  MappedFile(MappedFile&& other) noexcept;
  MappedFile& operator=(MappedFile&& other) noexcept;
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;
  ~MappedFile();

  std::span<const std::byte> bytes() const { return {data_, size_}; }

 private:
  MappedFile(const std::byte* data, std::size_t size) : data_(data), size_(size) {}

  const std::byte* data_ = nullptr;
  std::size_t size_ = 0;
};

// Whether anything stands at the path. A link that leads nowhere is there, too: opening it then says what is wrong with it.
bool is_there(const std::filesystem::path& path);

// A small text file as a whole. Error: input, when it cannot be read, is not regular or is larger than `most_bytes`.
Result<std::string> read_text_file(const std::string& path, std::size_t most_bytes);

}  // namespace engine
