// Whole numbers as columns of bytes: seven bits a byte, low ones first, the top bit set where more follow (LEB128); numbers
// with a sign are folded so that small ones stay small. Reading never leaves the bytes it was given.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace profiler {

class ColumnWriter {
 public:
  void put(std::uint64_t value) {
    for (; value >= 0x80; value >>= 7U) bytes_ += static_cast<char>((value & 0x7fU) | 0x80U);
    bytes_ += static_cast<char>(value);
  }
  void put_signed(std::int64_t value) {
    const auto bits = static_cast<std::uint64_t>(value);
    put(value < 0 ? ~(bits << 1U) : bits << 1U);
  }
  std::string take() { return std::move(bytes_); }

 private:
  std::string bytes_;
};

class ColumnReader {
 public:
  explicit ColumnReader(std::string_view bytes) : left_(bytes) {}

  // 0 after the end, and for a number that does not fit; then good() is false from there on.
  std::uint64_t get() {
    std::uint64_t value = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
      if (left_.empty()) break;
      const auto byte = static_cast<std::uint8_t>(left_.front());
      left_.remove_prefix(1);
      const std::uint64_t bits = byte & 0x7fU;
      if (shift == 63 && bits > 1) break;
      value |= bits << shift;
      if ((byte & 0x80U) == 0) return value;
    }
    good_ = false;
    left_ = {};
    return 0;
  }
  std::int64_t get_signed() {
    const std::uint64_t folded = get();
    return static_cast<std::int64_t>((folded & 1U) != 0 ? ~(folded >> 1U) : folded >> 1U);
  }
  std::size_t left() const { return left_.size(); }
  bool good() const { return good_; }

 private:
  std::string_view left_;
  bool good_ = true;
};

}  // namespace profiler
