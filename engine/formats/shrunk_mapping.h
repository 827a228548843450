// What happens when a mapped file becomes shorter while it is read: the system raises SIGBUS at the first page that is gone.
// The process's handler for it, installed with the first mapping, puts zeros in the place of that page and of all behind
// it and notes which mapping it was, so that readers run to their end and then refuse the file. A SIGBUS anywhere else
// goes to the handler that was there before. Any thread.
#pragma once

#include <cstddef>

namespace engine {

// A place in the table of watched mappings; -1: the table, of 4,096, is full.
int watch_mapping(const std::byte* data, std::size_t bytes);
// Before the mapping is undone.
void forget_mapping(int slot);
// Whether zeros stand for bytes of it.
bool has_shrunk(int slot);

}  // namespace engine
