// Numbers and texts as people read them in a terminal.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace app {

std::string grouped(std::int64_t number);         // "1,234,567"
std::string short_bytes(std::uint64_t bytes);     // "1.25 MiB"
std::string readable_bytes(std::uint64_t bytes);  // "1.25 MiB (1,310,720 bytes)"; below 1 KiB "512 bytes"

// The text for a terminal: its lines stay, everything else that is no printable character is escaped.
std::string printable_lines(std::string_view text);

}  // namespace app
