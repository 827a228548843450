// How far the opening of a model has come, in words. Pure.
#pragma once

#include <cstdint>
#include <string>

namespace app {

// "1.2 of 3.1 GB, 2.4 GB/s, 1 s left"; no rate before there is one to speak of. `bytes` is at most `total`.
std::string opening_words(std::uint64_t bytes, std::uint64_t total, double seconds);

}  // namespace app
