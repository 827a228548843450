#include "engine/formats/safetensors_writer.h"

#include "engine/base/quote.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>
#include <vector>

namespace engine {

namespace {

struct CloseFile {
  void operator()(std::FILE* file) const { std::fclose(file); }
};

bool write_all(std::FILE* file, const void* data, std::size_t size) {
  return size == 0 || std::fwrite(data, 1, size, file) == size;
}

bool write_file(const std::string& path, const std::string& header, const std::vector<const Tensor*>& order) {
  const std::unique_ptr<std::FILE, CloseFile> file(std::fopen(path.c_str(), "wbe"));
  if (!file) return false;
  const std::uint64_t length = header.size();
  bool good = write_all(file.get(), &length, sizeof(length)) && write_all(file.get(), header.data(), header.size());
  for (const Tensor* tensor : order) good = good && write_all(file.get(), tensor->bytes.data(), tensor->bytes.size());
  return good && std::fflush(file.get()) == 0;
}

}  // namespace

Result<void> write_safetensors(const std::string& path, std::span<const Tensor> tensors,
                               const std::map<std::string, std::string>& metadata) {
  // Wide types first: with the padded header every tensor then begins at a multiple of its value's size.
  std::vector<const Tensor*> order;
  for (const Tensor& tensor : tensors) order.push_back(&tensor);
  std::stable_sort(order.begin(), order.end(),
                   [](const Tensor* a, const Tensor* b) { return size_of(a->type) > size_of(b->type); });
  nlohmann::ordered_json table = nlohmann::ordered_json::object();
  if (!metadata.empty()) table["__metadata__"] = metadata;
  std::uint64_t at = 0;
  for (const Tensor* tensor : order) {
    std::uint64_t bytes = size_of(tensor->type);
    for (const std::int64_t size : tensor->shape) bytes *= static_cast<std::uint64_t>(size);
    if (bytes != tensor->bytes.size() || table.contains(tensor->name)) {
      return input_error(fmt::format("Cannot write {}: the tensor {} is there twice or has {} bytes in place of {}.",
                                     in_quotes(path), in_quotes(tensor->name), tensor->bytes.size(), bytes));
    }
    table[tensor->name] = {
        {"dtype", name_of(tensor->type)}, {"shape", tensor->shape}, {"data_offsets", {at, at + bytes}}};
    at += bytes;
  }
  std::string header = table.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
  header.resize((header.size() + 7) / 8 * 8, ' ');

  const std::string temporary = fmt::format("{}.part-{}", path, ::getpid());
  if (!write_file(temporary, header, order) || std::rename(temporary.c_str(), path.c_str()) != 0) {
    const std::string why = std::strerror(errno);
    std::remove(temporary.c_str());
    return system_error(fmt::format("Cannot write {}: {}. Check the folder and the free space.", in_quotes(path), why));
  }
  return {};
}

}  // namespace engine
