// Where the golden models lie: MAMBASCOPE_TEST_GOLDEN, for tests that run on another machine than they were built on, else
// the source tree.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <string>

inline std::string golden_folder() {
  const char* set = std::getenv("MAMBASCOPE_TEST_GOLDEN");
  return set != nullptr && *set != '\0' ? set : TEST_GOLDEN;
}

// The model that belongs to a recorded output: in its folder, or a built-in one.
inline std::string golden_model(const std::string& name) {
  const std::string folder = golden_folder() + "/" + name;
  return std::filesystem::exists(folder + "/config.json") ? folder : name;
}

inline const char* const golden_models[] = {"siso-fp32",         "mimo-bf16",        "siso-outproj-norm-rope1",
                                            "mimo-r2-headdim32", "siso-1500-tokens", "parity",
                                            "parity-mimo"};
