#include "engine/recording/journal.h"

#include "engine/base/quote.h"
#include "engine/formats/json_text.h"
#include "engine/recording/digest.h"

#include <fmt/format.h>

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

namespace engine {

namespace {

constexpr char magic[] = {'M', 'S', 'C', 'O', 'P', 'E', 'J', '1'};
constexpr std::size_t head_bytes = sizeof(magic) + 16;
constexpr std::uint64_t longest_text = 100'000'000;  // as a safetensors header

std::uint64_t number_at(std::span<const std::byte> bytes, std::size_t at) {
  std::uint64_t value = 0;
  std::memcpy(&value, bytes.data() + at, sizeof(value));
  return value;
}

Result<Metadata> metadata_in(std::span<const std::byte> text) {
  const auto object = parse_json_object({reinterpret_cast<const char*>(text.data()), text.size()}, "its head");
  if (!object) return tl::unexpected(object.error());
  Metadata out;
  for (const auto& item : object->items()) {
    if (!item.value().is_string()) return input_error(fmt::format("its {} is not a text", in_quotes(item.key())));
    out[item.key()] = item.value().get<std::string>();
  }
  return out;
}

// Takes blocks as long as they are whole; the first that is not ends the recording.
void count_blocks(std::span<const std::byte> rest, Journal& out) {
  const std::span<const std::byte> all = rest;
  for (;;) {
    const std::size_t bytes = block_bytes(out.fields, out.tokens);
    if (rest.size() < block_head || rest.size() - block_head < bytes) break;
    if (number_at(rest, 0) != static_cast<std::uint64_t>(out.tokens) || number_at(rest, 8) != bytes ||
        number_at(rest, 16) != digest_of(rest.subspan(block_head, bytes)))
      break;
    rest = rest.subspan(block_head + bytes);
    ++out.tokens;
  }
  out.blocks = all.first(all.size() - rest.size());
  out.lost_bytes = rest.size();
}

}  // namespace

Result<JournalFile> JournalFile::create(const std::string& path) {
  const int descriptor = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0666);
  if (descriptor >= 0) {
    // Held as long as the file is written; a system whose files cannot be locked goes without.
    static_cast<void>(::flock(descriptor, LOCK_EX | LOCK_NB));
    return JournalFile(descriptor, path);
  }
  if (errno == EEXIST) {
    if (is_being_written(path))
      return input_error(
          fmt::format("{} is being written by another program now: record under another name, or wait "
                      "until that recording ends.",
                      in_quotes(path)));
    return input_error(
        fmt::format("{} is there already: a recording was cut off. Look at it with `mambascope "
                    "inspect`, keep it with `mambascope record --recover`, or remove it.",
                    in_quotes(path)));
  }
  return system_error(fmt::format("Cannot record to {}: {}. Choose a folder that exists and may be written.",
                                  in_quotes(path), std::strerror(errno)));
}

JournalFile::JournalFile(JournalFile&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)), path_(std::move(other.path_)), bytes_(other.bytes_) {}

JournalFile::~JournalFile() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

Result<void> JournalFile::append(std::span<const std::byte> bytes) {
  const std::uint64_t before = bytes_;
  while (!bytes.empty()) {
    const ssize_t written = ::write(descriptor_, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) {
      const std::string why = std::strerror(written < 0 ? errno : ENOSPC);
      if (::ftruncate(descriptor_, static_cast<off_t>(before)) == 0) bytes_ = before;
      return system_error(fmt::format("Cannot write {}: {}.", in_quotes(path_), why));
    }
    bytes = bytes.subspan(static_cast<std::size_t>(written));
    bytes_ += static_cast<std::uint64_t>(written);
  }
  return {};
}

Result<void> JournalFile::append_head(const RecordingInfo& info, const std::vector<Field>& fields,
                                      std::span<const float> mimo_x) {
  std::string text =
      nlohmann::json(metadata_of(info, fields)).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  text.resize((text.size() + 7) / 8 * 8, ' ');
  const std::uint64_t length = text.size(), digest = digest_of(std::as_bytes(std::span(text)));
  std::vector<std::byte> head(head_bytes + text.size() + mimo_x.size_bytes());
  std::memcpy(head.data(), magic, sizeof(magic));
  std::memcpy(head.data() + 8, &length, 8);
  std::memcpy(head.data() + 16, &digest, 8);
  std::memcpy(head.data() + head_bytes, text.data(), text.size());
  if (!mimo_x.empty()) std::memcpy(head.data() + head_bytes + text.size(), mimo_x.data(), mimo_x.size_bytes());
  return append(head);
}

Result<void> JournalFile::append_block(std::int64_t token, std::span<std::byte> block) {
  const auto number = static_cast<std::uint64_t>(token), bytes = static_cast<std::uint64_t>(block.size() - block_head);
  const std::uint64_t digest = digest_of(block.subspan(block_head));
  std::memcpy(block.data(), &number, 8);
  std::memcpy(block.data() + 8, &bytes, 8);
  std::memcpy(block.data() + 16, &digest, 8);
  return append(block);
}

bool is_being_written(const std::string& path) {
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) return false;
  const bool held = ::flock(descriptor, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK;
  ::close(descriptor);
  return held;
}

bool looks_like_journal(std::span<const std::byte> file) {
  return file.size() >= sizeof(magic) && std::memcmp(file.data(), magic, sizeof(magic)) == 0;
}

Result<Journal> parse_journal(std::span<const std::byte> file, const std::string& where) {
  if (!looks_like_journal(file)) return no_recording(where, "it does not begin as one does");
  if (file.size() < head_bytes) return no_recording(where, "it ends within its head");
  const std::uint64_t length = number_at(file, 8);
  if (length > longest_text || length > file.size() - head_bytes) return no_recording(where, "it ends within its head");
  const auto text = file.subspan(head_bytes, length);
  if (digest_of(text) != number_at(file, 16)) return no_recording(where, "its head was changed or only half written");
  auto metadata = metadata_in(text);
  if (!metadata) return no_recording(where, metadata.error().message);
  auto info = info_of(*metadata);
  if (!info) return no_recording(where, info.error().message);
  Journal out;
  out.metadata = std::move(*metadata);
  out.info = std::move(*info);
  out.fields = fields_of(out.info);
  std::span<const std::byte> rest = file.subspan(head_bytes + length);
  std::uint64_t mimo_bytes = sizeof(float);
  for (const std::int64_t size : mimo_shape(out.info)) mimo_bytes *= static_cast<std::uint64_t>(size);
  if (mimo_bytes > rest.size()) return no_recording(where, "it ends before its first token");
  out.mimo_x = rest.first(mimo_bytes);
  count_blocks(rest.subspan(mimo_bytes), out);
  if (out.tokens == 0) return no_recording(where, "it ends before its first token is complete");
  return out;
}

}  // namespace engine
