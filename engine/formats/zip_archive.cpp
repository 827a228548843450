#include "engine/formats/zip_archive.h"

#include "engine/base/quote.h"

#include <fmt/format.h>
#include <zip.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <utility>

namespace engine {

namespace {

constexpr std::uint64_t most_entries = 10'000;  // names that collide cost the library their square
constexpr std::uint64_t longest_directory = std::uint64_t{64} << 20U;
constexpr std::size_t longest_name = 1024;
constexpr std::size_t end_record_bytes = 22, local_header_bytes = 30;
constexpr const char* remedy = "Fetch the file again, or save it anew with torch.save.";

template <class T>
T number_at(std::span<const std::byte> file, std::uint64_t at) {
  T value;
  std::memcpy(&value, file.data() + at, sizeof(T));
  return value;
}

bool has_signature(std::span<const std::byte> file, std::uint64_t at, const char (&signature)[5]) {
  return at <= file.size() && file.size() - at >= 4 && std::memcmp(file.data() + at, signature, 4) == 0;
}

// libzip looks for an end record in the last 64 KiB and reads the directory of each that it finds. One is enough, at the
// very end, and with bounded counts: what follows then costs little, whatever the file. What is wrong, or empty.
std::string check_end(std::span<const std::byte> file, std::uint64_t& entries) {
  constexpr std::size_t searched = 66'000;
  if (file.size() < end_record_bytes) return fmt::format("has {} bytes, too few for a zip archive", file.size());
  const std::size_t end = file.size() - end_record_bytes;
  if (!has_signature(file, end, "PK\5\6") || number_at<std::uint16_t>(file, end + 20) != 0) {
    return "does not end with a zip directory: it is truncated, or something is appended";
  }
  const std::string_view tail(
      reinterpret_cast<const char*>(file.data()) + (file.size() > searched ? file.size() - searched : 0),
      std::min(file.size(), searched));
  if (tail.find("PK\5\6") != tail.size() - end_record_bytes) return "ends with more than one zip directory";
  entries = number_at<std::uint16_t>(file, end + 10);
  std::uint64_t bytes = number_at<std::uint32_t>(file, end + 12);
  constexpr std::size_t locator_bytes = 20, record_bytes = 56;
  if (end >= locator_bytes && has_signature(file, end - locator_bytes, "PK\6\7")) {
    const auto record = number_at<std::uint64_t>(file, end - locator_bytes + 8);
    if (!has_signature(file, record, "PK\6\6") || file.size() - record < record_bytes) {
      return "has a zip64 locator that leads nowhere";
    }
    entries = number_at<std::uint64_t>(file, record + 32);
    bytes = number_at<std::uint64_t>(file, record + 40);
  }
  if (entries > most_entries || bytes > longest_directory) {
    return fmt::format("has a directory of {} entries in {} bytes; at most {} in {} are read", entries, bytes,
                       most_entries, longest_directory);
  }
  return {};
}

// What libzip reads from, and a note of where it did: the only way to learn from it where an entry's bytes lie.
struct Source {
  std::span<const std::byte> bytes;
  std::uint64_t position = 0;
  bool sought = false;
  std::uint64_t first_seek = 0, last_read = 0;
  zip_error_t error = {};

