// A whole regular file, mapped for reading. The mapping lives as long as this object. Sizes come from the opened file
// itself. Of a file that another program shortens while it is mapped, zeros are read (shrunk_mapping.h): whoever read it
// asks check() afterwards. Any thread.
#pragma once

#include "engine/base/result.h"

#include <cstddef>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

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
  // Error (input): the file became shorter than it was, so that what was read of it was not all there.
  Result<void> check() const;

 private:
  MappedFile(const std::byte* data, std::size_t size, int slot, int descriptor, std::string path)
      : data_(data), size_(size), slot_(slot), descriptor_(descriptor), path_(std::move(path)) {}

  const std::byte* data_ = nullptr;
  std::size_t size_ = 0;
  int slot_ = -1;
  int descriptor_ = -1;  // to ask for the size: within the last page nothing else tells that the end is gone
  std::string path_;
};

// Of several, as a model in shards has them.
using MappedFiles = std::vector<std::shared_ptr<const MappedFile>>;
Result<void> check_whole(const MappedFiles& files);

// Whether anything stands at the path. A link that leads nowhere is there, too: opening it then says what is wrong with it.
bool is_there(const std::filesystem::path& path);

// A small text file as a whole. Error: input, when it cannot be read, is not regular or is larger than `most_bytes`.
Result<std::string> read_text_file(const std::string& path, std::size_t most_bytes);

}  // namespace engine
