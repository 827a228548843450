// Numbers as people read them in a terminal.
#pragma once

#include <cstdint>
#include <string>

namespace app {

std::string grouped(std::int64_t number);         // "1,234,567"
std::string short_bytes(std::uint64_t bytes);     // "1.25 MiB"
std::string readable_bytes(std::uint64_t bytes);  // "1.25 MiB (1,310,720 bytes)"; below 1 KiB "512 bytes"

}  // namespace app
