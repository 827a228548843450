// Bytes packed with zlib, and unpacked again into no more than was promised. Any thread.
#pragma once

#include <tl/expected.hpp>

#include <cstddef>
#include <string>
#include <string_view>

namespace profiler {

std::string deflated(std::string_view bytes);

// Exactly `size` bytes come out, or an error says why not. Memory grows with what really unpacks, so that a small file
// which promises much takes little.
tl::expected<std::string, std::string> inflated(std::string_view packed, std::size_t size);

}  // namespace profiler
