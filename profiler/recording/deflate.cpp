#include "profiler/recording/deflate.h"

#include <zlib.h>

#include <algorithm>
#include <array>
#include <new>

namespace profiler {

namespace {

constexpr std::size_t most_at_once = std::size_t{1} << 20;  // zlib counts in 32 bits

// zlib's state, freed on every way out.
struct Unpacker {
  z_stream stream{};
  bool ready = false;

  Unpacker() : ready(inflateInit(&stream) == Z_OK) {}
  ~Unpacker() {
    if (ready) inflateEnd(&stream);
  }
  Unpacker(const Unpacker&) = delete;
  Unpacker& operator=(const Unpacker&) = delete;
};

}  // namespace

std::string deflated(std::string_view bytes) {
  uLongf size = compressBound(static_cast<uLong>(bytes.size()));
  std::string out(size, '\0');
  const int code = compress2(reinterpret_cast<Bytef*>(out.data()), &size, reinterpret_cast<const Bytef*>(bytes.data()),
                             static_cast<uLong>(bytes.size()), Z_BEST_COMPRESSION);
  if (code != Z_OK) throw std::bad_alloc();  // the buffer is large enough: memory is all that can be missing
  out.resize(size);
  return out;
}

tl::expected<std::string, std::string> inflated(std::string_view packed, std::size_t size) {
  Unpacker unpacker;
  if (!unpacker.ready) return tl::unexpected<std::string>("zlib could not be started");
  z_stream& stream = unpacker.stream;
  std::string out;
  std::array<char, 65536> block;  // NOLINT(cppcoreguidelines-pro-type-member-init): zlib fills it
  int code = Z_OK;
  while (code != Z_STREAM_END) {
    if (stream.avail_in == 0) {
      const std::size_t next = std::min(packed.size(), most_at_once);
      // zlib's interface predates const.
      stream.next_in = const_cast<Bytef*>(reinterpret_cast<const Bytef*>(packed.data()));
      stream.avail_in = static_cast<uInt>(next);
      packed.remove_prefix(next);
    }
    stream.next_out = reinterpret_cast<Bytef*>(block.data());
    stream.avail_out = static_cast<uInt>(block.size());
    code = inflate(&stream, Z_NO_FLUSH);
    if (code != Z_OK && code != Z_STREAM_END)
      return tl::unexpected<std::string>(code == Z_BUF_ERROR ? "the packed data end too early"
                                                             : "the packed data are damaged");
    const std::size_t got = block.size() - stream.avail_out;
    if (got > size - out.size()) return tl::unexpected<std::string>("more is packed than the file says");
    out.append(block.data(), got);
  }
  if (out.size() != size) return tl::unexpected<std::string>("less is packed than the file says");
  if (!packed.empty() || stream.avail_in != 0) return tl::unexpected<std::string>("something follows the packed data");
  return out;
}

}  // namespace profiler
