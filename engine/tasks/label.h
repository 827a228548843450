// What a task says at a position: a class, or one of the two answers below.
#pragma once

#include <cstdint>

namespace engine {

constexpr std::int32_t not_asked = -1;  // no class belongs to this position
constexpr std::int32_t not_known = -2;  // a symbol up to here breaks the task's grammar

}  // namespace engine
