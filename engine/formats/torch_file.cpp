#include "engine/formats/torch_file.h"

#include "engine/base/quote.h"
#include "engine/formats/mapped_file.h"
#include "engine/formats/pickle.h"
#include "engine/formats/pickle_globals.h"
#include "engine/formats/zip_archive.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <optional>
#include <utility>

namespace engine {

namespace {

constexpr std::uint64_t most_copied = std::uint64_t{2} << 30U;  // bytes of tensors put in order
constexpr std::string_view pickle_name = "/data.pkl";
// The pickled number that torch.save put first before PyTorch 1.6: PROTO 2, LONG1 of ten bytes.
constexpr std::string_view legacy_start("\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19", 14);

std::string_view text_of(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

bool starts_with(std::span<const std::byte> file, std::string_view start) {
  return text_of(file).substr(0, start.size()) == start;
}

// What keeps tensors alive: copies of those that were out of order, and the mapped file.
struct Backing {
  std::shared_ptr<const MappedFile> file;
  std::vector<std::unique_ptr<std::byte[]>> copies;
};

// How a tensor's elements lie in its storage.
struct Extent {
  std::uint64_t count = 1;  // elements of the tensor
  std::uint64_t last = 0;   // index of the furthest one, from the offset
  bool in_order = true;     // row-major and without gaps
};

// False: a size or a place that does not fit 64 bits.
bool measure(const PickledTensor& tensor, Extent& out) {
  for (std::size_t i = tensor.shape.size(); i-- > 0;) {
    const auto size = static_cast<std::uint64_t>(tensor.shape[i]);
    const auto stride = static_cast<std::uint64_t>(tensor.strides[i]);
    if (size == 0) {
      out = {0, 0, true};
      return true;
    }
    if (size == 1) continue;  // its stride has no meaning
    out.in_order = out.in_order && stride == out.count;
    std::uint64_t reach = 0;
    if (__builtin_mul_overflow(size - 1, stride, &reach) || __builtin_add_overflow(out.last, reach, &out.last) ||
        __builtin_mul_overflow(out.count, size, &out.count)) {
      return false;
    }
  }
  return true;
}

// Row-major copy of a view; `from` is its first element. Every element was found to lie within the storage.
void copy_in_order(const PickledTensor& tensor, const std::byte* from, std::size_t element, std::byte* to) {
  const std::size_t rank = tensor.shape.size();
  std::vector<std::int64_t> at(rank, 0);
  while (true) {
    std::uint64_t place = 0;
    for (std::size_t i = 0; i < rank; ++i) place += static_cast<std::uint64_t>(at[i] * tensor.strides[i]);
    std::memcpy(to, from + place * element, element);
    to += element;
    std::size_t i = rank;
    while (i > 0 && ++at[i - 1] == tensor.shape[i - 1]) at[--i] = 0;
    if (i == 0) return;
  }
}

class Views {
 public:
  Views(const ZipArchive& archive, std::string folder, std::uint64_t file_bytes)
      : archive_(archive), folder_(std::move(folder)), bytes_left_to_copy_(std::min(file_bytes, most_copied)) {}

  std::vector<std::unique_ptr<std::byte[]>> copies;

  // What is wrong with the tensor, or empty.
  std::string add(PickledTensor&& tensor, std::vector<Tensor>& out) {
    const PickledStorage& storage = tensor.storage;
    const std::size_t element = size_of(storage.type);
    const ZipEntry* entry = archive_.find(folder_ + "/data/" + std::string(storage.key));
    if (entry == nullptr) return fmt::format("needs the storage {}, which the archive lacks", in_quotes(storage.key));
    std::uint64_t bytes = 0;
    if (__builtin_mul_overflow(storage.elements, element, &bytes) || bytes != entry->bytes.size()) {
      return fmt::format("needs a storage of {} elements of {}, and {} has {} bytes", storage.elements,
                         name_of(storage.type), in_quotes(entry->name), entry->bytes.size());
    }
    Extent extent;
    std::uint64_t end = 0;
    if (!measure(tensor, extent) || __builtin_add_overflow(tensor.offset, extent.last, &end)) {
      return fmt::format("has the shape {}, whose size overflows", engine::text_of(tensor.shape));
    }
    if (extent.count > 0 && end >= storage.elements) {
      return fmt::format("has the shape {} and reaches element {} of a storage of {}", engine::text_of(tensor.shape),
                         end, storage.elements);
    }
    std::span<const std::byte> view;
    if (extent.count > 0 && extent.in_order) {
      view = entry->bytes.subspan(tensor.offset * element, extent.count * element);
    } else if (extent.count > 0) {
      if (extent.count > bytes_left_to_copy_ / element) {
        return fmt::format(
            "is out of order in its storage, and putting such tensors in order takes more bytes than the file has or "
            "than the {} that are copied at most; call contiguous() on it",
            most_copied);
      }
      view = put_in_order(tensor, entry->bytes.data() + tensor.offset * element, extent.count * element, element);
    }
    out.push_back({std::move(tensor.name), storage.type, std::move(tensor.shape), view});
    return {};
  }

 private:
  std::span<const std::byte> put_in_order(const PickledTensor& tensor, const std::byte* from, std::size_t bytes,
                                          std::size_t element) {
    bytes_left_to_copy_ -= bytes;
    copies.emplace_back(new std::byte[bytes]);
    copy_in_order(tensor, from, element, copies.back().get());
    return {copies.back().get(), bytes};
  }

  const ZipArchive& archive_;
  std::string folder_;
  std::uint64_t bytes_left_to_copy_;
};

// The archive's only folder at the top that holds a data.pkl; what is wrong goes to `wrong`.
std::string find_folder(const ZipArchive& archive, std::string& wrong) {
  std::string folder;
  for (const ZipEntry& entry : archive.entries) {
    const std::size_t slash = entry.name.find('/');
    if (slash == std::string::npos || slash == 0 || std::string_view(entry.name).substr(slash) != pickle_name) continue;
    if (!folder.empty()) wrong = "holds two files data.pkl";
    folder = entry.name.substr(0, slash);
  }
  if (folder.empty()) wrong = "is a zip archive without a data.pkl, so torch.save did not write it";
  return folder;
}

std::string check_byte_order(const ZipArchive& archive, const std::string& folder) {
  const ZipEntry* entry = archive.find(folder + "/byteorder");
  if (entry == nullptr || text_of(entry->bytes) == "little") return {};  // absent before PyTorch 2.1
  return fmt::format("was written in the byte order {}; only 'little' is read", in_quotes(text_of(entry->bytes)));
}

std::string read_tensors(const ZipArchive& archive, const std::string& where, std::uint64_t file_bytes, TensorFile& out,
                         Backing& backing, std::optional<Error>& inner) {
  std::string wrong;
  const std::string folder = find_folder(archive, wrong);
  if (wrong.empty()) wrong = check_byte_order(archive, folder);
  if (!wrong.empty()) return wrong;
  auto pickled = parse_state_dict(archive.find(folder + std::string(pickle_name))->bytes, where);
  if (!pickled) {
    inner = pickled.error();
    return {};
  }
  Views views(archive, folder, file_bytes);
  for (PickledTensor& tensor : *pickled) {
    const std::string name = in_quotes(tensor.name);
    wrong = views.add(std::move(tensor), out.tensors);
    if (!wrong.empty()) return fmt::format("cannot be used: its tensor {} {}", name, wrong);
  }
  backing.copies = std::move(views.copies);
  return {};
}

// Neither an archive nor the old format. What a pickle would run is named, so that its sender can be asked.
tl::unexpected<Error> refuse_other(std::span<const std::byte> file, const std::string& name) {
  const std::string foreign = first_foreign_global(file.first(std::min(file.size(), longest_pickle)));
  const std::string asks =
      foreign.empty()
          ? ""
          : fmt::format(" It asks for the global {}, which is refused (nothing was run).", in_quotes(foreign));
  if (starts_with(file, "\x80") || !foreign.empty()) {
    return input_error(
        fmt::format("{} is a bare pickle, which can run anything when Python loads it.{} Give a state dict that "
                    "torch.save wrote (a "
                    "zip archive), or a safetensors file.",
                    name, asks));
  }
  return input_error(
      fmt::format("{} is no file of torch.save: it does not begin as a zip archive does. Fetch it again.", name));
}

Result<TensorFile> parse(std::span<const std::byte> file, const std::string& where,
                         const std::shared_ptr<Backing>& backing) {
  const std::string name = in_quotes(where);
  constexpr const char* remedy =
      "Load it in Python with torch.load(..., weights_only=True) and save its state dict with torch.save, PyTorch 1.6 "
      "or newer.";
  if (starts_with(file, legacy_start)) {
    return input_error(fmt::format(
        "{} is in the format that torch.save wrote before PyTorch 1.6, which is not read. {}", name, remedy));
  }
  if (!starts_with(file, "PK")) return refuse_other(file, name);
  auto archive = parse_zip(file, where);
  if (!archive) return tl::unexpected(archive.error());
  TensorFile out;
  std::optional<Error> inner;
  const std::string wrong = read_tensors(*archive, where, file.size(), out, *backing, inner);
  if (inner) return tl::unexpected(*inner);
  if (!wrong.empty()) {
    return input_error(fmt::format("{} {}. Save the model's state_dict() with torch.save.", name, wrong));
  }
  out.backing = backing;
  out.file_bytes = file.size();
  return out;
}

}  // namespace

bool looks_like_torch(std::span<const std::byte> file) {
  return starts_with(file, "PK\3\4") || starts_with(file, "PK\5\6") || starts_with(file, "\x80\x02") ||
         starts_with(file, "\x80\x03") || starts_with(file, "\x80\x04") || starts_with(file, "\x80\x05");
}

Result<TensorFile> parse_torch_file(std::span<const std::byte> file, const std::string& where) {
  return parse(file, where, std::make_shared<Backing>());
}

Result<TensorFile> read_torch_file(const std::string& path) {
  auto mapped = MappedFile::open(path);
  if (!mapped) return tl::unexpected(mapped.error());
  auto backing = std::make_shared<Backing>();
  backing->file = std::make_shared<const MappedFile>(std::move(*mapped));
  auto parsed = parse(backing->file->bytes(), path, backing);
  if (auto whole = backing->file->check(); !whole) return tl::unexpected(whole.error());
  if (parsed) parsed->files = {backing->file};
  return parsed;
}

}  // namespace engine
