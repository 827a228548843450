#include "engine/formats/safetensors.h"

#include "engine/base/quote.h"
#include "engine/formats/mapped_file.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstring>
#include <limits>
#include <utility>

namespace engine {

namespace {

using nlohmann::json;

constexpr std::uint64_t longest_header = 100'000'000;
constexpr std::size_t most_dimensions = 16;

struct Entry {
  Tensor tensor;
  std::uint64_t begin = 0, end = 0;
};

// Takes the header's JSON as a stream of events, so that a hostile header costs no more memory than its own length.
// Returns false with `error` set at the first event that does not fit the format.
class HeaderEvents : public nlohmann::json_sax<json> {
 public:
  std::vector<Entry> entries;
  std::map<std::string, std::string> metadata;
  std::string error;

  bool start_object(std::size_t /*elements*/) override {
    switch (place_) {
      case Place::start:
        place_ = Place::top;
        return true;
      case Place::top_value:
        place_ = in_metadata_ ? Place::metadata : Place::tensor;
        return true;
      default:
        return refuse("an object");
    }
  }
  bool key(string_t& name) override {
    if (place_ == Place::top) {
      in_metadata_ = name == "__metadata__";
      if (in_metadata_) {
        if (has_metadata_) return fail("has the key '__metadata__' twice");
        has_metadata_ = true;
      } else {
        entries.emplace_back();
        entries.back().tensor.name = name;
        has_type_ = has_shape_ = has_offsets_ = false;
      }
      place_ = Place::top_value;
      return true;
    }
    if (place_ == Place::metadata) {
      if (metadata.count(name) != 0) return fail(fmt::format("has the metadata key {} twice", in_quotes(name)));
      metadata_key_ = name;
      place_ = Place::metadata_value;
      return true;
    }
    if (name == "dtype") return enter(has_type_, Place::type, name);
    if (name == "shape") return enter(has_shape_, Place::shape_value, name);
    if (name == "data_offsets") return enter(has_offsets_, Place::offsets_value, name);
    return fail(fmt::format("has the unknown key {} in tensor {}", in_quotes(name), current_name()));
  }
  bool end_object() override {
    if (place_ == Place::tensor) {
      const char* missing = !has_type_ ? "dtype" : !has_shape_ ? "shape" : !has_offsets_ ? "data_offsets" : nullptr;
      if (missing != nullptr) return fail(fmt::format("has no '{}' for tensor {}", missing, current_name()));
    }
    place_ = place_ == Place::top ? Place::done : Place::top;
    return true;
  }
  bool start_array(std::size_t /*elements*/) override {
    if (place_ == Place::shape_value) {
      place_ = Place::shape;
      return true;
    }
    if (place_ == Place::offsets_value) {
      place_ = Place::offsets;
      offsets_ = 0;
      return true;
    }
    return refuse("an array");
  }
  bool end_array() override {
    if (place_ == Place::offsets && offsets_ != 2) {
      return fail(fmt::format("needs exactly two data_offsets for tensor {}", current_name()));
    }
    place_ = Place::tensor;
    return true;
  }
  bool string(string_t& value) override {
    if (place_ == Place::type) {
      const auto type = tensor_type_named(value);
      if (!type) {
        return fail(fmt::format("gives tensor {} the unknown dtype {}", current_name(), in_quotes(value)));
      }
      entries.back().tensor.type = *type;
      place_ = Place::tensor;
      return true;
    }
    if (place_ == Place::metadata_value) {
      metadata[metadata_key_] = value;
      place_ = Place::metadata;
      return true;
    }
    return refuse("a string");
  }
  bool number_unsigned(number_unsigned_t value) override {
    if (place_ == Place::shape) {
      auto& shape = entries.back().tensor.shape;
      if (shape.size() == most_dimensions) {
        return fail(fmt::format("gives tensor {} more than {} dimensions", current_name(), most_dimensions));
      }
      if (value > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) {
        return fail(fmt::format("gives tensor {} the dimension {}", current_name(), value));
      }
      shape.push_back(static_cast<std::int64_t>(value));
      return true;
    }
    if (place_ == Place::offsets) {
      if (offsets_ == 2) return fail(fmt::format("needs exactly two data_offsets for tensor {}", current_name()));
      (offsets_++ == 0 ? entries.back().begin : entries.back().end) = value;
      return true;
    }
    return refuse("a number");
  }
  bool number_integer(number_integer_t value) override { return refuse(fmt::format("the negative number {}", value)); }
  bool number_float(number_float_t /*value*/, const string_t& text) override {
    return refuse("the number " + in_quotes(text) + ", which is not a 64-bit integer,");
  }
  bool boolean(bool /*value*/) override { return refuse("a boolean"); }
  bool null() override { return refuse("null"); }
  bool binary(binary_t& /*value*/) override { return refuse("binary data"); }
  bool parse_error(std::size_t position, const std::string& /*token*/, const json::exception& /*what*/) override {
    return fail(fmt::format("is not valid JSON at its byte {}", position));
  }

