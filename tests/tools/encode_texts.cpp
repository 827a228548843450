// Encodes and decodes texts for a comparison with another implementation: encode_texts TOKENIZER.json < texts > ids.
// A text is its length in bytes (4 bytes, little-endian) and itself. Written for each: the number of ids and the ids (4 bytes
// each), then the length of their decoded text and that. Standard error gets the time of encoding alone.
#include "engine/tokenizer/tokenizer_json.h"

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <string>
#include <vector>

namespace {

bool read_number(std::uint32_t& out) { return std::fread(&out, sizeof out, 1, stdin) == 1; }

void write_number(std::uint32_t number) { std::fwrite(&number, sizeof number, 1, stdout); }

double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: encode_texts TOKENIZER.json < texts > ids\n");
    return 2;
  }
  const auto opening = std::chrono::steady_clock::now();
  const auto tokenizer = engine::read_tokenizer(argv[1]);
  if (!tokenizer) {
    std::fprintf(stderr, "%s\n", tokenizer.error().message.c_str());
    return 2;
  }
  std::fprintf(stderr, "opened in %.3f s\n", seconds_since(opening));
  double seconds = 0;
  std::uint64_t bytes = 0;
  std::string text;
  for (std::uint32_t size = 0; read_number(size);) {
    text.resize(size);
    if (std::fread(text.data(), 1, size, stdin) != size) return 2;
    const auto start = std::chrono::steady_clock::now();
    const auto ids = (*tokenizer)->encode(text, true);
    seconds += seconds_since(start);
    bytes += size;
    if (!ids) {
      std::fprintf(stderr, "%s\n", ids.error().message.c_str());
      return 2;
    }
    write_number(static_cast<std::uint32_t>(ids->size()));
    for (const std::int32_t id : *ids) write_number(static_cast<std::uint32_t>(id));
    const std::string decoded = (*tokenizer)->decode(*ids);
    write_number(static_cast<std::uint32_t>(decoded.size()));
    std::fwrite(decoded.data(), 1, decoded.size(), stdout);
  }
  std::fprintf(stderr, "%llu bytes in %.3f s: %.2f MB/s\n", static_cast<unsigned long long>(bytes), seconds,
               static_cast<double>(bytes) / 1e6 / seconds);
}
