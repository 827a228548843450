#include "engine/formats/mapped_file.h"

#include "engine/base/quote.h"
#include "engine/formats/shrunk_mapping.h"

#include <fmt/format.h>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

namespace engine {

namespace {

struct Descriptor {
  int fd = -1;
  std::size_t size = 0;

  Descriptor() = default;
  Descriptor(Descriptor&& other) noexcept : fd(std::exchange(other.fd, -1)), size(other.size) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  Descriptor& operator=(Descriptor&&) = delete;
  ~Descriptor() {
    if (fd >= 0) ::close(fd);
  }
};

Result<Descriptor> open_regular(const std::string& path) {
  Descriptor file;
  // Non-blocking, so that a named pipe without a writer is refused and not waited for.
  file.fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (file.fd < 0) {
    return input_error(
        fmt::format("Cannot open {}: {}. Check the path and its permissions.", in_quotes(path), std::strerror(errno)));
  }
  struct stat status {};
  if (::fstat(file.fd, &status) != 0) {
    return system_error(fmt::format("Cannot ask for the size of {}: {}.", in_quotes(path), std::strerror(errno)));
  }
  if (!S_ISREG(status.st_mode)) {
    return input_error(fmt::format("{} is not a regular file. Give the file itself.", in_quotes(path)));
  }
  file.size = static_cast<std::size_t>(status.st_size);
  return file;
}

}  // namespace

Result<MappedFile> MappedFile::open(const std::string& path) {
  auto file = open_regular(path);
  if (!file) return tl::unexpected(file.error());
  if (file->size == 0) return input_error(fmt::format("{} is empty. Fetch or make it again.", in_quotes(path)));
  void* data = ::mmap(nullptr, file->size, PROT_READ, MAP_PRIVATE, file->fd, 0);
  if (data == MAP_FAILED) {
    return system_error(
        fmt::format("Cannot map {} ({} bytes): {}.", in_quotes(path), file->size, std::strerror(errno)));
  }
  const auto* bytes = static_cast<const std::byte*>(data);
  const int slot = watch_mapping(bytes, file->size);
  if (slot < 0) {
    ::munmap(data, file->size);
    return system_error(fmt::format("Cannot map {}: too many files are open. Close other models.", in_quotes(path)));
  }
  return MappedFile(bytes, file->size, slot, std::exchange(file->fd, -1), path);
}

Result<void> MappedFile::check() const {
  struct stat status {};
  const bool shorter = ::fstat(descriptor_, &status) == 0 && static_cast<std::size_t>(status.st_size) < size_;
  if (!shorter && !has_shrunk(slot_)) return {};
  return input_error(
      fmt::format("{} became shorter while it was read. Open it again when it is whole, and replace such a file by "
                  "renaming a new one over it.",
                  in_quotes(path_)));
}

Result<void> check_whole(const MappedFiles& files) {
  for (const auto& file : files) {
    if (auto whole = file->check(); !whole) return whole;
  }
  return {};
}

MappedFile::MappedFile(MappedFile&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)),
      size_(std::exchange(other.size_, 0)),
      slot_(std::exchange(other.slot_, -1)),
      descriptor_(std::exchange(other.descriptor_, -1)),
      path_(std::move(other.path_)) {}

MappedFile& MappedFile::operator=(MappedFile&& other) noexcept {
  std::swap(data_, other.data_);
  std::swap(size_, other.size_);
  std::swap(slot_, other.slot_);
  std::swap(descriptor_, other.descriptor_);
  std::swap(path_, other.path_);
  return *this;
}

MappedFile::~MappedFile() {
  if (data_ == nullptr) return;
  forget_mapping(slot_);
  ::munmap(const_cast<std::byte*>(data_), size_);
  ::close(descriptor_);
}

bool is_there(const std::filesystem::path& path) {
  std::error_code ignored;
  return std::filesystem::symlink_status(path, ignored).type() != std::filesystem::file_type::not_found;
}

Result<std::string> read_text_file(const std::string& path, std::size_t most_bytes) {
  auto file = open_regular(path);
  if (!file) return tl::unexpected(file.error());
  if (file->size > most_bytes) {
    return input_error(fmt::format("{} has {} bytes, more than the {} that such a file may have.", in_quotes(path),
                                   file->size, most_bytes));
  }
  std::string text(file->size, '\0');
  std::size_t got = 0;
  while (got < text.size()) {
    const ssize_t n = ::read(file->fd, text.data() + got, text.size() - got);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return system_error(fmt::format("Cannot read {}: {}.", in_quotes(path), std::strerror(errno)));
    if (n == 0) break;
    got += static_cast<std::size_t>(n);
  }
  text.resize(got);
  return text;
}

}  // namespace engine