 private:
  enum class Place {
    start,
    top,
    top_value,
    metadata,
    metadata_value,
    tensor,
    type,
    shape_value,
    shape,
    offsets_value,
    offsets,
    done
  };

  std::string current_name() const { return in_quotes(entries.back().tensor.name); }
  bool fail(std::string message) {
    error = std::move(message);
    return false;
  }
  bool refuse(const std::string& what) {
    switch (place_) {
      case Place::start:
      case Place::top:
      case Place::done:
        return fail("holds " + what + " where the table of tensors belongs");
      case Place::metadata:
      case Place::metadata_value:
        return fail("holds " + what + " in '__metadata__', which maps strings to strings");
      default:
        if (in_metadata_) return fail("holds " + what + " where '__metadata__' needs an object");
        return fail(fmt::format("holds {} where it does not belong, in tensor {}", what, current_name()));
    }
  }
  bool enter(bool& seen, Place place, const std::string& name) {
    if (seen) return fail(fmt::format("has the key {} twice in tensor {}", in_quotes(name), current_name()));
    seen = true;
    place_ = place;
    return true;
  }

  Place place_ = Place::start;
  bool in_metadata_ = false, has_metadata_ = false;
  bool has_type_ = false, has_shape_ = false, has_offsets_ = false;
  int offsets_ = 0;
  std::string metadata_key_;
};

std::string check_names(std::vector<Entry>& entries) {
  std::sort(entries.begin(), entries.end(),
            [](const Entry& a, const Entry& b) { return a.tensor.name < b.tensor.name; });
  for (std::size_t i = 1; i < entries.size(); ++i) {
    if (entries[i].tensor.name == entries[i - 1].tensor.name) {
      return fmt::format("has the tensor {} twice", in_quotes(entries[i].tensor.name));
    }
  }
  return {};
}

// What is wrong with a tensor's shape and place, or empty.
std::string check_entry(const Entry& entry, std::uint64_t buffer) {
  const std::string name = in_quotes(entry.tensor.name);
  std::uint64_t bytes = size_of(entry.tensor.type);
  bool overflow = false;
  bool empty = false;
  for (const std::int64_t size : entry.tensor.shape) {
    if (size == 0) empty = true;
    if (!empty) overflow = overflow || __builtin_mul_overflow(bytes, static_cast<std::uint64_t>(size), &bytes);
  }
  if (empty) bytes = 0;
  if (overflow && !empty) {
    return fmt::format("gives tensor {} the shape {}, whose size overflows", name, text_of(entry.tensor.shape));
  }
  if (entry.begin > entry.end) {
    return fmt::format("lets tensor {} begin at {} after its end {}", name, entry.begin, entry.end);
  }
  if (entry.end > buffer) {
    return fmt::format("lets tensor {} end at byte {} of {}: the file is truncated or the header wrong", name,
                       entry.end, buffer);
  }
  if (entry.end - entry.begin != bytes) {
    return fmt::format("gives tensor {} {} bytes; its type {} and shape {} need {}", name, entry.end - entry.begin,
                       name_of(entry.tensor.type), text_of(entry.tensor.shape), bytes);
  }
  return {};
}

// The format wants the buffer covered exactly once. What is wrong, or empty; leaves the entries sorted by place.
std::string check_coverage(std::vector<Entry>& entries, std::uint64_t buffer) {
  std::sort(entries.begin(), entries.end(),
            [](const Entry& a, const Entry& b) { return std::pair(a.begin, a.end) < std::pair(b.begin, b.end); });
  std::uint64_t covered = 0;
  for (std::size_t i = 0; i < entries.size(); ++i) {
    const Entry& entry = entries[i];
    if (entry.begin < covered) {
      return fmt::format("lets tensors {} and {} overlap at byte {}", in_quotes(entries[i - 1].tensor.name),
                         in_quotes(entry.tensor.name), entry.begin);
    }
    if (entry.begin > covered) {
      return fmt::format("leaves a hole of {} bytes before tensor {}", entry.begin - covered,
                         in_quotes(entry.tensor.name));
    }
    covered = entry.end;
  }
  if (covered != buffer) return fmt::format("leaves {} bytes after the last tensor", buffer - covered);
  return {};
}

Result<TensorFile> parse(std::span<const std::byte> file, const std::string& where, bool may_be_cut) {
  const char* const remedy = may_be_cut ? "Fetch or record the file again." : "Fetch or convert the file again.";
  const std::string name = in_quotes(where);
  std::uint64_t length = 0;
  if (file.size() < sizeof(length)) {
    return input_error(fmt::format("{} has {} bytes, too few for a safetensors file. {}", name, file.size(), remedy));
  }
  std::memcpy(&length, file.data(), sizeof(length));
  if (length > longest_header) {
    return input_error(fmt::format(
        "{} asks for a header of {} bytes; a safetensors header has at most {}. Is it a safetensors file at all? {}",
        name, length, longest_header, remedy));
  }
  if (length > file.size() - sizeof(length)) {
    return input_error(fmt::format("{} asks for a header of {} bytes, but only {} follow: it is truncated. {}", name,
                                   length, file.size() - sizeof(length), remedy));
  }
  const auto* text = reinterpret_cast<const char*>(file.data()) + sizeof(length);
  const std::span<const std::byte> buffer = file.subspan(sizeof(length) + length);
  HeaderEvents events;
  json::sax_parse(text, text + length, &events);
  std::string wrong = events.error;
  if (wrong.empty()) wrong = check_names(events.entries);
  std::uint64_t whole = buffer.size();
  for (const Entry& entry : events.entries) {
    if (may_be_cut) whole = std::max(whole, entry.end);
  }
  for (std::size_t i = 0; wrong.empty() && i < events.entries.size(); ++i) {
    wrong = check_entry(events.entries[i], whole);
  }
  if (wrong.empty()) wrong = check_coverage(events.entries, whole);

  TensorFile out;
  if (wrong.empty()) {
    out.tensors.reserve(events.entries.size());
    for (Entry& entry : events.entries) {
      out.tensors.push_back(std::move(entry.tensor));
      const std::uint64_t begin = std::min<std::uint64_t>(entry.begin, buffer.size());
      out.tensors.back().bytes = buffer.subspan(begin, std::min(entry.end - entry.begin, buffer.size() - begin));
    }
    std::sort(out.tensors.begin(), out.tensors.end(), [](const Tensor& a, const Tensor& b) { return a.name < b.name; });
  }
  if (!wrong.empty()) return input_error(fmt::format("The header of {} {}. {}", name, wrong, remedy));
  out.metadata = std::move(events.metadata);
  out.file_bytes = file.size();
  return out;
}

}  // namespace

Result<TensorFile> parse_safetensors(std::span<const std::byte> file, const std::string& where) {
  return parse(file, where, false);
}

Result<TensorFile> parse_cut_safetensors(std::span<const std::byte> file, const std::string& where) {
  return parse(file, where, true);
}

Result<TensorFile> read_safetensors(const std::string& path) {
  auto mapped = MappedFile::open(path);
  if (!mapped) return tl::unexpected(mapped.error());
  auto file = std::make_shared<const MappedFile>(std::move(*mapped));
  auto parsed = parse_safetensors(file->bytes(), path);
  if (auto whole = file->check(); !whole) return tl::unexpected(whole.error());
  if (!parsed) return parsed;
  parsed->backing = file;
  parsed->files = {std::move(file)};
  return parsed;
}

}  // namespace engine
