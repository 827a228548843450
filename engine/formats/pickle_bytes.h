// Bytes of a pickle, taken from front to back and never beyond their end.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>

namespace engine {

struct PickleBytes {
  std::span<const std::byte> bytes;
  std::size_t at = 0;  // of the next one

  std::size_t left() const { return bytes.size() - at; }

  // Each is false, and takes nothing, where too little is left.
  template <class T>
  bool number(T& out) {  // little-endian
    if (left() < sizeof(T)) return false;
    std::memcpy(&out, bytes.data() + at, sizeof(T));
    at += sizeof(T);
    return true;
  }
  bool text(std::uint64_t size, std::string_view& out) {
    if (left() < size) return false;
    out = {reinterpret_cast<const char*>(bytes.data()) + at, static_cast<std::size_t>(size)};
    at += size;
    return true;
  }
  // Up to a line feed, which is taken, too, and not handed out.
  bool line(std::string_view& out) {
    const std::string_view rest(reinterpret_cast<const char*>(bytes.data()) + at, left());
    const std::size_t end = rest.find('\n');
    if (end == std::string_view::npos) return false;
    out = rest.substr(0, end);
    at += end + 1;
    return true;
  }
};

}  // namespace engine
