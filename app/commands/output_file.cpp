#include "app/commands/output_file.h"

#include "app/commands/options.h"
#include "engine/base/quote.h"
#include "engine/recording/recording.h"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <system_error>

namespace app {
namespace {

using engine::printable;

// Why the path cannot be written, as errno says it; 0: nothing speaks against it.
int why_not_writable(const std::string& path) {
  struct stat status {};
  if (stat(path.c_str(), &status) == 0) {
    if (S_ISDIR(status.st_mode)) return EISDIR;
    return faccessat(AT_FDCWD, path.c_str(), W_OK, AT_EACCESS) == 0 ? 0 : errno;
  }
  if (errno != ENOENT) return errno;
  const std::string parent = std::filesystem::path(path).parent_path().string();
  const char* folder = parent.empty() ? "." : parent.c_str();
  if (stat(folder, &status) != 0) return errno;
  if (!S_ISDIR(status.st_mode)) return ENOTDIR;
  return faccessat(AT_FDCWD, folder, W_OK | X_OK, AT_EACCESS) == 0 ? 0 : errno;
}

bool same_file(const std::string& a, const std::string& b) {
  std::error_code none;
  if (std::filesystem::equivalent(a, b, none)) return !std::filesystem::is_character_file(a, none);
  return std::filesystem::weakly_canonical(a, none) == std::filesystem::weakly_canonical(b, none) &&
         !std::filesystem::exists(a, none);
}

bool part_of_a_model(const std::string& path) {
  const std::filesystem::path name = std::filesystem::path(path).filename();
  return name.extension() == ".safetensors" || name.extension() == ".bin" || name == "config.json" ||
         name == "task.json" || name == "tokenizer.json";
}

// What speaks against writing there, whatever the file is called.
engine::Result<void> check_place(const std::string& path, const std::vector<std::string>& taken) {
  for (const std::string& other : taken) {
    if (!other.empty() && same_file(path, other)) {
      return engine::input_error(
          fmt::format("{} is the file that another option of this command names. Choose another.", printable(path)));
    }
  }
  std::error_code none;
  if (std::filesystem::is_directory(path, none)) {
    return engine::system_error(
        fmt::format("{} cannot be written: it is a folder. Give the name of a file.", printable(path)));
  }
  if (const int reason = why_not_writable(path); reason != 0) {
    return engine::system_error(fmt::format("{} cannot be written: {}. Choose a folder that exists and may be written.",
                                            printable(path), std::generic_category().message(reason)));
  }
  return {};
}

}  // namespace

CLI::Option* add_output_option(CLI::App& command, const char* name, std::string& out, const char* help,
                               const char* type_name) {
  return command.add_option(name, out, help)->check(not_empty("the name of a file"))->type_name(type_name);
}

engine::Result<void> check_outputs(const std::vector<std::string>& paths, const std::vector<std::string>& inputs) {
  std::vector<std::string> taken = inputs;
  for (const std::string& path : paths) {
    if (path.empty()) continue;
    if (part_of_a_model(path)) {
      return engine::input_error(fmt::format("{} has the name of a part of a model. Choose another.", printable(path)));
    }
    if (auto checked = check_place(path, taken); !checked) return checked;
    taken.push_back(path);
  }
  return {};
}

engine::Result<void> check_recording_output(const std::string& path, const std::vector<std::string>& inputs) {
  std::error_code none;
  const std::filesystem::path name = std::filesystem::path(path).filename();
  if (name.extension() != ".safetensors") {
    return engine::input_error(
        fmt::format("{} is no name of a recording. Give one that ends in .safetensors.", printable(path)));
  }
  if (name == "model.safetensors" ||
      (std::filesystem::is_regular_file(path, none) && !engine::is_recording_file(path))) {
    return engine::input_error(
        fmt::format("{} is no recording but may be a part of a model. Choose another name.", printable(path)));
  }
  return check_place(path, inputs);
}

engine::Result<void> write_output(const std::string& path, const std::function<void(std::ostream&)>& write) {
  std::error_code failed;
  bool ordinary = !std::filesystem::exists(path, failed) ||
                  (std::filesystem::is_regular_file(path, failed) && !std::filesystem::is_symlink(path, failed));
  const std::string written = ordinary ? path + ".part" : path;
  std::ofstream out(written);
  if (!out && ordinary) {  // the file may be written and the folder not
    ordinary = false;
    out.clear();
    out.open(path);
  }
  if (out) write(out);
  out.close();
  if (out && ordinary) std::filesystem::rename(written, path, failed);
  if (out && !failed) return {};
  if (ordinary) std::filesystem::remove(written, failed);
  return engine::system_error(
      fmt::format("{} could not be written. Choose a folder that exists and has room.", printable(path)));
}

}  // namespace app
