#include "engine/formats/weight_file.h"

#include "engine/base/quote.h"
#include "engine/formats/mapped_file.h"
#include "engine/formats/safetensors.h"
#include "engine/formats/shard_index.h"
#include "engine/formats/torch_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <utility>

namespace engine {

namespace {

namespace fs = std::filesystem;

constexpr std::size_t longest_index = std::size_t{4} << 20U;

bool ends_with(std::string_view text, std::string_view end) {
  return text.size() >= end.size() && text.substr(text.size() - end.size()) == end;
}

Result<TensorFile> read_one(const std::string& path) {
  const std::string ending = fs::path(path).extension().string();
  if (ending == ".safetensors") return read_safetensors(path);
  if (ending == ".bin" || ending == ".pt" || ending == ".pth") return read_torch_file(path);
  const auto file = MappedFile::open(path);
  if (!file) return tl::unexpected(file.error());
  return looks_like_torch(file->bytes()) ? read_torch_file(path) : read_safetensors(path);
}

// Takes a shard's tensors that the index places in it, which must be all of them. What is wrong, or empty.
std::string take(TensorFile& shard, const std::string& file, const ShardIndex& index, TensorFile& out) {
  for (Tensor& tensor : shard.tensors) {
    const auto placed = index.file_of.find(tensor.name);
    if (placed == index.file_of.end()) {
      return fmt::format("does not name the tensor {} that {} holds", in_quotes(tensor.name), in_quotes(file));
    }
    if (placed->second != file) {
      return fmt::format("places the tensor {} in {}, but {} holds it (too)", in_quotes(tensor.name),
                         in_quotes(placed->second), in_quotes(file));
    }
    out.tensors.push_back(std::move(tensor));
  }
  return {};
}

Result<TensorFile> read_shards(const std::string& path) {
  const auto text = read_text_file(path, longest_index);
  if (!text) return tl::unexpected(text.error());
  const auto index = parse_shard_index(*text, path);
  if (!index) return tl::unexpected(index.error());
  std::set<std::string> files;
  for (const auto& [tensor, file] : index->file_of) files.insert(file);
  const fs::path folder = fs::path(path).parent_path();
  TensorFile out;
  auto backing = std::make_shared<std::vector<std::shared_ptr<const void>>>();
  std::string wrong;
  for (const std::string& file : files) {
    auto shard = read_one((folder / file).string());
    if (!shard) return shard;
    backing->push_back(shard->backing);
    out.files.insert(out.files.end(), shard->files.begin(), shard->files.end());
    out.file_bytes += shard->file_bytes;
    if (wrong.empty()) wrong = take(*shard, file, *index, out);
  }
  std::sort(out.tensors.begin(), out.tensors.end(), [](const Tensor& a, const Tensor& b) { return a.name < b.name; });
  for (const auto& [tensor, file] : index->file_of) {
    if (wrong.empty() && out.find(tensor) == nullptr) {
      wrong = fmt::format("places the tensor {} in {}, which lacks it", in_quotes(tensor), in_quotes(file));
    }
  }
  if (!wrong.empty()) {
    return input_error(
        fmt::format("{} {}. Fetch the index and all its files of the same model again.", in_quotes(path), wrong));
  }
  out.backing = backing;
  return out;
}

}  // namespace

Result<TensorFile> read_weights(const std::string& path) {
  return ends_with(path, ".index.json") ? read_shards(path) : read_one(path);
}

std::optional<fs::path> find_weights(const fs::path& folder) {
  for (const char* name :
       {"model.safetensors", "model.safetensors.index.json", "pytorch_model.bin", "pytorch_model.bin.index.json"}) {
    if (is_there(folder / name)) return folder / name;
  }
  return std::nullopt;
}

}  // namespace engine
