// A model with random weights whose tokens are bytes, written to a folder.
#pragma once

#include "tests/support/temporary_folder.h"

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

namespace tests {

// The weights of the golden model siso-fp32: its vocabulary of 250 is padded to 256 rows, which are all given a meaning.
inline void write_byte_model(const TemporaryFolder& folder, const std::string& more_fields = "") {
  const std::string golden = std::string(TEST_GOLDEN) + "/siso-fp32";
  std::ifstream in(golden + "/config.json");
  std::string config{std::istreambuf_iterator<char>(in), {}};
  config.replace(config.find("250", config.find("\"vocab_size\"")), 3, "256");
  folder.write("config.json", config);
  std::filesystem::copy_file(golden + "/model.safetensors", folder.file("model.safetensors"));
  folder.write("task.json", R"({"kind":"next-token","vocabulary":"bytes")" + more_fields + "}");
}

}  // namespace tests
