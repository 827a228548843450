// libFuzzer's entry for the parser that the build names in FUZZ_ENTRY.
#include "tests/fuzz/entries.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::FUZZ_ENTRY({data, size});
  return 0;
}