  static zip_int64_t call(void* self, void* data, zip_uint64_t size, zip_source_cmd_t command) {
    return static_cast<Source*>(self)->run(data, size, command);
  }
  zip_int64_t run(void* data, zip_uint64_t size, zip_source_cmd_t command) {
    switch (command) {
      case ZIP_SOURCE_SUPPORTS:
        return zip_source_make_command_bitmap(ZIP_SOURCE_OPEN, ZIP_SOURCE_READ, ZIP_SOURCE_CLOSE, ZIP_SOURCE_STAT,
                                              ZIP_SOURCE_ERROR, ZIP_SOURCE_FREE, ZIP_SOURCE_SEEK, ZIP_SOURCE_TELL,
                                              ZIP_SOURCE_SUPPORTS, -1);
      case ZIP_SOURCE_OPEN:
        position = 0;
        return 0;
      case ZIP_SOURCE_READ: {
        const std::uint64_t got = std::min<std::uint64_t>(size, bytes.size() - position);
        if (got > 0) std::memcpy(data, bytes.data() + position, got);
        last_read = position;
        position += got;
        return static_cast<zip_int64_t>(got);
      }
      case ZIP_SOURCE_SEEK: {
        const zip_int64_t to = zip_source_seek_compute_offset(position, bytes.size(), data, size, &error);
        if (to < 0) return -1;
        position = static_cast<std::uint64_t>(to);
        if (!sought) first_seek = position;
        sought = true;
        return 0;
      }
      case ZIP_SOURCE_TELL:
        return static_cast<zip_int64_t>(position);
      case ZIP_SOURCE_STAT: {
        auto* stat = static_cast<zip_stat_t*>(data);
        zip_stat_init(stat);
        stat->size = bytes.size();
        stat->valid |= ZIP_STAT_SIZE;
        return sizeof(zip_stat_t);
      }
      case ZIP_SOURCE_ERROR:
        return zip_error_to_data(&error, data, size);
      case ZIP_SOURCE_CLOSE:
      case ZIP_SOURCE_FREE:
        return 0;
      default:
        zip_error_set(&error, ZIP_ER_OPNOTSUPP, 0);
        return -1;
    }
  }
};

struct Discard {
  void operator()(zip_t* archive) const { zip_discard(archive); }
  void operator()(zip_file_t* file) const { zip_fclose(file); }
};

std::string text_of(zip_error_t& error) {
  switch (zip_error_code_zip(&error)) {
    case ZIP_ER_NOZIP:
    case ZIP_ER_INCONS:
      return "has a directory that contradicts its entries";
    case ZIP_ER_EXISTS:
      return "holds an entry twice";
    case ZIP_ER_MULTIDISK:
      return "is one part of an archive in several";
    case ZIP_ER_EOF:
    case ZIP_ER_READ:
    case ZIP_ER_SEEK:
      return "is truncated";
    default:
      return fmt::format("cannot be read: {}", zip_error_strerror(&error));
  }
}

std::string check_name(std::string_view name) {
  if (name.empty()) return "has no name";
  if (name.size() > longest_name) return fmt::format("has a name of {} bytes", name.size());
  if (name.front() == '/' || name.find('\\') != std::string_view::npos || name.find('\0') != std::string_view::npos ||
      (name.size() > 1 && name[1] == ':')) {
    return "has a name that is no plain relative path";
  }
  for (std::size_t at = 0; at <= name.size();) {
    const std::size_t slash = std::min(name.find('/', at), name.size());
    if (name.substr(at, slash - at) == "..") return "has a name that leads out of its folder";
    at = slash + 1;
  }
  return {};
}

struct Placed {
  ZipEntry entry;
  std::uint64_t begin = 0, end = 0;  // with the local header; both 0 for an entry without bytes
};

class Reader {
 public:
  Reader(Source& source, zip_t* archive) : source_(source), archive_(archive) {}

  // What is wrong with the entry, or empty.
  std::string read(std::uint64_t index, Placed& out) {
    zip_stat_t stat;
    if (zip_stat_index(archive_, index, 0, &stat) != 0) return text_of(*zip_get_error(archive_));
    const char* name = zip_get_name(archive_, index, ZIP_FL_ENC_RAW);
    out.entry.name = name == nullptr ? "" : name;
    if (std::string wrong = check_name(out.entry.name); !wrong.empty()) return wrong;
    if (stat.encryption_method != ZIP_EM_NONE) return "is encrypted, which torch.save never does";
    if (stat.comp_method != ZIP_CM_STORE) {
      return fmt::format("is compressed (method {}), which torch.save never does; {} bytes stand for {}",
                         stat.comp_method, stat.comp_size, stat.size);
    }
    if (stat.comp_size != stat.size) {
      return fmt::format("is stored and yet has {} bytes for {}", stat.comp_size, stat.size);
    }
    return stat.size == 0 ? "" : place(index, stat.size, out);
  }

 private:
  std::string place(std::uint64_t index, std::uint64_t size, Placed& out) {
    source_.sought = false;
    const std::unique_ptr<zip_file_t, Discard> file(zip_fopen_index(archive_, index, ZIP_FL_COMPRESSED));
    if (file == nullptr) return text_of(*zip_get_error(archive_));
    char first = 0;
    if (zip_fread(file.get(), &first, 1) != 1) return text_of(*zip_file_get_error(file.get()));
    out.begin = source_.first_seek;
    const std::uint64_t data = source_.last_read;
    // The library went to the local header, then to the bytes. Both are looked at again, whatever the library took.
    const std::span<const std::byte> bytes = source_.bytes;
    if (!source_.sought || out.begin > bytes.size() || bytes.size() - out.begin < local_header_bytes ||
        !has_signature(bytes, out.begin, "PK\3\4")) {
      return "has no local header";
    }
    const auto name_bytes = number_at<std::uint16_t>(bytes, out.begin + 26);
    const auto extra_bytes = number_at<std::uint16_t>(bytes, out.begin + 28);
    if (out.begin + local_header_bytes + name_bytes + extra_bytes != data || data > bytes.size() ||
        size > bytes.size() - data) {
      return "lies outside of the file";
    }
    const std::string_view local_name(reinterpret_cast<const char*>(bytes.data()) + out.begin + local_header_bytes,
                                      name_bytes);
    if (local_name != out.entry.name) return fmt::format("calls itself {} in its own header", in_quotes(local_name));
    out.end = data + size;
    out.entry.bytes = bytes.subspan(data, size);
    return {};
  }

