#include "tests/support/zip_writer.h"

namespace tests {

namespace {

std::uint32_t crc32(const std::string& bytes) {
  std::uint32_t crc = ~0U;
  for (const char c : bytes) {
    crc ^= static_cast<std::uint8_t>(c);
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1U) ^ ((crc & 1U) != 0 ? 0xEDB88320U : 0U);
  }
  return ~crc;
}

void put(std::string& out, std::uint64_t value, int bytes) {
  for (int i = 0; i < bytes; ++i)
    out += static_cast<char>(static_cast<std::uint8_t>(value >> (8U * static_cast<unsigned>(i))));
}

// Version needed, flags, method, time, date, checksum, sizes: the part that both headers share.
void put_common(std::string& out, const ZipPart& part, bool sizes_elsewhere) {
  put(out, part.zip64 ? 45 : 20, 2);
  put(out, part.flags, 2);
  put(out, part.method, 2);
  put(out, 0, 4);
  put(out, crc32(part.bytes) ^ (part.right_checksum ? 0U : 1U), 4);
  put(out, sizes_elsewhere ? 0xFFFFFFFFU : part.packed_size, 4);
  put(out, sizes_elsewhere ? 0xFFFFFFFFU : part.size, 4);
}

void put_local(std::string& out, const ZipPart& part) {
  out += "PK\3\4";
  put_common(out, part, false);
  const std::size_t header_end = out.size() + 4 + part.local_name.size();
  std::size_t padding = (part.alignment - header_end % part.alignment) % part.alignment;
  while (padding > 0 && padding < 4) padding += part.alignment;
  put(out, part.local_name.size(), 2);
  put(out, padding, 2);
  out += part.local_name;
  if (padding > 0) {
    put(out, 0x4246, 2);  // "FB", an identifier that nobody reads
    put(out, padding - 4, 2);
    out.append(padding - 4, 'Z');
  }
  out += part.bytes;
}

void put_central(std::string& out, const ZipPart& part, std::uint64_t offset) {
  out += "PK\1\2";
  put(out, 20, 2);
  put_common(out, part, part.zip64);
  put(out, part.name.size(), 2);
  put(out, part.zip64 ? 28 : 0, 2);
  put(out, 0, 2);  // comment
  put(out, 0, 8);  // disk and attributes
  put(out, part.zip64 ? 0xFFFFFFFFU : offset, 4);
  out += part.name;
  if (part.zip64) {
    put(out, 1, 2);
    put(out, 24, 2);
    put(out, part.size, 8);
    put(out, part.packed_size, 8);
    put(out, offset, 8);
  }
}

}  // namespace

std::string write_zip(const std::vector<ZipPart>& parts, const ZipEnd& end) {
  std::string out;
  std::vector<std::uint64_t> offsets;
  for (const ZipPart& part : parts) {
    offsets.push_back(part.offset < 0 ? out.size() : static_cast<std::uint64_t>(part.offset));
    put_local(out, part);
  }
  const std::uint64_t directory = out.size();
  for (std::size_t i = 0; i < parts.size(); ++i) put_central(out, parts[i], offsets[i]);
  const std::uint64_t directory_bytes = out.size() - directory;
  const std::uint64_t entries = end.entries < 0 ? parts.size() : static_cast<std::uint64_t>(end.entries);
  if (end.zip64) {
    const std::uint64_t record = out.size();
    out += "PK\6\6";
    put(out, 44, 8);
    put(out, 45, 2);
    put(out, 45, 2);
    put(out, end.disk, 4);
    put(out, end.first_disk, 4);
    put(out, entries, 8);
    put(out, entries, 8);
    put(out, directory_bytes, 8);
    put(out, directory, 8);
    out += "PK\6\7";
    put(out, 0, 4);
    put(out, record, 8);
    put(out, 1, 4);
  }
  out += "PK\5\6";
  put(out, end.disk, 2);
  put(out, end.first_disk, 2);
  put(out, end.zip64 ? 0xFFFFU : entries, 2);
  put(out, end.zip64 ? 0xFFFFU : entries, 2);
  put(out, end.zip64 ? 0xFFFFFFFFU : directory_bytes, 4);
  put(out, end.zip64 ? 0xFFFFFFFFU : directory, 4);
  put(out, end.comment.size(), 2);
  return out + end.comment;
}

}  // namespace tests
