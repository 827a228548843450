// The dependency table of ARCHITECTURE.md, read from the includes, and the limit on a file's length.
#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace {

namespace fs = std::filesystem;

std::vector<fs::path> sources(const std::string& folder) {
  std::vector<fs::path> found;
  if (!fs::exists(fs::path(TEST_SOURCE_ROOT) / folder)) return found;
  for (const auto& entry : fs::recursive_directory_iterator(fs::path(TEST_SOURCE_ROOT) / folder)) {
    const std::string ending = entry.path().extension().string();
    if (ending == ".h" || ending == ".cpp" || ending == ".cu" || ending == ".cuh") found.push_back(entry.path());
  }
  return found;
}

std::vector<std::string> includes(const fs::path& file) {
  std::vector<std::string> found;
  std::ifstream in(file);
  for (std::string line; std::getline(in, line);) {
    if (line.rfind("#include ", 0) != 0 || line.size() < 12) continue;
    found.push_back(line.substr(10, line.find_last_of("\">") - 10));
  }
  return found;
}

bool starts_with(const std::string& text, const std::string& prefix) { return text.rfind(prefix, 0) == 0; }

}  // namespace

TEST_CASE("folders include only what the dependency table allows") {
  const std::map<std::string, std::set<std::string>> allowed = {{"kernels", {"kernels"}},
                                                                {"engine", {"engine", "kernels"}},
                                                                {"profiler", {"profiler"}},
                                                                {"app", {"app", "engine", "profiler", "kernels"}}};
  int read = 0;
  for (const auto& [folder, may] : allowed) {
    for (const fs::path& file : sources(folder)) {
      ++read;
      for (const std::string& include : includes(file)) {
        CAPTURE(file.string());
        CAPTURE(include);
        const std::string top = include.substr(0, include.find('/'));
        if (allowed.count(top) != 0) CHECK(may.count(top) == 1);
        if (folder != "app") {
          for (const char* gui : {"imgui", "implot", "GLFW", "GL/", "EGL/"}) CHECK_FALSE(starts_with(include, gui));
        }
        if (folder != "profiler") CHECK_FALSE(starts_with(include, "cupti"));
        if (folder == "app" && top == "kernels") {
          CHECK((include == "kernels/matrix.h" || include == "kernels/cost.h"));
        }
      }
    }
  }
  CHECK(read > 10);
}

TEST_CASE("no file is longer than 600 lines") {
  for (const char* folder : {"kernels", "engine", "profiler", "app", "tests", "assets"}) {
    for (const fs::path& file : sources(folder)) {
      std::ifstream in(file);
      int lines = 0;
      for (std::string line; std::getline(in, line);) ++lines;
      CAPTURE(file.string());
      CHECK(lines <= 600);
    }
  }
}