  Source& source_;
  zip_t* archive_;
};

std::string check_overlaps(std::vector<Placed>& placed) {
  // Those without bytes refer to nothing and come first.
  std::sort(placed.begin(), placed.end(),
            [](const Placed& a, const Placed& b) { return std::pair(a.begin, a.end) < std::pair(b.begin, b.end); });
  for (std::size_t i = 1; i < placed.size(); ++i) {
    if (placed[i].begin < placed[i - 1].end) {
      return fmt::format("lets the entries {} and {} overlap", in_quotes(placed[i - 1].entry.name),
                         in_quotes(placed[i].entry.name));
    }
  }
  return {};
}

std::string check_twins(const std::vector<ZipEntry>& sorted) {
  for (std::size_t i = 1; i < sorted.size(); ++i) {
    if (sorted[i].name == sorted[i - 1].name) return fmt::format("holds the entry {} twice", in_quotes(sorted[i].name));
  }
  return {};
}

bool by_name(const ZipEntry& a, const ZipEntry& b) { return a.name < b.name; }

std::string read_entries(Source& source, zip_t* archive, std::uint64_t count, ZipArchive& out) {
  if (static_cast<std::uint64_t>(zip_get_num_entries(archive, 0)) != count) return "counts its entries in two ways";
  Reader reader(source, archive);
  std::vector<Placed> placed(count);
  for (std::uint64_t i = 0; i < count; ++i) {
    if (const std::string wrong = reader.read(i, placed[i]); !wrong.empty()) {
      return fmt::format("cannot be used: its entry {} {}", in_quotes(placed[i].entry.name), wrong);
    }
  }
  if (std::string wrong = check_overlaps(placed); !wrong.empty()) return wrong;
  out.entries.reserve(count);
  for (Placed& one : placed) out.entries.push_back(std::move(one.entry));
  std::sort(out.entries.begin(), out.entries.end(), by_name);
  return check_twins(out.entries);
}

}  // namespace

const ZipEntry* ZipArchive::find(std::string_view name) const {
  const auto at = std::lower_bound(entries.begin(), entries.end(), name,
                                   [](const ZipEntry& entry, std::string_view wanted) { return entry.name < wanted; });
  return at != entries.end() && at->name == name ? &*at : nullptr;
}

Result<ZipArchive> parse_zip(std::span<const std::byte> file, const std::string& where) {
  const auto refuse = [&](const std::string& wrong) {
    return input_error(fmt::format("The archive {} {}. {}", in_quotes(where), wrong, remedy));
  };
  std::uint64_t count = 0;
  if (const std::string wrong = check_end(file, count); !wrong.empty()) return refuse(wrong);
  Source source;  // outlives the archive, which reads from it
  source.bytes = file;
  zip_error_init(&source.error);
  zip_error_t error;
  zip_error_init(&error);
  zip_source_t* from = zip_source_function_create(&Source::call, &source, &error);
  if (from == nullptr) return system_error(fmt::format("Cannot open {}: out of memory.", in_quotes(where)));
  const std::unique_ptr<zip_t, Discard> archive(zip_open_from_source(from, ZIP_RDONLY | ZIP_CHECKCONS, &error));
  if (archive == nullptr) {
    zip_source_free(from);
    const std::string wrong = text_of(error);
    zip_error_fini(&error);
    return refuse(wrong);
  }
  // Its code is compressed, so it is told apart before the entries are looked at.
  for (const char* name : {"constants.pkl", "bytecode.pkl"}) {
    if (zip_name_locate(archive.get(), name, ZIP_FL_NODIR | ZIP_FL_ENC_RAW) < 0) continue;
    return input_error(
        fmt::format("The archive {} is a TorchScript program (it holds {}), made by torch.jit.save, and not a state "
                    "dict. Load it in Python with torch.jit.load and save its state_dict() with torch.save.",
                    in_quotes(where), name));
  }
  ZipArchive out;
  if (const std::string wrong = read_entries(source, archive.get(), count, out); !wrong.empty()) return refuse(wrong);
  return out;
}

}  // namespace engine
